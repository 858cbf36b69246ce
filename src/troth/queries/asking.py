"""A query from what was sent to its answer, under the rights of who asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, asc, desc, func, literal, or_, select
from sqlalchemy.exc import DataError, DBAPIError

from troth.access.roles import Actor
from troth.clock import now, stamp
from troth.errors import Overloaded
from troth.queries.cursors import Cursors
from troth.queries.entities import ENTITIES, SHAPES
from troth.queries.entities.rows import Entity, Sight
from troth.queries.language import reading, values
from troth.queries.language import text as short_form
from troth.queries.language.hints import unknown, wrong
from troth.queries.language.patterns import matcher
from troth.queries.language.syntax import Query
from troth.queries.selecting import MATCHES, Key, Output, Selecting
from troth.registry.accounts import belonging
from troth.registry.former_rows import Changes, beginnings
from troth.registry.journal_facts import moment_of

LARGEST_PAGE = 1_000
USUAL_PAGE = 100
LARGEST_OFFSET = 10_000_000
#: rows that are read at a time
_TOGETHER = 1_000
#: steps of SQLite's machine between two looks at the clock
_STEPS = 20_000
#: patterns of one query whose automata are kept
_MOST_PATTERNS = 16


@dataclass(frozen=True, slots=True)
class Question:
    """What was sent. `query` is its JSON form or its short form, `as_of` a moment, a position of the journal, or nothing."""

    entity: str
    query: Any = None
    order_by: Any = None
    #: None is every row, where the answer is streamed
    limit: int | None = USUAL_PAGE
    offset: int = 0
    cursor: str = ""
    include_total: bool = False
    as_of: str | int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows one by one, and what is known beforehand. `next` is a cursor, where more rows follow a page."""

    rows: Iterator[dict[str, Any]]
    next: str | None = None
    total: int | None = None
    #: the moment that was asked about
    as_of: str | None = None


def ask(connection: Connection, caller: Actor, question: Question, cursors: Cursors, *, seconds: float) -> Answer:
    """The answer as far as the caller may know it, within so many seconds.

    The connection is used until the last row was taken. Raises Malformed, Forbidden, and Overloaded where it takes longer.
    """
    entity = entity_named(question.entity)
    document = document_of(question.query)
    query = reading.read_query(document, entity.shape, SHAPES)
    order_by = reading.read_order(question.order_by, query) if question.order_by else ()
    moment = _moment(connection, question.as_of)
    owners = (caller.id, *belonging(connection, caller.id))
    sight = Sight(caller, owners)
    if moment is not None:
        sight = Sight(caller, owners, moment, beginnings(connection), Changes(connection, moment))
    postgresql = connection.dialect.name == "postgresql"
    selecting = Selecting(query, sight, postgresql=postgresql)
    asked = [question.entity, document, question.order_by, moment, caller.id]
    with _limited(connection, seconds):
        total = _total(connection, selecting, query) if question.include_total else None
        plan = _Plan(selecting.outputs(), selecting.keys(order_by), query.grouped)
        place = cursors.read(asked, question.cursor) if question.cursor else None
        found = plan.statement(selecting, place, question)
        if question.limit is None:
            return Answer(_streamed(connection, found, selecting.parameters, plan, seconds), None, total, moment)
        rows = connection.execute(found, selecting.parameters).all()
    page = rows[: question.limit]
    more = len(rows) > question.limit
    behind = cursors.write(asked, plan.place_of(page[-1], place, question)) if more and page else None
    return Answer(iter([plan.made(row) for row in page]), behind, total, moment)


def entity_named(name: str) -> Entity:
    """The row of `ENTITIES`. Raises Malformed."""
    found = ENTITIES.get(name)
    if found is None:
        raise unknown("the entity", name, ENTITIES)
    return found


def document_of(query: Any) -> Any:
    """The JSON form of what was sent: JSON, or a text in the short form or with JSON inside. Raises Malformed."""
    if not isinstance(query, str):
        return query
    if not query.lstrip().startswith("["):
        return short_form.parse(query)
    return decoded(query)


def decoded(content: str | bytes) -> Any:
    """JSON from outside. Raises Malformed."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise wrong("the query cannot be read", f"it is not JSON: {error}") from None


class _Plan:
    """What is read of each row, and what an answer is made of it."""

    def __init__(self, outputs: Sequence[Output], keys: Sequence[Key], grouped: bool) -> None:
        self._outputs = outputs
        self._keys = keys
        self._grouped = grouped
        ends = [0]
        for one in outputs:
            ends.append(ends[-1] + len(one.expressions))
        self._slices = [(one.name, slice(*ends), one.made) for one, ends in zip(outputs, pairwise(ends), strict=True)]
        self._width = ends[-1]

    def statement(self, selecting: Selecting, place: list[Any] | None, question: Question) -> Any:
        read = [part for one in self._outputs for part in one.expressions]
        found = selecting.rows([*read, *(() if self._grouped else (key.expression for key in self._keys))])
        found = found.order_by(*(desc(key.expression) if key.descends else asc(key.expression) for key in self._keys))
        offset = question.offset
        if place is not None and self._grouped:
            offset = place[0]
        elif place is not None:
            found = found.where(_behind(self._keys, place))
        if question.limit is not None:
            found = found.limit(question.limit + 1)
        return found.offset(offset) if offset else found

    def place_of(self, row: Any, former: list[Any] | None, question: Question) -> list[Any]:
        """Where a page ended: the row's keys; of groups how many were before."""
        if self._grouped:
            return [(former[0] if former else question.offset) + (question.limit or 0)]
        return list(row[self._width :])

    def made(self, row: Any) -> dict[str, Any]:
        """The answer's row."""
        return {name: made(row[part]) for name, part, made in self._slices}


def _behind(keys: Sequence[Key], place: Sequence[Any]) -> ColumnElement[bool]:
    """Rows that come after the one with these keys. The first key alone bounds them too, which an index can follow."""
    options: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for key, value in zip(keys, place, strict=True):
        if value is None:  # the key before it says that there is none, so there is nothing to compare
            same.append(key.expression.is_(None))
            continue
        beyond = key.expression < value if key.descends else key.expression > value
        options.append(and_(*same, beyond))
        same.append(key.expression == value)
    head, first = keys[0], place[0]
    if first is None:
        return or_(*options)
    return and_(head.expression <= first if head.descends else head.expression >= first, or_(*options))


def _total(connection: Connection, selecting: Selecting, query: Query) -> int:
    if query.grouped and query.group_by:
        inner = selecting.rows([literal(1).label("one")]).subquery()
        found = select(func.count()).select_from(inner)
    elif query.grouped:
        return 1
    else:
        found = selecting.rows([func.count()])
    return int(connection.execute(found, selecting.parameters).scalar_one())


def _moment(connection: Connection, as_of: str | int | None) -> str | None:
    """The moment that is meant. Raises Malformed for one that has not come, and for a position without an entry."""
    if as_of is None or as_of == "":
        return None
    written = str(as_of)
    if written.isascii() and written.isdigit():
        found = moment_of(connection, int(written)) if len(written) < 10 else None
        if found is None:
            raise wrong(f"the journal has no entry {written[:20]}", "as_of names a moment or a position of the journal")
        return found
    moment = values.moment(written)
    if moment > stamp(now()):
        raise wrong(
            f"{written[:40]} has not come yet", "as_of is a moment of the past", "leave it out to ask about now"
        )
    return moment


def _streamed(
    connection: Connection, statement: Any, parameters: dict[str, str], plan: _Plan, seconds: float
) -> Iterator[dict[str, Any]]:
    """Every row, read some at a time."""
    with _limited(connection, seconds):
        found = connection.execution_options(stream_results=True, yield_per=_TOGETHER).execute(statement, parameters)
        for part in found.partitions():
            for row in part:
                yield plan.made(row)


@contextmanager
def _limited(connection: Connection, seconds: float) -> Iterator[None]:
    """Ends what takes longer, and gives SQLite its `~`. Raises Overloaded."""
    end = time.monotonic() + seconds
    made: dict[str, Callable[[str], bool]] = {}
    raw: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        raw.create_function(MATCHES, 2, _matches_until(end, made), deterministic=True)
        raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    else:
        # most questions are answered before they would have been compiled
        connection.exec_driver_sql(f"SET LOCAL jit = off; SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")
    try:
        yield
    except DBAPIError as error:
        if time.monotonic() > end or "statement timeout" in str(error.orig):
            raise Overloaded(
                "the query takes too long",
                why=f"an answer is looked for during {seconds:g} seconds",
                repair="ask for less: name an owner, an algorithm or a time",
            ) from None
        # such as a pattern that PostgreSQL, or the automaton here, finds too complex
        if isinstance(error, DataError) or "user-defined function" in str(error.orig):
            raise wrong("the query cannot be answered", f"the registry refuses it: {str(error.orig)[:200]}") from None
        raise
    finally:
        made.clear()
        if connection.dialect.name == "sqlite":
            raw.set_progress_handler(None, 0)


def _matches_until(end: float, made: dict[str, Callable[[str], bool]]) -> Any:
    """`~` for SQLite, which cannot end it from outside. `made` has the automata of one query, and they go with it."""

    def check() -> None:
        if time.monotonic() > end:
            raise TimeoutError

    def matches(pattern: str, value: str | None) -> bool | None:
        check()
        if value is None:
            return None
        if pattern not in made:
            if len(made) >= _MOST_PATTERNS:
                made.clear()
            made[pattern] = matcher(pattern, check)
        return made[pattern](value)

    return matches
