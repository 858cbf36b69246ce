"""Who still uses a version: what is counted of requests through the gateway, and who is told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.gateway.conftest import Served
from troth.calls.api_uses import ApiUses
from troth.calls.operations import Operations, operations_of
from troth.errors import Forbidden, Malformed, MalformedNumber, NotFound
from troth.registry.api_callers import Wanted, add_callers, callers_of

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/items": {
            "parameters": [{"name": "lang", "in": "query", "schema": {"type": "string"}}],
            "get": {
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/items/{id}": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/items/newest": {"get": {"responses": {"200": {"description": "ok"}}}},
    },
}


def rows(client: Any, api: str, **question: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client._get(f"/api/v1/apis/{api}/callers", **question)["rows"]
    return found


def test_callers_are_counted_by_version_endpoint_and_parameter_with_names_for_the_owner(served: Served) -> None:
    eve, stranger = served.server.account("eve")
    before = datetime.now(UTC).date().isoformat()
    for path in ("/v4/items/17?limit=3&lang=de", "/v4/items/18?limit=4", "/v3/items/9"):
        served.ask("GET", path, key=stranger.key)
    mine = [row for row in rows(served.client, served.api) if row["caller"] == eve]
    assert {row["day"] for row in mine} <= {before, datetime.now(UTC).date().isoformat()}
    counted = {(row["version"], row["operation"], row["parameter"]): row["calls"] for row in mine}
    assert counted == {
        ("v3", "GET /items/{}", None): 1,
        ("v4", "GET /items/{}", None): 2,
        ("v4", "GET /items/{}", "limit"): 2,
        ("v4", "GET /items/{}", "lang"): 1,
    }
    only = rows(served.client, served.api, version="v3")
    assert {row["version"] for row in only} == {"v3"}
    for client in (stranger, served.server.client()):
        told = rows(client, served.api)
        assert all("caller" not in row and row["callers"] >= 1 for row in told)
        assert eve not in json.dumps(told)
    assert any(row.get("caller") == eve for row in rows(served.server.owner, served.api))


def test_only_a_new_document_is_read_anew(served: Served) -> None:
    api = f"{served.owner}/described"
    served.client.command("create_api", api=api)
    for name in ("v1", "v2"):
        served.client.command("create_api_version", api=api, api_version=name, release="1.0.0", contract=DOCUMENT)
        served.client.command("decide_api", api=api, about="v2 beside v1", allowed=True, reason="it is a test")
    apis = served.server.server.gateway.apis

    def known() -> list[Operations]:
        return [operations for _, operations in sorted(apis.served[api].operations.items())]

    before = known()
    assert before[0].of("GET", "/items/17", b"")[0] == "GET /items/{id}"
    served.client.command("set_upstream", api=api, url="http://127.0.0.1:9")
    assert apis.served[api].upstream(1)
    assert known() == before
    with served.server.server.database.read() as connection:
        apis.load(connection)
    assert known() == before
    more = {**DOCUMENT, "paths": {**DOCUMENT["paths"], "/orders": DOCUMENT["paths"]["/items/{id}"]}}
    served.client.command("change_api", api=api, api_version="v1", release="1.1.0", contract=more)
    assert known()[0].of("GET", "/orders", b"")[0] == "GET /orders"
    assert known()[1] is before[1]


def test_what_is_asked_of_callers_has_its_form(served: Served) -> None:
    assert rows(served.client, served.api, **{"from": "2020-01-01", "to": "2020-02-01"}) == []
    for question in ({"from": "yesterday"}, {"limit": 0}):
        with pytest.raises(Malformed):
            rows(served.client, served.api, **question)
    with pytest.raises(MalformedNumber):
        rows(served.client, served.api, version="4")
    with pytest.raises(NotFound):
        rows(served.client, f"{served.owner}/nothing")


def test_operations_are_those_of_the_document() -> None:
    for paths in (DOCUMENT["paths"], {f"/v4{path}": item for path, item in DOCUMENT["paths"].items()}):
        known = operations_of(json.dumps({**DOCUMENT, "paths": paths}), "v4")
        assert known.of("GET", "/items", b"limit=1&lang=x&evil=1") == ("GET /items", ("limit", "lang"))
        assert known.of("GET", "/items/newest", b"") == ("GET /items/newest", ())
        assert known.of("GET", "/items/17", b"limit=1") == ("GET /items/{id}", ())
        assert known.of("GET", "/elsewhere", b"a=1") == ("*", ())


@pytest.mark.parametrize("document", [None, "", "{", "[]", "{}", '{"paths": []}', '{"paths": {"/a": 1}}', "[" * 99999])
def test_without_a_document_ids_are_not_told_apart(document: str | None) -> None:
    known = operations_of(document, "v4")
    found = known.of("GET", "/people/Ada_L/0f8b/3", b"page=1&%61b=2&x%0Ay=1&=3&<script>=1")
    assert found == ("GET /people/Ada_L/{}/{}", ("page", "ab"))
    assert known.of("GET", "/a/b/c/d/e/f/g/h/i", b"")[0] == "GET *"


def test_too_many_are_counted_together_and_none_is_lost() -> None:
    uses = ApiUses()
    for number in range(30_000):
        uses.add("ada/shop", 4, f"GET /{number}", ("p",), f"caller{number}")
    uses.settle(0)
    found = uses.take()
    assert len(found) <= 20_000
    assert sum(calls for series, calls in found.items() if not series[4]) == 30_000
    uses.give_back(found)
    assert uses.take() == found


def test_counts_of_two_servers_add_up(served: Served) -> None:
    series = (20_000, "ada/somewhere", 4, "GET /items", "", "bob")
    for _ in range(2):
        served.server.server.database.write_now(lambda connection: add_callers(connection, {series: 3}))
    with served.server.server.database.read() as connection:
        (row,) = callers_of(connection, Wanted("ada/somewhere", 20_000, 20_000), named=True, most=10)
    assert (row.caller, row.calls) == ("bob", 6)


def test_a_path_of_many_variables_is_found_at_once() -> None:
    templates: dict[str, Any] = {
        "/" + "/".join("{a}" if number >> bit & 1 else "a" for bit in range(9)): {"get": {}} for number in range(512)
    }
    known = operations_of(json.dumps({"paths": templates}), "v4")
    assert known.of("GET", "/a" * 8 + "/b", b"") != ("*", ())
    assert known.of("GET", "/a" * 9 + "/b", b"") == ("*", ())
    assert Operations({}).of("GET", "/a", b"") == ("*", ())


def test_only_an_account_itself_reads_its_alerts(served: Served) -> None:
    _, stranger = served.server.account("eve")
    with pytest.raises(Forbidden):
        stranger._get("/api/v1/alerts", account=served.owner)
