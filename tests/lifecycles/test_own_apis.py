"""The states of troth's own APIs on every reply of theirs, whichever way a request goes through the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.lifecycles.tables import BEGINS, marks
from tests.server import RunningServer, running_server
from troth.errors import Forbidden
from troth.versions.lifecycles.own import ALGORITHMIA, NATIVE, OWN
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, Brownout, StateTable, moment

#: replies of every door below each API: (method, path, whether a key comes along)
PATHS = {
    ALGORITHMIA: [
        ("POST", "/v1/algo/nobody/nothing/1.0.0", True),
        ("POST", "/v1/algo/nobody/nothing", False),
        ("POST", "/v1/algo/nobody/n%6Fthing", True),
        ("OPTIONS", "/v1/algo/nobody/nothing", False),
        ("GET", "/v1/algorithms/nobody/nothing", True),
        ("GET", "/v1/data/nobody/nothing", True),
        ("GET", "/v1", False),
        ("GET", "/v1/nothing", False),
        ("GET", "//v1/nothing", False),
    ],
    NATIVE: [
        ("GET", "/api/v1/query/clauses", True),
        ("GET", "/api/v1/query/accounts", False),
        ("POST", "/api/v1/cmd?command=create_account&version=1", True),
        ("GET", "/api/v1/openapi.json", False),
        ("GET", "/api/v1/calendars/nothing.ics", False),
        ("GET", "/api/v1", False),
        ("DELETE", "/api/v1/cmd", False),
    ],
}
EVERY = [(api, *asked) for api, paths in PATHS.items() for asked in paths]
DEPRECATED = {"troth-api-state": "deprecated", "deprecation": "@1767225600", "troth-retires-in": "1.0.0"}


def moved(api: str, state: State, *brownouts: Brownout) -> dict[str, StateTable]:
    since = "2026-01-01T00:00:00Z"
    version = ApiVersion(1, state, since="0.2.0", retires_in="1.0.0", successor=2, deprecated_at=since)
    return {api: StateTable.of(api, 1, version, brownouts=brownouts)}


class Talking:
    """A client of the server, over one connection, so that heads are known again."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.http = httpx2.Client(trust_env=False)

    def ask(self, method: str, path: str, key: bool) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.server.owner_key}"} if key else {}
        return self.http.request(
            method, self.server.address + path, headers=headers, content=b"1" if method == "POST" else None
        )


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talking]:
    with running_server(tmp_path_factory.mktemp("own-apis") / "home") as server:
        found = Talking(server)
        yield found
        found.http.close()


@pytest.fixture(autouse=True)
def _as_it_was(talking: Talking) -> Iterator[None]:
    yield
    talking.server.server.gateway.apis.own.take(OWN)


@pytest.mark.clause("PDB-34")
@pytest.mark.parametrize(("api", "method", "path", "key"), EVERY)
def test_every_reply_of_a_deprecated_api_says_so(talking: Talking, api: str, method: str, path: str, key: bool) -> None:
    for _ in range(2):  # the second time the head is known
        assert marks(talking.ask(method, path, key).headers) == {}
    talking.server.server.gateway.apis.own.take(moved(api, State.DEPRECATED))
    for _ in range(2):
        reply = talking.ask(method, path, key)
        assert marks(reply.headers) == DEPRECATED
        assert 'rel="successor-version"' in reply.headers["link"]
    other = NATIVE if api == ALGORITHMIA else ALGORITHMIA
    assert marks(talking.ask(*PATHS[other][0]).headers) == {}


@pytest.mark.clause("PDB-38")
@pytest.mark.parametrize(("api", "method", "path", "key"), EVERY)
def test_a_retired_api_is_gone_on_every_path(talking: Talking, api: str, method: str, path: str, key: bool) -> None:
    before = talking.ask(method, path, key).status_code
    talking.server.server.gateway.apis.own.take(moved(api, State.RETIRED))
    for _ in range(2):
        reply = talking.ask(method, path, key)
        assert reply.status_code == 410
        assert reply.json()["clauses"] == ["PDB-38"]
    assert talking.ask("GET", "/health", False).status_code == 200
    talking.server.server.gateway.apis.own.take(OWN)
    assert talking.ask(method, path, key).status_code == before


@pytest.mark.clause("PDB-26")
def test_an_experimental_api_says_so(talking: Talking) -> None:
    talking.server.server.gateway.apis.own.take(moved(ALGORITHMIA, State.EXPERIMENTAL))
    for asked in PATHS[ALGORITHMIA]:
        assert talking.ask(*asked).headers["troth-api-state"] == "experimental"


def test_a_brownout_of_calls_spares_production_keys(talking: Talking) -> None:
    server = talking.server
    name, _ = server.account()
    scope = {"algorithms": ["algo://*"], "production": True}
    production = server.owner.command("create_key", version=2, account=name, scope=scope)["key"]
    now = moment(BEGINS).timestamp()
    clocked = type(server.server.gateway.apis.own)(lambda: now)
    clocked.take(moved(ALGORITHMIA, State.DEPRECATED, Brownout(1, BEGINS, "2027-01-10T10:05:00Z")))
    in_force = server.server.gateway.apis.own
    for slot in ("_algorithmia", "_native", "call_lines", "guarded"):
        setattr(in_force, slot, getattr(clocked, slot))
    path, found = "/v1/algo/nobody/nothing", []
    for key in (server.owner_key, production):
        found.append(talking.http.post(server.address + path, headers={"authorization": key}, content=b"1").status_code)
    assert found == [503, 200]


@pytest.mark.clause("PDB-34")
@pytest.mark.clause("PDB-38")
def test_an_administrator_moves_them_and_every_process_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", fronts=2) as server:
        while not all(one["serves"] for one in server.owner.engine()["fronts"]):
            time.sleep(0.05)
        _moved_by_an_administrator(server)


def _moved_by_an_administrator(own_server: RunningServer) -> None:
    client = own_server.owner
    assert client.api_states(ALGORITHMIA)["versions"] == [{"number": 1, "state": "current", "since": "0.1.0"}]
    _, stranger = own_server.account("eve")
    with pytest.raises(Forbidden):
        stranger.command("create_api", api=ALGORITHMIA, public=True)
    client.command("create_api", api=ALGORITHMIA, public=True)

    def move(command: str, version: str, release: str, **more: str) -> None:
        client.command(command, api=ALGORITHMIA, api_version=version, release=release, **more)  # type: ignore[arg-type]

    asked = ("POST", "/v1/algo/nobody/nothing/1.0.0", True)
    found = []
    for command, version, release in [
        ("create_api_version", "v1", "0.1.0"), ("graduate_api", "v1", "0.1.0"), ("create_api_version", "v2", "0.2.0"),
        ("graduate_api", "v2", "0.3.0"), ("retire_api", "v1", "1.0.0"),
    ]:  # fmt: skip
        move(command, version, release)
        found.append(_said(own_server, *asked))
    assert found == [
        (200, "experimental", None), (200, None, None), (200, None, None), (200, "deprecated", "1.0.0"),
        (410, "retired", None),
    ]  # fmt: skip


def _said(server: RunningServer, *asked: Any) -> tuple[int, str | None, str | None]:
    """What connections are told that the processes share between them."""
    said = set()
    for _ in range(6):
        talking = Talking(server)
        for _ in range(2):
            reply = talking.ask(*asked)
            headers = reply.headers
            said.add((reply.status_code, headers.get("troth-api-state"), headers.get("troth-retires-in")))
        talking.http.close()
    (found,) = said
    return found
