"""Questions about waivers, the public half of the key that signs them, and examples on the installed worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.doors.native.operations import Asked, Operation
from troth.errors import Forbidden, MalformedReference, NotFound
from troth.queries import waivers as waiver_queries
from troth.registry.database import Database
from troth.runtime.worker import WORKER_VERSION
from troth.signing import SigningKey


class _Algorithm(msgspec.Struct):
    algorithm: str


class _Product(msgspec.Struct):
    product: str


class _Api(msgspec.Struct):
    api: str


class WaiverApi:
    """Handlers over the registry and the signing key."""

    def __init__(self, database: Database, key: SigningKey) -> None:
        self._database = database
        self._key = key

    def operations(self) -> list[Operation]:
        """The rows."""
        return [
            Operation("GET", "/api/v1/query/waivers", "query_waivers", "The waivers of an algorithm, the newest first.",
                      self._of_algorithm, query=_Algorithm, errors=(MalformedReference, NotFound)),
            Operation("GET", "/api/v1/query/release-waivers", "query_release_waivers",
                      "The waivers of a product's releases, the newest first.",
                      self._of_product, query=_Product, errors=(NotFound,)),
            Operation("GET", "/api/v1/query/api-waivers", "query_api_waivers",
                      "The waivers of an API's changes, the newest first.",
                      self._of_api, query=_Api, errors=(NotFound,)),
            Operation("GET", "/api/v1/waivers/{waiver}", "read_waiver", "One waiver, and what became of it.",
                      self._one, errors=(NotFound,)),
            Operation("GET", "/api/v1/signing-key", "read_signing_key", "The public key that waivers are checked with.",
                      self._signing_key),
            Operation("GET", "/api/v1/query/replays", "query_replays",
                      "How versions answered their examples on the installed worker, for administrators.",
                      self._replays, errors=(Forbidden,)),
        ]  # fmt: skip

    async def _of_algorithm(self, asked: Asked) -> dict[str, Any]:
        return await self._read(asked, lambda c, who: waiver_queries.of_algorithm(c, who, asked.query.algorithm))

    async def _of_product(self, asked: Asked) -> dict[str, Any]:
        return await self._read(asked, lambda c, who: waiver_queries.of_product(c, who, asked.query.product))

    async def _of_api(self, asked: Asked) -> dict[str, Any]:
        return await self._read(asked, lambda c, who: waiver_queries.of_api(c, who, asked.query.api))

    async def _one(self, asked: Asked) -> dict[str, Any]:
        return await self._read(asked, lambda c, who: waiver_queries.one(c, who, asked.path["waiver"]))

    async def _signing_key(self, asked: Asked) -> dict[str, Any]:
        return {"algorithm": "Ed25519", "key": self._key.identity, "public_key": self._key.public}

    async def _replays(self, asked: Asked) -> dict[str, Any]:
        return await self._read(asked, lambda c, who: waiver_queries.worker(c, who, WORKER_VERSION))

    async def _read(self, asked: Asked, ask: Callable[[Connection, Actor], dict[str, Any]]) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            with self._database.read() as connection:
                return ask(connection, asked.actor)

        return await asyncio.to_thread(answer)
