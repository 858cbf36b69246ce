"""Operations on APIs and their states, and on the policy in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.doors.native.operations import Asked, Operation
from troth.errors import MalformedNumber, NotFound
from troth.queries import apis as queries
from troth.registry.database import Database
from troth.versions.policy_document import policy_page


class ApisApi:
    """Handlers of the rows below. What is public is told to everybody, without a key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operations(self) -> list[Operation]:
        """The rows."""
        return [
            Operation("GET", "/api/v1/apis", "query_apis", "The APIs that the caller may know of, with their versions.",
                      self._query(lambda c, who, p: queries.listed(c, who)), public=True),
            Operation("GET", "/api/v1/apis/{owner}/{api}", "query_api",
                      "An API whole: versions, states, the moves that led there with their verdicts, and decisions.",
                      self._query(lambda c, who, p: queries.one(c, who, _subject(p))), errors=(NotFound,), public=True),
            Operation("GET", "/api/v1/apis/{owner}/{api}/states", "read_api_states",
                      "The table of states of an API, as the gateway and middleware go by it.",
                      self._query(lambda c, who, p: queries.states(c, who, _subject(p))), errors=(NotFound,), public=True),
            Operation("GET", "/api/v1/apis/{owner}/{api}/versions/{version}/openapi.json", "read_api_contract",
                      "The OpenAPI document of a version of an API.",
                      self._query(lambda c, who, p: queries.contract(c, who, _subject(p), p["version"])),
                      errors=(NotFound, MalformedNumber), public=True),
            Operation("GET", "/api/v1/policy", "read_policy",
                      "The policy in force: clauses, readings, rules, starting points, and what was decided beside it.",
                      self._query(lambda c, who, p: queries.policy(c, who)), public=True, page=policy_page),
        ]  # fmt: skip

    def _query(self, ask: Callable[[Connection, Actor, dict[str, str]], dict[str, Any]]) -> Callable[[Asked], Any]:
        async def answer(asked: Asked) -> dict[str, Any]:
            return await asyncio.to_thread(self._reading, ask, asked)

        return answer

    def _reading(
        self, ask: Callable[[Connection, Actor, dict[str, str]], dict[str, Any]], asked: Asked
    ) -> dict[str, Any]:
        with self._database.read() as connection:
            return ask(connection, asked.actor, asked.path)


def _subject(path: dict[str, str]) -> str:
    return f"{path['owner']}/{path['api']}"
