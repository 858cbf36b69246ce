"""Queries in the language of troth: two operations for each row of the table of entities.

`GET /api/v1/query/ENTITY?query=...` takes either form of the language, `POST` a JSON document with the same members. Some
addresses have an older question of their own, told apart by the parameters that are sent (decision 0146).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import Lock
from typing import Annotated, Any

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from troth.doors.native.operations import Asked, Operation, body_of
from troth.doors.native.parameters import members
from troth.doors.native.stream_places import StreamPlaces
from troth.errors import Forbidden, Malformed, NotFound, Overloaded, TooLarge
from troth.queries.asking import LARGEST_OFFSET, LARGEST_PAGE, USUAL_PAGE, Answer, Question, ask, decoded
from troth.queries.cursors import Cursors
from troth.queries.entities import ENTITIES
from troth.queries.entities.rows import Entity
from troth.queries.language import bounds
from troth.queries.language.fields import OPERATORS
from troth.queries.language.hints import unknown
from troth.registry.database import Database

_QUERIES = "/api/v1/query"
_NDJSON, _MSGPACK = "application/x-ndjson", "application/x-msgpack"
#: seconds that a page may take, and a stream
_PAGE_SECONDS, _STREAM_SECONDS = 20.0, 900.0
#: bytes that are sent at a time, and answers that may be made at once
_TOGETHER, _AT_ONCE = 64 * 1024, 8

_Limit = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)]
_Offset = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_OFFSET)]


class _Parameters(msgspec.Struct):
    query: str = ""
    order_by: str = ""
    limit: _Limit | None = None
    offset: _Offset = 0
    cursor: str = ""
    include_total: str = ""
    as_of: str = ""


class _Body(msgspec.Struct):
    query: list[Any] | str | None = None
    order_by: list[Any] | str | None = None
    limit: _Limit | None = None
    offset: _Offset = 0
    cursor: str = ""
    include_total: bool = False
    as_of: str | int | None = None


class QueryApi:
    """Handlers of the rows below, over the registry."""

    def __init__(self, database: Database, cursors: Cursors) -> None:
        self._database = database
        self._cursors = cursors
        self._threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="queries")
        self._streams = StreamPlaces()

    def over(self, operations: Sequence[Operation]) -> list[Operation]:
        """All operations: the others, and those of queries, which take in the older ones of their addresses."""
        older = {row.path: row for row in operations if row.method == "GET"}
        made: list[Operation] = []
        for entity in ENTITIES.values():
            made += self._operations(entity, older.get(f"{_QUERIES}/{entity.name}"))
        taken = {row.path for row in made}
        return [*(row for row in operations if row.path not in taken or row.method != "GET"), *made]

    def _operations(self, entity: Entity, older: Operation | None) -> list[Operation]:
        path = f"{_QUERIES}/{entity.name}"
        name = entity.name.replace("-", "_")
        described = {"query": {"x-operators": operators_of(entity)}}
        errors = (Malformed, Forbidden, Overloaded)
        return [
            Operation("GET", path, f"ask_{name}", f"{entity.summary} {entity.seen_by}", self._asked(entity),
                      query=_Parameters, errors=errors, need=entity.need, older=older, described=described,
                      strict=True),
            Operation("POST", path, f"ask_{name}_by_body", f"{entity.summary} {entity.seen_by}", self._posted(entity),
                      body="application/json", errors=(*errors, TooLarge), need=entity.need),
        ]  # fmt: skip

    def _asked(self, entity: Entity) -> Callable[[Asked], Any]:
        async def handler(asked: Asked) -> Response:
            sent: _Parameters = asked.query
            order_by = sent.order_by
            question = Question(
                entity.name,
                sent.query,
                decoded(order_by) if order_by.startswith("[") else _ordered(order_by),
                sent.limit,
                sent.offset,
                sent.cursor,
                _true("include_total", sent.include_total),
                sent.as_of,
            )
            return await self._answered(asked, question)

        return handler

    def _posted(self, entity: Entity) -> Callable[[Asked], Any]:
        async def handler(asked: Asked) -> Response:
            document = decoded(await body_of(asked.request, bounds.LONGEST_QUERY) or b"{}")
            if document is None or isinstance(document, list | str):
                document = {"query": document}
            if not isinstance(document, dict):
                raise Malformed("the question is no object", repair="send one with the member query")
            sent = members(_Body, document, strict=True, noun="member")
            order_by = _ordered(sent.order_by) if isinstance(sent.order_by, str) else sent.order_by
            asks = {name: getattr(sent, name) for name in ("limit", "offset", "cursor", "include_total", "as_of")}
            return await self._answered(asked, Question(entity.name, sent.query, order_by, **asks))

        return handler

    async def _answered(self, asked: Asked, question: Question) -> Response:
        kind = _preferred(asked.request.headers.get("accept", ""))
        if kind == _NDJSON:
            return await self._streamed(asked, question)
        question = replace(question, limit=question.limit or USUAL_PAGE)
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(self._threads, self._page, asked, question, kind)
        return Response(content, media_type=kind, headers={"vary": "Accept"})

    def _page(self, asked: Asked, question: Question, kind: str) -> bytes:
        with self._database.read() as connection:
            answer = ask(connection, asked.actor, question, self._cursors, seconds=_PAGE_SECONDS)
            rows = list(answer.rows)
        found: dict[str, Any] = {"rows": rows, "next": answer.next}
        if answer.total is not None:
            found["total"] = answer.total
        if answer.as_of is not None:
            found["as_of"] = answer.as_of
        content = msgspec.json.encode(found)
        return content if kind == "application/json" else msgspec.msgpack.encode(msgspec.json.decode(content))

    async def _streamed(self, asked: Asked, question: Question) -> Response:
        """Rows as they are found; a connection to the registry is held until the last one is sent, or nobody reads."""
        self._streams.take(asked.actor.id)
        loop = asyncio.get_running_loop()
        pieces = _Pieces(self._database, asked, question, self._cursors)
        late = loop.call_later(_STREAM_SECONDS, lambda: loop.run_in_executor(self._threads, pieces.give_up))

        def end() -> None:
            late.cancel()
            self._streams.leave(asked.actor.id)
            loop.run_in_executor(self._threads, pieces.end)

        try:
            answer = await loop.run_in_executor(self._threads, pieces.begin)
        except BaseException:
            end()
            raise

        async def body() -> AsyncIterator[bytes]:
            while piece := await loop.run_in_executor(self._threads, pieces.next):
                yield piece

        return _Stream(body(), end, media_type=_NDJSON, headers=_headers(answer))


class _Stream(StreamingResponse):
    """A response that ends what it stands for, also where nobody reads it."""

    def __init__(self, content: AsyncIterator[bytes], end: Callable[[], None], **how: Any) -> None:
        super().__init__(content, **how)
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()


def _headers(answer: Answer) -> dict[str, str]:
    """What a page of lines has no place for."""
    told = {"troth-next": answer.next, "troth-total": answer.total, "troth-as-of": answer.as_of}
    return {"vary": "Accept", **{name: str(value) for name, value in told.items() if value is not None}}


class _Pieces:
    """The lines of one stream, some at a time. Threads take turns with it."""

    def __init__(self, database: Database, asked: Asked, question: Question, cursors: Cursors) -> None:
        self._opened = ExitStack()
        self._lock = Lock()
        self._database = database
        self._asked = asked
        self._question = question
        self._cursors = cursors
        self._rows: Iterator[dict[str, Any]] = iter(())
        self._first: bytes | None = None
        self._late = False

    def begin(self) -> Answer:
        """Finds the first rows, so that what cannot be answered is told before a reply begins."""
        with self._lock:
            connection = self._opened.enter_context(self._database.read())
            answer = ask(connection, self._asked.actor, self._question, self._cursors, seconds=_STREAM_SECONDS)
            self._rows = answer.rows
            self._first = self._lines()
            return answer

    def next(self) -> bytes:
        """The next lines; nothing behind the last one. Raises Overloaded where the time is over."""
        with self._lock:
            if self._late:
                raise Overloaded("the stream takes too long", why=f"it ends after {_STREAM_SECONDS:g} seconds")
            first, self._first = self._first, None
            return self._lines() if first is None else first

    def give_up(self) -> None:
        """Lets go of the registry though the reader is not done, who is cut off."""
        self._late = True
        self.end()

    def end(self) -> None:
        """Lets go of the registry."""
        with self._lock:
            rows, self._rows = self._rows, iter(())
            if isinstance(rows, Generator):
                rows.close()
            self._opened.close()

    def _lines(self) -> bytes:
        lines, size = [], 0
        for row in self._rows:
            line = msgspec.json.encode(row)
            lines.append(line)
            size += len(line) + 1
            if size >= _TOGETHER:
                break
        return b"\n".join([*lines, b""]) if lines else b""


def no_entity(path: str) -> NotFound | None:
    """What to answer at an address of queries that no entity has; None for other addresses."""
    before, _, name = path.rpartition("/")
    if before != _QUERIES or name in ENTITIES:
        return None
    said = unknown("the entity", name, ENTITIES)
    return NotFound(said.what, why=said.why, repair=said.repair, asked=name[:200])


def operators_of(entity: Entity) -> dict[str, str]:
    """The operators that an entity's fields have, each with what it says: `x-operators` of its `query` (PDB-16, PDB-25)."""
    kinds = {one.field.kind for one in entity.columns}
    found = {row.name: row.means for row in OPERATORS.values() if row.kinds & kinds}
    return {**found, "and": "All of these hold.", "or": "One of these holds.", "not": "This does not hold."}


def _ordered(written: str | None) -> list[Any] | None:
    """`version desc, name` as the list that it stands for."""
    if not written or not written.strip():
        return None
    found: list[Any] = []
    for one in written.split(","):
        words = one.split()
        found.append(words if len(words) == 2 else one.strip())
    return found


def _true(name: str, written: str) -> bool:
    if written.lower() in ("", "false", "true"):
        return written.lower() == "true"
    raise Malformed(f"{name} cannot be {written[:40]!r}", repair="send true or false")


def _preferred(accept: str) -> str:
    """What of JSON, NDJSON and MessagePack the header names first; JSON where it names none."""
    for part in accept.lower().split(","):
        kind = part.partition(";")[0].strip()
        if kind in (_NDJSON, "application/ndjson"):
            return _NDJSON
        if kind in (_MSGPACK, "application/msgpack", "application/vnd.msgpack"):
            return _MSGPACK
        if kind == "application/json":
            return kind
    return "application/json"
