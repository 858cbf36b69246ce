"""Both databases answer what plain Python says, in the same order, whole and page by page, and of every moment."""

from __future__ import annotations

from functools import cmp_to_key, partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.queries import evaluator, short_form
from tests.queries.questions import expressions, groupings
from tests.queries.small_registry import Known, moment
from troth.errors import Overloaded
from troth.queries.asking import Answer, Question, ask
from troth.queries.cursors import Cursors
from troth.queries.entities import SHAPES
from troth.queries.language import bounds
from troth.queries.language.fields import Kind
from troth.registry.database import Database

Registries = tuple[dict[str, Database], Known]
CURSORS = Cursors(b"key")
_ENTITIES = ("algorithms", "versions", "builds", "products", "releases", "calls")
_CALLERS = ("ada", "sam", "Zed", "root")
_SOME = settings(max_examples=10)


def asked(database: Database, known: Known, caller: str, **question: Any) -> tuple[Answer, list[dict[str, Any]]]:
    with database.read() as connection:
        answer = ask(connection, known.actors[caller], Question(**question), CURSORS, seconds=60)
        return answer, [_plain(row) for row in answer.rows]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: str(bytes(value).decode()) if type(value).__name__ == "Raw" else value for name, value in row.items()}


def paged(database: Database, known: Known, caller: str, size: int, **question: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer, rows = asked(database, known, caller, limit=size, cursor=cursor, **question)
        found += rows
        if answer.next is None:
            return found
        assert len(rows) == size
        cursor = answer.next


def same(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> bool:
    """Whether the rows are the same in any order."""
    return sorted(map(_key, one)) == sorted(map(_key, two))


def _key(row: dict[str, Any]) -> str:
    return repr(
        {name: pytest.approx(value) if isinstance(value, float) else value for name, value in sorted(row.items())}
    )


@pytest.mark.parametrize("entity", _ENTITIES)
def test_rows_are_those_that_python_finds(registries: Registries, entity: str) -> None:
    databases, known = registries

    @_SOME
    @given(st.data())
    def one(data: Any) -> None:
        caller = data.draw(st.sampled_from(_CALLERS), "caller")
        as_of = data.draw(st.none() | st.integers(0, 55).map(lambda hours: moment(hours + 0.5)), "as_of")
        query = data.draw(expressions(known, entity, past=as_of is not None), "query")
        written = data.draw(st.booleans(), "in the short form")
        expected = evaluator.answer(known, entity, known.actors[caller], query, as_of)
        question = {"entity": entity, "query": short_form.write(query) if written else query, "as_of": as_of}
        answers = []
        for database in databases.values():
            answer, rows = asked(database, known, caller, include_total=True, limit=1000, **question)
            assert same(rows, expected)
            assert answer.total == len(expected)
            assert paged(database, known, caller, 5, **question) == rows
            streamed = asked(database, known, caller, limit=None, **question)[1]
            assert streamed == rows
            answers.append(rows)
        assert answers[0] == answers[1]

    one()


@pytest.mark.parametrize("entity", ["versions", "builds", "releases"])
def test_orders_are_those_that_python_sorts_by(registries: Registries, entity: str) -> None:
    databases, known = registries
    names = [one.name for one in SHAPES[entity].fields.values() if one.kind is not Kind.DOCUMENT and not one.large]

    @_SOME
    @given(
        st.sampled_from(_CALLERS), st.lists(st.tuples(st.sampled_from(names), st.booleans()), min_size=1, max_size=3)
    )
    def one(caller: str, orders: list[tuple[str, bool]]) -> None:
        order_by = [[name, "desc" if descends else "asc"] for name, descends in orders]
        answers = [paged(one, known, caller, 7, entity=entity, order_by=order_by) for one in databases.values()]
        assert answers[0] == answers[1]
        assert len(answers[0]) == len(evaluator.seen(known, entity, known.actors[caller], None))
        assert answers[0] == sorted(answers[0], key=cmp_to_key(partial(_order, orders)))

    one()


def _order(orders: list[tuple[str, bool]], one: dict[str, Any], two: dict[str, Any]) -> int:
    for name, descends in orders:
        left, right = evaluator.rank(name, one[name]), evaluator.rank(name, two[name])
        if left != right:
            return (1 if descends else -1) if left < right else (-1 if descends else 1)
    return 0


@pytest.mark.parametrize("entity", _ENTITIES)
def test_groups_are_those_that_python_makes(registries: Registries, entity: str) -> None:
    databases, known = registries

    @_SOME
    @given(st.data())
    def one(data: Any) -> None:
        caller = data.draw(st.sampled_from(_CALLERS), "caller")
        as_of = data.draw(st.sampled_from((None, moment(33.5))), "as_of")
        query = data.draw(groupings(known, entity, past=as_of is not None), "query")
        expected = evaluator.answer(known, entity, known.actors[caller], query, as_of)
        answers = []
        for database in databases.values():
            question = {"entity": entity, "query": query, "as_of": as_of}
            answer, rows = asked(database, known, caller, include_total=True, limit=1000, **question)
            assert same(rows, expected)
            assert answer.total == len(expected)
            assert paged(database, known, caller, 4, **question) == rows
            answers.append(rows)
        assert answers[0] == answers[1]

    one()


def test_the_largest_questions_are_answered_on_both_databases(registries: Registries) -> None:
    """What the bounds let pass, no database finds too much."""
    databases, known = registries
    numbers = [f"{number}.0.0" for number in range(bounds.MOST_VALUES)]
    pairs = [["util", f"name{number}"] for number in range(600)]
    pattern = "(?:(?:a|b){1,9}[a-z_]{0,80}|[^a-z]{2,90}x?)*o" + "y?" * 200
    largest: list[Any] = [
        ["in", "version", ["array", numbers]],
        ["in", ["owner", "name"], ["array", [*pairs, ["util", "echo"]]]],
        ["or", *[["=", "name", "echo"]] * 600],
        ["~", "name", pattern],
        ["not", ["and", *[["not", ["~", "notes", pattern]]] * 20]],
        _nested(bounds.DEEPEST - 1),
    ]
    for query in largest:
        expected = evaluator.answer(known, "versions", known.actors["ada"], query)
        for database in databases.values():
            _, rows = asked(database, known, "ada", entity="versions", query=query, limit=1000)
            assert same(rows, expected)


def _nested(depth: int) -> Any:
    found: Any = ["=", "owner", "util"]
    for index in range(depth):
        found = [("and", "or")[index % 2], found, ["=", "name", "echo"]]
    return found


def test_what_takes_too_long_is_ended_on_both_databases(registries: Registries) -> None:
    databases, known = registries
    question = Question("versions", "select count() where " + " and ".join(["not hash ~ '(a|b)*c'"] * 30))
    for database in databases.values():
        with database.read() as connection, pytest.raises(Overloaded):
            ask(connection, known.actors["ada"], question, CURSORS, seconds=0)
