"""Queries over HTTP: every form of question and answer, only what the caller may see, and nothing that makes the server fail."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server import RunningServer, running_server
from troth.queries.entities import ENTITIES, SHAPES
from troth.queries.language.fields import FUNCTIONS, OPERATORS


class Asking:
    """Somebody who asks."""

    def __init__(self, server: RunningServer, key: str) -> None:
        self._http = httpx2.Client(base_url=server.address, headers={"Authorization": key}, timeout=120)

    def post(self, entity: str, document: Any, accept: str = "application/json") -> httpx2.Response:
        return self._http.post(f"/api/v1/query/{entity}", content=json.dumps(document), headers={"Accept": accept})

    def rows(self, entity: str, query: Any = None, **how: Any) -> list[dict[str, Any]]:
        reply = self.post(entity, {"query": query, **how})
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()["rows"]
        return found

    def get(self, entity: str, accept: str = "application/json", **parameters: Any) -> httpx2.Response:
        return self._http.get(f"/api/v1/query/{entity}", params=parameters, headers={"Accept": accept})

    def close(self) -> None:
        self._http.close()


class World:
    """A server with a public and a private version, asked by the owner, an administrator, and a stranger."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.server = server
        self.name, self.client = server.account("ada")
        self.subject, self.commit = server.build(folder, self.name, self.client)
        self.client.publish(self.subject, self.commit, bump="minor", visibility="public")
        self.client.publish(self.subject, self.commit, number="1.0.0", visibility="private", confirm_permissions=True)
        self.hidden, _ = server.build(folder, self.name, self.client, stem="hidden")
        self.stranger_name, _ = server.account("sam")
        self.own = Asking(server, server.keys[self.name])
        self.stranger = Asking(server, server.keys[self.stranger_name])
        self.root = Asking(server, server.owner_key)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("queries")
    with running_server(folder / "home") as server:
        found = World(server, folder)
        yield found
        for one in (found.own, found.stranger, found.root):
            one.close()


def test_a_query_is_answered_from_a_body_and_from_an_address(world: World) -> None:
    query = ["=", "owner", world.name]
    rows = world.own.rows("versions", query)
    assert [row["version"] for row in rows] == ["0.1.0", "1.0.0"]
    assert world.own.post("versions", query).json()["rows"] == rows
    assert world.own.post("versions", f'owner = "{world.name}"').json()["rows"] == rows
    for written in (json.dumps(query), f'owner = "{world.name}"'):
        assert world.own.get("versions", query=written).json()["rows"] == rows
    assert world.own.get("versions", query="", order_by="version desc", limit=1).json()["rows"] == rows[1:]
    ordered = json.dumps([["version", "desc"]])
    assert world.own.get("versions", query="", order_by=ordered, limit=1).json()["rows"] == rows[1:]


def test_an_older_question_is_asked_with_its_own_parameters_only(world: World) -> None:
    found = world.own.get("versions", algorithm=world.subject).json()
    assert [row["version"] for row in found["versions"]] == ["1.0.0", "0.1.0"]
    assert world.own.get("clauses").json()["revision"] >= 1
    assert world.own.get("products").json() == {"products": []}
    assert "entries" in world.root.get("journal", limit=1).json()
    assert "accounts" in world.root.get("accounts").json()
    assert world.own.get("calls").json()["rows"] == []  # which has no older one
    for entity in ("versions", "builds", "waivers"):
        refused = world.own.get(entity, algorithm=world.subject, limit=1)
        assert (refused.status_code, "'limit' is not known" in refused.text) == (400, True)


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_entity_is_asked_by_get_with_parameters_of_a_query(world: World, entity: str) -> None:
    wanted: list[dict[str, Any]] = [{"offset": 0}, {"limit": 1, "include_total": "true"}, {"query": "", "limit": 1}]
    for parameters in wanted:
        reply = world.root.get(entity, **parameters)
        assert (reply.status_code, {"rows", "next"} <= set(reply.json())) == (200, True), (parameters, reply.text)
        assert len(reply.json()["rows"]) <= parameters.get("limit", 100)
    faults: list[tuple[dict[str, Any], str]] = [
        ({"limt": 1}, "did you mean limit?"),
        ({"offset": -1}, "a whole number from 0 to"),
    ]
    for parameters, says in faults:
        reply = world.root.get(entity, **parameters)
        assert (reply.status_code, says in reply.text) == (400, True), reply.text


def test_an_entity_that_there_is_not_is_told_from_those_that_there_are(world: World) -> None:
    for reply in (world.own.get("version", query=""), world.own.post("version", {})):
        told = reply.json()
        assert (reply.status_code, told["repair"]) == (404, "did you mean versions?")
        assert "command-results" in told["why"]


@pytest.mark.clause("ALG-25")
def test_nothing_that_is_asked_tells_a_stranger_of_what_is_private(world: World) -> None:
    """Counted, ordered, paged, grouped, joined, by its digest, its publisher or a moment of the past."""
    stranger, private = world.stranger, f'owner = "{world.name}"'
    assert [row["version"] for row in stranger.rows("versions", private)] == ["0.1.0"]
    page = stranger.post("versions", {"query": private, "include_total": True, "limit": 1}).json()
    assert (page["total"], page["next"]) == (1, None)
    for query in (
        'version = "1.0.0"', 'visibility = "private"', f'hash = "{world.commit}"', 'hash ~ "^[0-9a-f]"', "hash is not null",
        f'published_by = "{world.name}"', f'hash in ("{world.commit}")', 'name ~ "^hidden"',
    ):  # fmt: skip
        assert stranger.rows("versions", query) == [], query
    assert len(stranger.rows("versions", f'not hash = "{world.commit}"')) == 1
    grouped = stranger.rows("versions", "select owner, count(), max(version), count(hash) group by owner")
    assert grouped == [{"owner": world.name, "count": 1, "max_version": "0.1.0", "count_hash": 0}]
    assert [row["algorithm"] for row in stranger.rows("algorithms")] == [world.subject]
    assert stranger.rows("algorithms", 'algorithm in (select algorithm from versions where version = "1.0.0")') == []
    assert (
        stranger.rows("algorithms", 'not algorithm in (select algorithm from versions where version = "1.0.0")') != []
    )
    assert stranger.rows("builds") == []
    last = world.root.rows("journal", "select max(position)")[0]["max_position"]
    assert [row["version"] for row in stranger.rows("versions", private, as_of=last)] == ["0.1.0"]


def test_what_only_administrators_may_ask_is_refused_to_others_also_inside(world: World) -> None:
    for entity in ("journal", "accounts"):
        assert world.stranger.post(entity, None).status_code == 403
        field = "actor" if entity == "journal" else "name"
        inside = world.stranger.post("versions", f"owner in (select {field} from {entity})")
        assert inside.status_code == 403
        assert world.root.post(entity, None).status_code == 200
    assert httpx2.post(f"{world.server.address}/api/v1/query/versions").status_code == 401


def test_a_key_shows_what_its_patterns_name(world: World) -> None:
    def asking(**scope: Any) -> Asking:
        return Asking(
            world.server, world.client.command("create_key", version=2, account=world.name, scope=scope)["key"]
        )

    nothing = {
        "algorithms": [],
        "data": "none",
        "manage": False,
        "administrator": False,
        "production": False,
        "origin": "",
    }
    pattern = f"algo://{world.subject}/*"
    narrow, other = asking(**{**nothing, "algorithms": [pattern]}), asking(**{**nothing, "algorithms": ["algo://x/*"]})
    assert [row["version"] for row in narrow.rows("versions")] == ["0.1.0", "1.0.0"]
    assert [row["version"] for row in other.rows("versions")] == ["0.1.0"]
    assert narrow.post("builds", None).status_code == 403
    for one in (narrow, other):
        one.close()


def test_secrets_are_in_no_answer(world: World) -> None:
    secret = "a-very-secret-value"
    world.client.command("set_secret", of=world.subject, name="TOKEN", description="", value=secret)
    for entity, row in ENTITIES.items():
        names = [one.field.name for one in row.columns]
        text = world.root.post(entity, {"query": ["extract", names], "limit": 1000}).text
        assert secret not in text
        assert not any(key in text for key in world.server.keys.values())


def test_answers_are_json_lines_or_messagepack(world: World) -> None:
    query = 'kind = "RULE"'
    rows = world.own.rows("clauses", query, limit=1000)
    packed = world.own.post("clauses", {"query": query, "limit": 1000}, "application/x-msgpack")
    assert packed.headers["content-type"] == "application/x-msgpack"
    assert msgspec.msgpack.decode(packed.content)["rows"] == rows
    lines = world.own.post("clauses", {"query": query, "include_total": True}, "application/x-ndjson")
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.text.splitlines()] == rows
    assert lines.headers["troth-total"] == str(len(rows))
    page = world.own.get("clauses", "application/x-ndjson", query=query, limit=2)
    following = world.own.get(
        "clauses", "application/x-ndjson", query=query, limit=2, cursor=page.headers["troth-next"]
    )
    assert [json.loads(line) for line in (page.text + following.text).splitlines()] == rows[:4]
    assert world.own.post("clauses", "id is null", "application/x-ndjson").content == b""
    documents = world.own.rows("versions", "select version, verdict, contract")
    assert all(isinstance(row["verdict"], dict) and isinstance(row["contract"], dict) for row in documents)


def test_a_cursor_goes_on_with_its_own_question_only(world: World) -> None:
    asked = {"query": 'kind = "RULE"', "order_by": ["id"], "limit": 3}
    cursor = world.own.post("clauses", asked).json()["next"]
    assert (
        world.own.post("clauses", {**asked, "cursor": cursor, "limit": 5}).status_code == 200
    )  # pages may differ in size
    others: list[dict[str, Any]] = [
        {"query": 'kind = "MAY"'}, {"query": None}, {"order_by": [["id", "desc"]]}, {"as_of": 2},
        {"cursor": cursor[:-2] + "AA"}, {"cursor": "x"}, {"cursor": "é"}, {"cursor": "A" * 30_000},
    ]  # fmt: skip
    for other in others:
        reply = world.own.post("clauses", {**asked, "cursor": cursor, **other})
        assert reply.status_code == 400, other
        assert "cursor" in reply.json()["detail"] or "cursor" in reply.json()["why"]
    assert world.stranger.post("clauses", {**asked, "cursor": cursor}).status_code == 400


def test_of_a_moment_and_of_a_position_of_the_journal(world: World) -> None:
    published = world.root.rows("journal", f'command = "publish_version" and subject = "{world.subject}"')
    first, second = [row["position"] for row in published]
    for as_of, expected in ((first - 1, []), (first, ["0.1.0"]), (second - 1, ["0.1.0"]), (second, ["0.1.0", "1.0.0"])):
        rows = world.own.rows("versions", f'algorithm = "{world.subject}"', as_of=as_of)
        assert [row["version"] for row in rows] == expected
        moment = world.root.rows("journal", f"position = {as_of}")[0]["at"]
        assert world.own.rows("versions", f'algorithm = "{world.subject}"', as_of=moment) == rows
    assert len(world.root.rows("journal", as_of=3)) == 3
    positions = world.root.rows("journal", limit=1000)
    assert [row["at"] for row in positions] == sorted(
        {row["at"] for row in positions}
    )  # each later than the one before


@pytest.mark.parametrize("as_of", [0, -1, "10" * 20, "yesterday", "2999-01-01T00:00:00Z", 10**30, "٣"])
def test_moments_that_are_none_are_refused(world: World, as_of: Any) -> None:
    assert world.own.post("versions", {"as_of": as_of}).status_code == 400


def test_what_changes_in_place_is_told_of_the_past_to_who_may_know_it_now(world: World) -> None:
    before = world.root.rows("journal", "select max(position)")[0]["max_position"]
    world.client.command("update_algorithm", algorithm=world.subject, summary="another")
    query = f'select summary where algorithm = "{world.subject}"'
    assert world.own.rows("algorithms", query) == [{"summary": "another"}]
    assert world.own.rows("algorithms", query, as_of=before) == [{"summary": ""}]
    for query in (f'algorithm = "{world.hidden}"', f'algorithm = "{world.hidden}" and summary = ""'):
        assert world.stranger.rows("algorithms", query, as_of=before) == []


@pytest.mark.clause("ALG-25")
def test_what_was_private_then_is_not_told_to_strangers_because_it_is_public_now(world: World) -> None:
    def last() -> int:
        found: int = world.root.rows("journal", "select max(position)")[0]["max_position"]
        return found

    product, api = f"{world.name}/secret", f"{world.name}/plan"
    world.client.command("create_product", product=product, summary="we buy them out")
    world.client.command("create_api", api=api)
    world.client.command("create_api_version", api=api, api_version="v1", release="1.0.0")
    private = last()
    world.client.command("update_product", product=product, summary="a shop", public=True)
    world.client.command("update_api", api=api, public=True)
    public = last()
    world.client.command("update_product", product=product, summary="another shop")
    for entity, query, field in (
        ("products", f'product = "{product}"', "summary"), ("apis", f'api = "{api}"', "state"),
    ):  # fmt: skip
        asked = f"select {field} where {query}"
        assert len(world.stranger.rows(entity, asked)) == 1
        assert world.stranger.rows(entity, asked, as_of=private) == []
        assert world.stranger.rows(entity, asked, as_of=public) == world.own.rows(entity, asked, as_of=public) != []
        assert (
            len(world.own.rows(entity, asked, as_of=private)) == len(world.root.rows(entity, asked, as_of=private)) == 1
        )
    assert world.stranger.rows("products", 'summary ~ "buy"', as_of=private) == []
    query = f'algorithm = "{world.subject}"'
    published = world.root.rows(
        "journal", f'select min(position) where command = "publish_version" and subject = "{world.subject}"'
    )
    first = published[0]["min_position"]
    assert world.stranger.rows("algorithms", query, as_of=first - 1) == []
    assert len(world.stranger.rows("algorithms", query, as_of=first)) == 1
    assert len(world.own.rows("algorithms", query, as_of=first - 1)) == 1


def test_questions_that_do_not_fit_are_refused(world: World) -> None:
    documents: list[Any] = [
        {"qery": None}, {"query": 1}, {"query": {}}, {"limit": 0}, {"limit": 1001}, {"limit": "1"}, {"offset": -1},
        {"offset": 10**9}, {"include_total": 1}, {"order_by": {}}, {"order_by": [[]]}, {"order_by": ["nothing"]}, 1, True,
    ]  # fmt: skip
    for document in documents:
        assert world.own.post("versions", document).status_code == 400, document
    assert world.own.get("versions", query="", include_total="maybe").status_code == 400
    assert world.own.get("versions", query="", order_by="[").status_code == 400
    assert world.own.post("versions", "x" * 200_000).status_code == 413
    deep = b"[" * 10_000 + b"]" * 10_000
    for content in (deep, b"\xff", b'"\\ud800"', b'["=", "owner", "\\u0000"]'):
        reply = httpx2.post(f"{world.server.address}/api/v1/query/versions", content=content,
                            headers={"Authorization": world.server.owner_key})  # fmt: skip
        assert reply.status_code == 400
    nested = '["and", ' * 10_000 + '["=", "owner", "a"]' + "]" * 10_000
    assert world.own.get("clauses", query=nested[:20_000]).status_code in (400, 414, 431)
    reply = world.own.post("versins", None)
    assert reply.status_code == 404


def test_the_document_of_the_api_describes_both_questions_of_an_address(world: World) -> None:
    document = httpx2.get(f"{world.server.address}/api/v1/openapi.json").json()
    parameters = {one["name"]: one for one in document["paths"]["/api/v1/query/versions"]["get"]["parameters"]}
    assert {"query", "cursor", "as_of", "algorithm"} <= set(parameters)
    assert set(parameters["query"]["x-operators"]) <= {*OPERATORS, "and", "or", "not"}
    assert not parameters["algorithm"]["required"]


def test_one_value_in_which_a_pattern_has_too_many_states_ends_the_query_only(world: World, tmp_path: Path) -> None:
    """Which of the last 765 characters were an a: there is a state for nearly each place of the text."""
    name, client = world.server.account("bea")
    subject, commit = world.server.build(tmp_path, name, client)
    notes = "".join(random.Random(7).choices("ab", k=20_000))
    client.publish(subject, commit, bump="minor", visibility="public", notes=notes)
    mine = f'algorithm = "{subject}"'
    hard = f'{mine} and notes ~ "a[ab]{{255}}[ab]{{255}}[ab]{{255}}c"'
    for accept in ("application/json", "application/x-ndjson"):
        reply = world.own.post("versions", {"query": hard}, accept)
        assert 400 <= reply.status_code < 500 or reply.status_code == 503, reply.text
        assert reply.headers["content-type"].startswith("application/problem+json")
        assert [row["version"] for row in world.own.rows("versions", mine)] == ["0.1.0"]
    assert len(world.own.rows("versions", f'{mine} and notes ~ "a[ab]{{3}}b"')) == 1


def test_entries_of_the_journal_are_documents_which_no_pattern_is_looked_for_in(world: World) -> None:
    for query in ('entry ~ "x"', 'entry = "x"', 'entry starts-with "x"', 'not entry ~ "x"'):
        reply = world.root.post("journal", query)
        assert reply.status_code == 400, query
        assert reply.json()["detail"]
    (row,) = world.root.rows("journal", "select position, entry where position = 1")
    assert json.loads(row["entry"])["position"] == row["position"]


def test_a_version_of_an_api_that_was_dropped_is_dropped(world: World) -> None:
    api = f"{world.name}/{world.server.new_name('shop')}"
    world.client.command("create_api", api=api, public=True)
    for number in (1, 2):
        world.client.command("create_api_version", api=api, api_version=f"v{number}", release=f"1.{number}.0")
        if number == 1:
            world.client.command("drop_api", api=api, api_version="v1", release="1.1.0")
    for asking in (world.own, world.stranger):
        states = asking.rows("apis", f'select version, state where api = "{api}"')
        assert [(row["version"], row["state"]) for row in states] == [(1, "dropped"), (2, "experimental")]
        dropped = asking.rows("apis", f'api = "{api}" and state = "dropped"')
        assert [row["version"] for row in dropped] == [1]
        assert asking.rows("apis", f'api = "{api}" and version = 1 and state = "experimental"') == []


_NAMES = sorted({name for shape in SHAPES.values() for name in shape.fields})
_WORDS = st.sampled_from([*OPERATORS, "and", "or", "not", "extract", "array", "function", "group_by", "select_versions", "select_journal", *FUNCTIONS, *_NAMES])  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | _WORDS | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(_WORDS, st.sampled_from(_NAMES), inner).map(list),
    max_leaves=10,
)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_question_makes_the_server_fail(world: World, data: st.DataObject) -> None:
    entity = data.draw(st.sampled_from(sorted(ENTITIES)))
    members = {
        "query": _JSON, "order_by": _JSON, "limit": st.integers(-1, 3), "offset": st.integers(-1, 2**40),
        "as_of": st.integers() | st.text(max_size=30) | st.datetimes().map(str), "include_total": st.booleans(),
        "cursor": st.text(max_size=20),
    }  # fmt: skip
    optional = data.draw(st.fixed_dictionaries({}, optional=members))
    try:
        content = msgspec.json.encode(optional)
    except (ValueError, msgspec.MsgspecError, UnicodeEncodeError):
        return
    accept = data.draw(
        st.sampled_from(["application/json", "application/x-ndjson", "application/x-msgpack", "*/*", ""])
    )
    reply = httpx2.post(f"{world.server.address}/api/v1/query/{entity}", content=content, timeout=120,
                        headers={"Authorization": world.server.owner_key, "Accept": accept})  # fmt: skip
    assert reply.status_code < 500, (entity, content, reply.text)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_comparison_makes_the_server_fail(world: World, data: st.DataObject) -> None:
    """Fields with every operator and all sorts of values, most of which are read and looked for."""
    shape = SHAPES[data.draw(st.sampled_from(sorted(ENTITIES)))]
    name = data.draw(st.sampled_from(sorted(shape.fields)))
    kind = shape.fields[name].kind
    operator = data.draw(st.sampled_from([row.name for row in OPERATORS.values() if kind in row.kinds]))
    value = data.draw(
        st.sampled_from(
            [
                0,
                -1,
                2**63 - 1,
                -(2**63) + 1,
                0.5,
                1e308,
                -1e308,
                "1.0.0",
                "2147483647.0.0",
                "1",
                "0001-01-01",
                "9999-12-31T23:59:59Z",
                "2026-01-01",
                True,
                False,
                ["array", []],
                ["array", ["a", "1.0.0"]],
                ["array", [0]],
            ]
        )
        | st.text(max_size=20)
    )
    document = {
        "query": data.draw(st.sampled_from([[operator, name, value], ["not", [operator, name, value]]])),
        "limit": 2,
    }
    reply = world.root.post(shape.name, document)
    assert reply.status_code < 500, (document, reply.text)
