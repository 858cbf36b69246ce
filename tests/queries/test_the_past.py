"""What was answered at a moment is answered of it for ever: after random commands, each state that there was is asked for again."""

from __future__ import annotations

import itertools
import operator
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, text

from tests.databases import new_database
from tests.server import RunningServer, running_server
from troth.access.roles import Actor
from troth.errors import Malformed, TrothError
from troth.queries.asking import Question, ask
from troth.queries.cursors import Cursors
from troth.queries.entities import SHAPES
from troth.queries.language.fields import Kind
from troth.registry import former_rows, former_settings
from troth.registry.accounts import get_account
from troth.registry.database import Database
from troth.registry.former_journal import read_former_rows
from troth.registry.former_rows import FORMER, Former, history_beginnings
from troth.registry.settable import SETTABLE
from troth.registry.tables import journal

Rows = list[dict[str, Any]]
CURSORS = Cursors(b"key")
#: entities whose rows the commands of these tests make and change
_CHANGED = ("accounts", "algorithms", "apis", "commands", "products")
_SEED, _ACTS = 9, 45
CONTRACT = {"openapi": "3.1.0", "info": {"title": "shop", "version": "1"}, "paths": {}}
#: versions of formats that are not the first
_FORMATS = {"create_account": 2, "create_algorithm": 2, "create_organization": 2}
FORM = {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]}


def answers(
    database: Database, caller: Actor, entity: str, as_of: str | int | None = None, where: list[Any] | None = None
) -> Rows:
    """Every row with every field."""
    extract = ["extract", sorted(SHAPES[entity].fields), *([where] if where else [])]
    with database.read() as connection:
        found = ask(connection, caller, Question(entity, extract, limit=None, as_of=as_of), CURSORS, seconds=60)
        return [{name: _plain(value) for name, value in row.items()} for row in found.rows]


def _plain(value: Any) -> Any:
    return bytes(value).decode() if type(value).__name__ == "Raw" else value


class World:
    """A server on one of the databases, what commands do there, and what was answered behind each."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.database = server.server.database
        server.owner.command("create_account", name="ada", administrator=True)
        self.client = server.client(server.owner.command("create_key", account="ada")["key"])
        with self.database.read() as connection:
            self.caller = get_account(connection, "ada")
        self.kept: dict[int, dict[str, Rows]] = {}
        self._numbers = itertools.count(1)
        self.subjects = {
            kind: [f"ada/{kind}{place}" for place in range(2)] for kind in ("shop", "api", "order", "echo")
        }

    def do(self, name: str, choice: int) -> None:
        """Does one thing, which may be refused, and keeps what is answered behind it."""
        command, payload = _DOES[name](self, choice)
        try:
            self.client.submit(command, _FORMATS.get(command, 1), payload)
        except TrothError as refused:
            assert refused.code not in ("internal", "malformed-payload"), refused.as_problem()
        self.keep()

    def keep(self) -> None:
        with self.database.read() as connection:
            position = connection.execute(select(func.max(journal.c.position))).scalar_one()
        self.kept[position] = {entity: answers(self.database, self.caller, entity) for entity in _CHANGED}

    def release(self) -> str:
        return f"{next(self._numbers)}.0.0"

    def then(self, kind: str, subject: str, position: int) -> dict[str, Any]:
        with self.database.read() as connection:
            return former_settings.settings_at(connection, SETTABLE[kind].named({kind: subject}), position) or {}


def _product(verb: str) -> Callable[[World, int], tuple[str, dict[str, Any]]]:
    def does(world: World, choice: int) -> tuple[str, dict[str, Any]]:
        said: list[dict[str, Any]] = [
            {"public": True},
            {"public": False},
            {"summary": "ä"},
            {"summary": "b", "public": True},
        ]
        return f"{verb}_product", {"product": world.subjects["shop"][choice % 2], **said[choice // 2 % 4]}

    return does


def _algorithm(verb: str) -> Callable[[World, int], tuple[str, dict[str, Any]]]:
    def does(world: World, choice: int) -> tuple[str, dict[str, Any]]:
        said: list[dict[str, Any]] = [
            {"summary": "one"}, {"details": {"label": "L"}}, {"settings": {"license": "MIT"}},
            {"summary": "two", "settings": {"license": "0BSD", "language": "python"}},
        ]  # fmt: skip
        told = {} if verb == "delete" else said[choice % 4]
        return f"{verb}_algorithm", {"algorithm": world.subjects["echo"][choice % 2], **told}

    return does


def _rolled_back(world: World, choice: int) -> tuple[str, dict[str, Any]]:
    kind, subjects = (("product", "shop"), ("algorithm", "echo"))[choice % 2]
    subject = world.subjects[subjects][choice // 2 % 2]
    position = sorted(world.kept)[choice * 7 % len(world.kept)]
    values = world.then(kind, subject, position)
    return "roll_back", {kind: subject, "position": position, "reason": "better", "values": values}


def _api(verb: str) -> Callable[[World, int], tuple[str, dict[str, Any]]]:
    def does(world: World, choice: int) -> tuple[str, dict[str, Any]]:
        return f"{verb}_api", {"api": world.subjects["api"][choice % 2], "public": choice % 4 < 2}

    return does


def _moved(command: str, **more: Any) -> Callable[[World, int], tuple[str, dict[str, Any]]]:
    def does(world: World, choice: int) -> tuple[str, dict[str, Any]]:
        release = world.release()
        asked = {key: value(release) if callable(value) else value for key, value in more.items()}
        place = {"api": world.subjects["api"][choice % 2], "api_version": f"v{1 + choice // 2 % 2}"}
        return command, {**place, "release": release, **asked}

    return does


def _ordering(verb: str, **more: Any) -> Callable[[World, int], tuple[str, dict[str, Any]]]:
    return lambda world, choice: (f"{verb}_command", {"command": world.subjects["order"][choice % 2], **more})


def _published(world: World, choice: int) -> tuple[str, dict[str, Any]]:
    number = 1 + choice // 4 % 2
    golden = [{"version": one, "payload": {"product": "ada/golden"}} for one in range(1, number + 1)]
    up: dict[str, Any] = {"up_conversion": {"operations": []}} if number > 1 else {}
    handler = ("troth/create_product", "troth/update_product")[choice // 2 % 2]
    told = {"version": number, "format": {"version": number, "schema": {**FORM, "description": f"{choice % 3}"}}}
    return "publish_command_version", {
        "command": world.subjects["order"][choice % 2], **told, "handler": handler, "golden": golden, **up,
        "release": world.release(),
    }  # fmt: skip


def _command_moved(world: World, choice: int) -> tuple[str, dict[str, Any]]:
    state = ("deprecated", "retired")[choice // 2 % 2]
    where = {"command": world.subjects["order"][choice % 2], "version": 1 + choice // 4 % 2}
    return "set_command_state", {**where, "state": state, "release": world.release()}


def _person(verb: str) -> Callable[[World, int], tuple[str, dict[str, Any]]]:
    def does(world: World, choice: int) -> tuple[str, dict[str, Any]]:
        details = [{"external_id": f"x|{choice}"}, {"email": "a@b"}, {"external_id": ""}][choice % 3]
        name = f"sam{choice % 2}"
        if verb == "create":
            return "create_account", {"name": name, "details": {k: v for k, v in details.items() if v}}
        return f"{verb}_account", {"account": name, **({"details": details} if verb == "update" else {})}

    return does


def _group(verb: str) -> Callable[[World, int], tuple[str, dict[str, Any]]]:
    def does(world: World, choice: int) -> tuple[str, dict[str, Any]]:
        named = {"name": "util"} if verb == "create" else {"organization": "util"}
        return f"{verb}_organization", {
            **named,
            **({"details": {"external_id": f"g{choice}"}} if verb == "update" else {}),
        }

    return does


_DOES: dict[str, Callable[[World, int], tuple[str, dict[str, Any]]]] = {
    **{f"product {verb}d": _product(verb) for verb in ("create", "update")},
    **{f"algorithm {verb}d": _algorithm(verb) for verb in ("create", "update", "delete")},
    "rolled back": _rolled_back,
    **{f"API {verb}d": _api(verb) for verb in ("create", "update")},
    "version made": _moved("create_api_version", contract=CONTRACT),
    "version changed": _moved("change_api", contract=CONTRACT | {"info": {"title": "t", "version": "2"}}, note="new"),
    "version graduated": _moved("graduate_api"),
    "version deprecated": _moved("deprecate_api", sunset="2099-01-31"),
    "version extended": _moved("extend_api", until=lambda one: f"{int(one.split('.')[0]) + 50}.0.0", reason="wait"),
    "version retired": _moved("retire_api"),
    "version dropped": _moved("drop_api"),
    "command created": _ordering("create"),
    "command paused": _ordering("pause"),
    "command drained": _ordering("pause", drain=True),
    "command resumed": _ordering("resume"),
    "command published": _published,
    "command moved": _command_moved,
    **{f"account {verb}d": _person(verb) for verb in ("create", "update", "delete")},
    **{f"organization {verb}d": _group(verb) for verb in ("create", "update", "delete")},
}
#: so that each thing there is was made, and changed at least once
_FIRST = (
    "product created", "product updated", "algorithm created", "algorithm updated", "API created", "API updated",
    "version made", "version graduated", "version deprecated", "command created", "command published", "command paused",
    "account created", "account updated", "organization created", "organization updated",
)  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest,
    postgres: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A server on each database, on which everything was done once, and much at random."""
    database = {}
    if request.param == "postgresql":
        database = {"database": new_database(postgres, "troth_past", migrated=True)}
    with running_server(tmp_path_factory.mktemp("past") / "home", **database) as server:
        found = World(server)
        found.keep()
        for name in _FIRST:
            for choice in (0, 1):
                found.do(name, choice)
        found.do("command published", 2)  # by another handler
        chance = random.Random(_SEED)
        for _ in range(_ACTS):
            found.do(chance.choice(sorted(_DOES)), chance.randrange(24))
        yield found


def test_each_moment_is_answered_as_it_was(world: World) -> None:
    for position, kept in world.kept.items():
        for entity, rows in kept.items():
            assert answers(world.database, world.caller, entity, position) == rows, (entity, position)
    with world.database.read() as connection:
        changed = {name for name, row in FORMER.items() if connection.execute(select(row.table)).first()}
    assert changed == set(FORMER) - {"builds", "queued_commands"}


_COMPARED = {"=": operator.eq, ">=": operator.ge, "<": operator.lt}
_KINDS = (Kind.TEXT, Kind.MOMENT, Kind.INTEGER, Kind.BOOLEAN)


@pytest.mark.parametrize("few", [former_rows.FEW, 0])
def test_questions_of_a_moment_are_answered_as_they_were(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """By the values of any field, as pages and in groups, whether few rows changed since, or more than are named one by one."""
    monkeypatch.setattr(former_rows, "FEW", few)

    @settings(max_examples=25)
    @given(st.data())
    def one(data: Any) -> None:
        entity = data.draw(st.sampled_from(_CHANGED), "entity")
        position = data.draw(st.sampled_from(sorted(world.kept)), "position")
        fields = [one for one in SHAPES[entity].fields.values() if one.kind in _KINDS]
        field = data.draw(st.sampled_from(fields), "field")
        values = {row[field.name] for kept in world.kept.values() for row in kept[entity]} - {None}
        compared = "=" if field.kind is Kind.BOOLEAN else data.draw(st.sampled_from(sorted(_COMPARED)), "operator")
        value = data.draw(st.sampled_from(sorted(values)) if values else st.just("none of it"), "value")
        where = [compared, field.name, value] if values or field.kind is Kind.TEXT else ["null?", field.name, False]
        then = world.kept[position][entity]
        rows = [row for row in then if row[field.name] is not None and _COMPARED[compared](row[field.name], value)]
        assert answers(world.database, world.caller, entity, position, where) == rows
        assert answers(world.database, world.caller, entity, position, ["and", where, where]) == rows
        others = [row for row in then if row not in rows]
        assert answers(world.database, world.caller, entity, position, ["not", where]) == others
        assert _paged(world, entity, where, position) == [_small(entity, row) for row in rows]
        groups = Counter(row[field.name] for row in rows)
        assert _grouped(world, entity, field.name, where, position) == groups

    one()


def _small(entity: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name, field in SHAPES[entity].fields.items() if not field.large}


def _paged(world: World, entity: str, where: list[Any], as_of: int) -> Rows:
    found: Rows = []
    cursor: str | None = ""
    with world.database.read() as connection:
        while cursor is not None:
            question = Question(entity, where, limit=2, cursor=cursor, as_of=as_of)
            page = ask(connection, world.caller, question, CURSORS, seconds=60)
            found += [{name: _plain(value) for name, value in row.items()} for row in page.rows]
            cursor = page.next
    return found


def _grouped(world: World, entity: str, name: str, where: list[Any], as_of: int) -> dict[Any, int]:
    query = ["extract", [name, ["function", "count"]], where, ["group_by", name]]
    with world.database.read() as connection:
        page = ask(connection, world.caller, Question(entity, query, limit=None, as_of=as_of), CURSORS, seconds=60)
        return {row[name]: row["count"] for row in page.rows}


def test_an_upgrade_reads_the_same_from_the_journal(world: World) -> None:
    """What the journal tells of is what was kept when it happened."""
    with world.database.read() as connection:
        kept = {name: _history(connection, row) for name, row in FORMER.items()}

    class Done(Exception):
        pass

    def read_anew(connection: Any) -> None:
        for row in FORMER.values():
            connection.execute(delete(row.table))
        read_former_rows(connection)
        found = {name: _history(connection, row) for name, row in FORMER.items()}
        assert connection.execute(select(history_beginnings)).all() == []
        assert found == kept
        raise Done

    with pytest.raises(Done):
        world.database.write_now(read_anew)


def _history(connection: Connection, former: Former) -> dict[Any, list[Any]]:
    """What each row was and until when, where it is something else behind that."""
    keys = [former.source.c[one.name] for one in former.source.primary_key]
    values = [one.name for one in former.table.columns if not one.primary_key]
    found: dict[Any, list[Any]] = {}
    for row in connection.execute(select(former.table).order_by(former.table.c.valid_to.desc())):
        told = found.setdefault(tuple(row._mapping[one.name] for one in keys), [])
        told.append((row.valid_to, [row._mapping[name] for name in values]))
    for row in connection.execute(select(*keys, *(former.source.c[name] for name in values))):
        key, behind = tuple(row[: len(keys)]), list(row[len(keys) :])
        different = []
        for ends, told in found.pop(key, []):
            if told != behind:
                different.append((ends, told))
            behind = told
        if different:
            found[key] = different
    return found


def test_before_its_history_begins_a_field_is_refused(world: World) -> None:
    """Where the journal does not tell what was before, nobody is answered wrongly."""
    last = max(world.kept)

    def add(connection: Any) -> str:
        at = connection.execute(text(f"SELECT at FROM journal_facts WHERE position = {last}")).scalar_one()
        connection.execute(history_beginnings.insert().values(name="products", valid_from=at))
        return str(at)

    at = world.database.write_now(add)
    try:
        with pytest.raises(Malformed, match=f"what public was before {at} is not known"):
            answers(world.database, world.caller, "products", last - 1)
        assert answers(world.database, world.caller, "products", last) == world.kept[last]["products"]
        with world.database.read() as connection:
            found = ask(connection, world.caller, Question("products", as_of=last - 1), CURSORS, seconds=60)
        assert {"public", "summary"} & set(next(found.rows)) == set()
    finally:
        world.database.write_now(lambda connection: connection.execute(delete(history_beginnings)))
