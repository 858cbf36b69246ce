"""The operations of `/api/v1`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.builds.trees import Trees
from troth.calls.receipts import may_read
from troth.calls.records import Records
from troth.clock import now, stamp
from troth.doors.native.operations import Asked, Operation
from troth.errors import (
    Forbidden,
    Malformed,
    MalformedReference,
    MalformedSource,
    NotFound,
    TooLarge,
    TrothError,
)
from troth.queries import algorithms as algorithm_queries
from troth.queries import lines as line_queries
from troth.queries import operations as operation_queries
from troth.registry.call_records import find_record
from troth.registry.database import Database
from troth.versions.clauses import policy
from troth.versions.history import Readings
from troth.versions.manifest import LARGEST_SOURCE, MOST_FILES

#: A tar adds at most a block and a half to each file, and long names more.
_LARGEST_UPLOAD = LARGEST_SOURCE + MOST_FILES * 2048


_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class _Algorithm(msgspec.Struct):
    algorithm: str


class _Reference(msgspec.Struct):
    reference: str


class _Page(msgspec.Struct):
    after: _Whole = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=operation_queries.LARGEST_PAGE)] = operation_queries.LARGEST_PAGE


class NativeApi:
    """Handlers of the rows below, over the parts that they need."""

    def __init__(
        self,
        database: Database,
        trees: Trees,
        records: Records,
        uploads: Path,
        readings: Readings,
    ) -> None:
        self._database = database
        self._trees = trees
        self._records = records
        self._uploads = uploads
        self._readings = readings
        uploads.mkdir(parents=True, exist_ok=True)

    def operations(self) -> list[Operation]:
        """The table of `/api/v1`."""
        hidden: tuple[type[TrothError], ...] = (MalformedReference, NotFound)
        return [
            Operation("PUT", "/api/v1/sources/{digest}", "upload_source", "Uploads a source as a tar, by the digest of its manifest.",
                      self._upload, body="application/x-tar", status=201, errors=(MalformedSource, TooLarge)),
            Operation("GET", "/api/v1/resolve", "resolve_reference", "What a reference means to the caller, and why.",
                      self._resolve, query=_Reference, errors=hidden),
            Operation("GET", "/api/v1/query/versions", "query_versions", "The versions of an algorithm, highest first.",
                      self._query(lambda c, who, q: algorithm_queries.versions(c, who, q.algorithm)), query=_Algorithm, errors=hidden),
            Operation("GET", "/api/v1/query/lines", "query_lines",
                      "The public major lines of an algorithm: their states, what was announced, and how much they are called.",
                      self._query(lambda c, who, q: line_queries.of_algorithm(c, who, q.algorithm)), query=_Algorithm, errors=hidden),
            Operation("GET", "/api/v1/query/contract", "query_contract", "What a version promises: schemas, examples, permissions.",
                      self._query(lambda c, who, q: algorithm_queries.contract(c, who, q.reference, self._readings)),
                      query=_Reference, errors=hidden),
            Operation("GET", "/api/v1/query/builds", "query_builds", "The builds of an algorithm, for members of its owner.",
                      self._query(lambda c, who, q: algorithm_queries.builds(c, who, q.algorithm)), query=_Algorithm, errors=hidden),
            Operation("GET", "/api/v1/query/clauses", "query_clauses", "The policy in force.", self._clauses),
            Operation("GET", "/api/v1/query/accounts", "query_accounts", "All accounts, for administrators.",
                      self._query(lambda c, who, q: operation_queries.all_accounts(c, who)), errors=(Forbidden,)),
            Operation("GET", "/api/v1/query/journal", "query_journal", "Journal entries with their exact bytes, for administrators.",
                      self._query(lambda c, who, q: operation_queries.journal_entries(c, who, q.after, q.limit)),
                      query=_Page, errors=(Forbidden,)),
            Operation("GET", "/api/v1/receipts/{request}", "read_receipt", "What ran in one call.", self._receipt, errors=(NotFound,)),
        ]  # fmt: skip

    async def _upload(self, asked: Asked) -> dict[str, Any]:
        digest = asked.path["digest"]
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise Malformed(
                f"{digest[:80]!r} is not a digest",
                why="a source is named by the SHA-256 of its manifest, in 64 hexadecimal digits",
                repair="publish with the troth command, which computes it",
            )
        with tempfile.TemporaryFile(dir=self._uploads) as scratch:
            size = 0
            async for chunk in asked.request.stream():
                size += len(chunk)
                if size > _LARGEST_UPLOAD:
                    raise TooLarge(
                        "the upload is too large",
                        why=f"a source has at most {LARGEST_SOURCE / 1e6:.0f} MB",
                        repair="leave out what the algorithm does not need",
                    )
                scratch.write(chunk)
            scratch.seek(0)
            manifest = await asyncio.to_thread(self._trees.keep_archive, scratch, digest)
        return {"digest": digest, "files": len(manifest.entries), "bytes": manifest.size}

    async def _resolve(self, asked: Asked) -> dict[str, Any]:
        def ask(connection: Connection) -> dict[str, Any]:
            caller = asked.actor
            return algorithm_queries.explained(connection, caller, asked.query.reference, self._readings)

        return await asyncio.to_thread(self._reading, ask)

    async def _clauses(self, asked: Asked) -> dict[str, Any]:
        found = policy()
        return {"revision": found.revision, "clauses": [clause.as_dict() for clause in found.clauses.values()]}

    async def _receipt(self, asked: Asked) -> dict[str, Any]:
        request = asked.path["request"]
        receipt = self._records.find(request, int(now().timestamp()))
        if receipt is None:
            receipt = await asyncio.to_thread(self._recorded, request)
        if receipt is None or not may_read(asked.caller, receipt):
            raise NotFound(
                "there is no such receipt",
                why="receipts are kept for some time, and read by who made the call",
                asked=request[:100],
            )
        return {**receipt, "at": stamp(datetime.fromtimestamp(receipt["at"], UTC))}

    def _recorded(self, request: str) -> dict[str, Any] | None:
        with self._database.read() as connection:
            return find_record(connection, request)

    def _query(self, ask: Callable[[Connection, Actor, Any], dict[str, Any]]) -> Callable[[Asked], Any]:
        async def answer(asked: Asked) -> dict[str, Any]:
            return await asyncio.to_thread(self._reading, lambda c: ask(c, asked.actor, asked.query))

        return answer

    def _reading(self, ask: Callable[[Connection], dict[str, Any]]) -> dict[str, Any]:
        with self._database.read() as connection:
            return ask(connection)
