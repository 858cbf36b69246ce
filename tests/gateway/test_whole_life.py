"""An API's whole life over the releases 5.1.0 to 8.0.0: by commands, through the gateway, and in an application with the middleware."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastapi
import httpx2
import pytest

from tests.gateway.upstream import Upstream, running_upstream
from tests.server import RunningServer
from troth.doors.cli.main import execute
from troth.sdk import Client
from troth.sdk.lifecycles import ApiStates, asgi

OPERATIONS = ["/nodes", "/nodes/7", "/nodes/7/facts?limit=3"]
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "nodes", "version": "1"},
    "paths": {
        "/nodes": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/nodes/{id}": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/nodes/{id}/facts": {
            "get": {
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "ok"}},
            }
        },
    },
}
#: (release, moves in it, what versions are in behind it)
LIFE: list[tuple[str, list[tuple[str, str]], dict[str, str]]] = [
    ("5.1.0", [("add", "v4")], {"v4": "experimental"}),
    ("5.2.0", [("graduate", "v4")], {"v4": "current"}),
    ("6.0.0", [], {"v4": "current"}),
    ("6.3.0", [("add", "v5")], {"v4": "current", "v5": "experimental"}),
    ("7.0.0", [("graduate", "v5")], {"v4": "deprecated", "v5": "current"}),
    ("7.3.2", [], {"v4": "deprecated", "v5": "current"}),
    ("8.0.0", [("retire", "v4")], {"v4": "retired", "v5": "current"}),
]
STATES = {
    "experimental": {"troth-api-state": "experimental"},
    "current": {},
    "deprecated": {"troth-api-state": "deprecated", "troth-retires-in": "8.0.0"},
    "retired": {"troth-api-state": "retired"},
}


APP = fastapi.FastAPI()


@APP.get("/{version}/{rest:path}")
def answer(version: str, rest: str) -> dict[str, str]:
    """What the application answers, whatever version is asked for."""
    return {"version": version, "rest": rest}


@dataclass
class Life:
    """One API, everywhere that it answers."""

    server: RunningServer
    client: Client
    caller: tuple[str, str]
    api: str
    upstream: Upstream
    states: ApiStates
    key: Path
    contract: Path
    http: httpx2.Client

    def troth(self, *tokens: str) -> int:
        return execute([*tokens, "--server", self.server.address, "--key-file", str(self.key)])

    def through_the_gateway(self, method: str, path: str) -> httpx2.Response:
        headers = {"Troth-Key": self.caller[1]}
        address = f"{self.server.address}/gateway/{self.api}{path}"
        return self.http.request(method, address, headers=headers)

    def in_the_application(self, method: str, path: str) -> httpx2.Response:
        async def asked() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=asgi.LifeCycle(APP, self.states))
            async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
                return await client.request(method, path)

        return asyncio.run(asked())


@pytest.fixture
def life(gateway_server: RunningServer, tmp_path: Path) -> Iterator[Life]:
    owner, client = gateway_server.account("ada")
    name, other = gateway_server.account("bob")
    api = f"{owner}/{gateway_server.new_name('nodes')}"
    key, contract = tmp_path / "key", tmp_path / "openapi.json"
    key.write_text(client.key)
    contract.write_text(json.dumps(CONTRACT))
    with running_upstream() as upstream, httpx2.Client(trust_env=False, timeout=30) as http:
        states = ApiStates(api, gateway_server.address, cache=tmp_path / "states.json")
        found = Life(gateway_server, client, (name, other.key), api, upstream, states, key, contract, http)
        assert found.troth("api", "create", api, "--public") == 0
        assert found.troth("api", "upstream", api, upstream.address) == 0
        yield found
        states.close()


@pytest.mark.clause("PDB-26")
@pytest.mark.clause("PDB-34")
@pytest.mark.clause("PDB-38")
def test_every_door_says_at_every_release_what_the_policy_says(life: Life) -> None:
    for release, moves, states in LIFE:
        for move, version in moves:
            more = ["--contract", str(life.contract)] if move == "add" else []
            assert life.troth("api", move, life.api, version, "--release", release, *more) == 0
        assert life.states.refresh()
        table = life.client.api_states(life.api)["versions"]
        assert {f"v{one['number']}": one["state"] for one in table} == states
        for version, state in states.items():
            _look(life, version, state)
    _callers(life)


def _look(life: Life, version: str, state: str) -> None:
    """Every operation of a version, through every door."""
    for path in [*OPERATIONS, "/", "", "/never/was"]:
        for ask in (life.through_the_gateway, life.in_the_application):
            reply = ask("GET", f"/{version}{path}")
            said = {
                name: reply.headers[name] for name in ("troth-api-state", "troth-retires-in") if name in reply.headers
            }
            assert said == STATES[state], (version, path)
            assert (reply.status_code == 410) == (state == "retired")
            assert ("deprecation" in reply.headers) == (state == "deprecated")
            if state in ("deprecated", "retired"):
                assert '/v5>; rel="successor-version"' in reply.headers["link"]
            if state == "retired":
                assert reply.json()["clauses"] == ["PDB-38"]
            elif path in OPERATIONS:
                assert reply.status_code == 200


def _callers(life: Life) -> None:
    """Who used which version is known by operation and parameter, with names for the owner and numbers for others."""
    rows = life.client.api_callers(life.api)["rows"]
    bob = [row for row in rows if row["caller"] == life.caller[0]]
    assert {row["operation"] for row in bob if row["version"] == "v4"} == {
        "GET /nodes", "GET /nodes/{id}", "GET /nodes/{id}/facts", "*",
    }  # fmt: skip
    limits = [row for row in bob if row["parameter"] == "limit"]
    assert {row["version"] for row in limits} == {"v4", "v5"}
    with life.server.client() as anybody:
        assert all("caller" not in row for row in anybody.api_callers(life.api)["rows"])


def test_what_comes_too_early_or_in_the_wrong_release_is_refused_and_changes_nothing(life: Life) -> None:
    assert life.troth("api", "add", life.api, "v4", "--release", "5.1.1") == 3  # PDB-23
    assert life.troth("api", "add", life.api, "v4", "--release", "5.1.0") == 0
    assert life.troth("api", "retire", life.api, "v4", "--release", "6.0.0") == 3  # PDB-36
    assert life.troth("api", "graduate", life.api, "v4", "--release", "5.2.0") == 0
    assert life.troth("api", "add", life.api, "v5", "--release", "6.1.0") == 0
    assert life.troth("api", "graduate", life.api, "v5", "--release", "6.2.0") == 0
    assert life.troth("api", "retire", life.api, "v4", "--release", "6.3.0") == 3  # PDB-37
    reply: Any = life.through_the_gateway("GET", "/v4/nodes")
    assert (reply.status_code, reply.headers["troth-retires-in"]) == (200, "7.0.0")
