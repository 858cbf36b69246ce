"""Operations on products and their releases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.doors.native.operations import Asked, Operation
from troth.doors.native.release_files import ReleaseFiles
from troth.errors import Malformed, MalformedNumber, NotFound, TooLarge
from troth.queries import products as queries
from troth.registry.database import Database


class _Product(msgspec.Struct):
    product: str


class _Release(msgspec.Struct):
    product: str
    number: str


class _Log(msgspec.Struct):
    product: str
    number: str = ""


class _File(msgspec.Struct):
    product: str
    number: str
    name: str


class ProductApi:
    """Handlers of the rows below."""

    def __init__(self, database: Database, files: ReleaseFiles) -> None:
        self._database = database
        self._files = files

    def operations(self) -> list[Operation]:
        """The rows."""
        hidden = (NotFound, MalformedNumber)
        return [
            Operation("GET", "/api/v1/query/products", "query_products", "The products that the caller may know of.",
                      self._query(lambda c, who, q: queries.listed(c, who))),
            Operation("GET", "/api/v1/query/product", "query_product", "One product, and what is planned of it.",
                      self._query(lambda c, who, q: queries.one(c, who, q.product)), query=_Product, errors=(NotFound,)),
            Operation("GET", "/api/v1/query/releases", "query_releases", "The releases of a product, the highest first.",
                      self._query(lambda c, who, q: queries.releases(c, who, q.product)), query=_Product, errors=(NotFound,)),
            Operation("GET", "/api/v1/query/release", "query_release",
                      "A release whole, by its number, or `latest` or `stable`: verdict, evidence, notes, files.",
                      self._query(lambda c, who, q: queries.release(c, who, q.product, q.number)), query=_Release, errors=hidden),
            Operation("GET", "/api/v1/query/changelog", "query_changelog",
                      "The notes of a release, or of all releases where no number is given, as Markdown.",
                      self._query(lambda c, who, q: queries.log(c, who, q.product, q.number)), query=_Log, errors=hidden),
            Operation("PUT", "/api/v1/release-files/{digest}", "upload_release_file",
                      "Uploads a file of a release (documentation as tar.gz, evidence, artifacts) by its SHA-256.",
                      self._upload, body="application/octet-stream", status=201, errors=(Malformed, TooLarge)),
            Operation("GET", "/api/v1/release-files", "read_release_file",
                      "A file of a release: `documentation`, `evidence`, or an artifact by its name.",
                      self._download, query=_File, errors=hidden),
        ]  # fmt: skip

    async def _upload(self, asked: Asked) -> dict[str, Any]:
        blob = await self._files.receive(asked.request, asked.path["digest"], asked.actor.id)
        return {"digest": blob.digest, "bytes": blob.size}

    async def _download(self, asked: Asked) -> Any:
        query: _File = asked.query
        digest = await self._read(
            lambda c: queries.file_digest(c, asked.actor, query.product, query.number, query.name)
        )
        return await self._files.response(digest, query.name)

    def _query(self, ask: Callable[[Connection, Actor, Any], dict[str, Any]]) -> Callable[[Asked], Any]:
        async def answer(asked: Asked) -> dict[str, Any]:
            found: dict[str, Any] = await self._read(lambda c: ask(c, asked.actor, asked.query))
            return found

        return answer

    async def _read(self, ask: Callable[[Connection], Any]) -> Any:
        def read() -> Any:
            with self._database.read() as connection:
                return ask(connection)

        return await asyncio.to_thread(read)
