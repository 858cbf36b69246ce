"""What replies say of the state of an API: through the gateway, from troth's own doors, and in an application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.lifecycles.tables import TABLE, write
from tests.server import RunningServer
from troth.sdk import Client
from troth.sdk.lifecycles import ApiStates, asgi
from troth.versions.lifecycles.own import ALGORITHMIA, NATIVE, OWN
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, StateTable


@dataclass
class Doors:
    """An API behind the gateway with v1 retired, v2 deprecated, v3 current and v4 experimental; and troth's own."""

    server: RunningServer
    client: Client
    api: str
    http: httpx2.Client

    def ask(self, path: str, method: str = "GET") -> httpx2.Response:
        headers = {"Authorization": self.server.owner_key, "Troth-Key": self.client.key}
        content = b"1" if method == "POST" else None
        return self.http.request(method, self.server.address + path, headers=headers, content=content)

    def gateway(self, path: str, method: str = "GET") -> httpx2.Response:
        return self.ask(f"/gateway/{self.api}{path}", method)

    def own(self, state: State) -> None:
        """Both of troth's own APIs are in a state."""
        version = ApiVersion(1, state, retires_in="1.0.0", successor=2, deprecated_at="2026-01-01T00:00:00Z")
        self.server.server.gateway.apis.own.take({name: StateTable.of(name, 1, version) for name in OWN})


@pytest.fixture(scope="module")
def doors(server: RunningServer) -> Iterator[Doors]:
    owner, client = server.account("ada")
    api = f"{owner}/{server.new_name('nodes')}"
    client.command("create_api", api=api, public=True)
    for command, version, release in [
        ("create_api_version", "v1", "1.0.0"), ("graduate_api", "v1", "1.0.0"), ("create_api_version", "v2", "1.1.0"),
        ("graduate_api", "v2", "1.2.0"), ("create_api_version", "v3", "1.3.0"), ("retire_api", "v1", "2.0.0"),
        ("graduate_api", "v3", "2.1.0"), ("create_api_version", "v4", "2.2.0"),
    ]:  # fmt: skip
        client.command(command, api=api, api_version=version, release=release)
    with httpx2.Client(trust_env=False, timeout=30) as http:
        yield Doors(server, client, api, http)


@pytest.fixture(autouse=True)
def _as_they_were(doors: Doors) -> Iterator[None]:
    yield
    doors.server.server.gateway.apis.own.take(OWN)


#: A path of each of troth's own doors, and how it is asked.
OWN_PATHS = {
    ALGORITHMIA: [
        ("/v1/algo/nobody/nothing/1.0.0", "POST"),
        ("/v1/algorithms/nobody/nothing", "GET"),
        ("/v1/data/x", "GET"),
    ],
    NATIVE: [("/api/v1/query/clauses", "GET"), ("/api/v1/nothing", "GET"), ("/api/v1/openapi.json", "GET")],
}
EVERY_OWN = [asked for paths in OWN_PATHS.values() for asked in paths]


@pytest.mark.clause("PDB-26")
def test_an_experimental_version_says_so_without_anybody_adding_it(doors: Doors) -> None:
    for path in ("/v4", "/v4/items", "/v4/items?x=1"):
        assert doors.gateway(path).headers["troth-api-state"] == "experimental"
    assert "troth-api-state" not in doors.gateway("/v3/items").headers


@pytest.mark.clause("PDB-26")
@pytest.mark.parametrize(("path", "method"), EVERY_OWN)
def test_an_experimental_api_of_troth_says_so(doors: Doors, path: str, method: str) -> None:
    doors.own(State.EXPERIMENTAL)
    assert doors.ask(path, method).headers["troth-api-state"] == "experimental"


@pytest.mark.clause("PDB-34")
def test_a_deprecated_version_names_its_successor_and_its_end(doors: Doors) -> None:
    for path in ("/v2", "/v2/items"):
        headers = doors.gateway(path).headers
        assert headers["deprecation"].startswith("@")
        assert headers["troth-retires-in"] == "3.0.0"
        assert headers["link"] == f'</gateway/{doors.api}/v3>; rel="successor-version"'


@pytest.mark.clause("PDB-34")
@pytest.mark.parametrize(("path", "method"), EVERY_OWN)
def test_a_deprecated_api_of_troth_says_so(doors: Doors, path: str, method: str) -> None:
    doors.own(State.DEPRECATED)
    headers = doors.ask(path, method).headers
    assert (headers["deprecation"], headers["troth-retires-in"]) == ("@1767225600", "1.0.0")
    assert 'rel="successor-version"' in headers["link"]


@pytest.mark.clause("PDB-34")
def test_callers_of_a_deprecated_version_are_listed(doors: Doors) -> None:
    name, client = doors.server.account("bob")
    httpx2.get(
        f"{doors.server.address}/gateway/{doors.api}/v2/items", headers={"Troth-Key": client.key}, trust_env=False
    )
    rows = doors.client.api_callers(doors.api, version="v2")["rows"]
    assert [(row["operation"], row["calls"]) for row in rows if row["caller"] == name] == [("GET /items", 1)]


@pytest.mark.clause("PDB-38")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_path_of_a_retired_version_is_gone(doors: Doors, method: str) -> None:
    for path in ("/v1", "/v1/", "/v1/items", "/v1/items/7?x=1", "/v1/v3/items"):
        assert doors.gateway(path, method).status_code == 410


@pytest.mark.clause("PDB-38")
@pytest.mark.parametrize(("path", "method"), EVERY_OWN)
def test_every_path_of_a_retired_api_of_troth_is_gone(doors: Doors, path: str, method: str) -> None:
    doors.own(State.RETIRED)
    for _ in range(2):  # the second time the head of a call is known
        assert doors.ask(path, method).status_code == 410


@pytest.mark.clause("PDB-26")
@pytest.mark.clause("PDB-34")
@pytest.mark.clause("PDB-38")
def test_an_application_with_the_middleware_does_the_same(tmp_path: Path) -> None:
    states = ApiStates(TABLE.api, write(tmp_path / "states.json"))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def asked(version: str) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=asgi.LifeCycle(app, states))) as client:
            return await client.get(f"http://shop/{version}/items")

    found = {version: asyncio.run(asked(version)) for version in ("v3", "v4", "v5", "v6")}
    assert [reply.status_code for reply in found.values()] == [410, 200, 200, 200]
    assert [reply.headers.get("troth-api-state") for reply in found.values()] == [
        "retired", "deprecated", None, "experimental",
    ]  # fmt: skip
    assert found["v4"].headers["troth-retires-in"] == "8.0.0"
    states.close()
