"""What a query means, in plain Python: every row in a list, one after the other. Shares no code with what makes SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any

from semver import Version

from tests.queries.small_registry import Known
from troth.access.roles import Actor

Row = dict[str, Any]
_NUMBERS = {"version", "number"}


def answer(known: Known, entity: str, caller: Actor, query: Any, as_of: str | None = None) -> list[Row]:
    """The rows of an answer, in no order of its own."""
    rows = seen(known, entity, caller, as_of)
    extract: Any = None
    grouping: list[str] = []
    if isinstance(query, list) and query and query[0] == "extract":
        extract, *rest = query[1:]
        extract = extract if isinstance(extract, list) and extract[:1] != ["function"] else [extract]
        if rest and rest[-1] and rest[-1][0] == "group_by":
            grouping = rest.pop()[1:]
        query = rest[0] if rest else None
    rows = [
        row for row in rows if query is None or holds(query, row, lambda *inner: answer(known, *inner), caller, as_of)
    ]
    if extract is None:
        return rows
    if grouping or any(isinstance(one, list) for one in extract):
        key = lambda row: tuple(repr(row[name]) for name in grouping)  # noqa: E731
        groups = [list(group) for _, group in groupby(sorted(rows, key=key), key)]
        if not grouping and not groups:
            groups = [[]]
        return [_grouped(extract, group) for group in groups]
    return [{name: row[name] for name in extract} for row in rows]


def seen(known: Known, entity: str, caller: Actor, as_of: str | None) -> list[Row]:
    """The rows that there were then, and that the caller may see now; strangers, what was public then too."""
    found = []
    for row in known.rows[entity]:
        member = caller.name in known.members.get(row.get("owner", ""), ()) or caller.name == row.get("owner")
        if entity == "versions":
            row = {**row, "state": _line_state(known, row, as_of)}
        then = as_of is None or _public_then(entity, known, row, caller, as_of)
        if _there(entity, row, as_of) and (
            _SEEN[entity](known, row, True, caller) if member else then and _SEEN[entity](known, row, False, caller)
        ):
            found.append(_as_it_was(entity, row, member, as_of))
    return found


def _public_then(entity: str, known: Known, row: Row, caller: Actor, as_of: str) -> bool:
    """Whether what is changed in place might be known of then by whoever may know of it now."""
    if entity == "products" and not caller.administrator:
        return bool(_as_it_was(entity, row, False, as_of)["public"])
    if entity == "algorithms":
        return any(
            one["algorithm"] == row["algorithm"]
            and one["visibility"] == "public"
            and one["published_at"] <= as_of
            and not any(ended and one["published_at"] < ended <= as_of for _, ended in one["deleted"])
            for one in known.rows["versions"]
        )
    return True


def _there(entity: str, row: Row, as_of: str | None) -> bool:
    begins = {"algorithms": "created_at", "versions": "published_at", "builds": "started_at", "products": "created_at",
              "releases": "cut_at", "calls": "at"}[entity]  # fmt: skip
    if as_of is not None and row[begins] > as_of:
        return False
    for begun, ended in row.get("deleted", ()):
        if (as_of is None and ended is None) or (
            as_of is not None and begun <= as_of and (ended is None or ended > as_of)
        ):
            return False
    return True


def _floats(row: Row) -> bool:
    ends = [ended for _, ended in row["deleted"]]
    return None not in ends and all(row["published_at"] >= ended for ended in ends)


def _line_state(known: Known, row: Row, as_of: str | None) -> str | None:
    """The state of a version's line then, if the line had a version that is for everybody."""
    major = row["version"].partition(".")[0]
    public = any(
        one["algorithm"] == row["algorithm"]
        and one["version"].partition(".")[0] == major
        and one["visibility"] == "public"
        and _floats(one)
        and (as_of is None or one["published_at"] <= as_of)
        for one in known.rows["versions"]
    )
    deprecated, retired = (at if at and (as_of is None or at <= as_of) else None for at in row["line"])
    if not public:
        return None
    return "retired" if retired else "deprecated" if deprecated else "current" if int(major) else "experimental"


_SEEN: dict[str, Callable[[Known, Row, bool, Actor], bool]] = {
    "algorithms": lambda known, row, member, caller: (
        member
        or any(
            one["algorithm"] == row["algorithm"] and one["visibility"] == "public" and _floats(one)
            for one in known.rows["versions"]
        )
    ),
    "versions": lambda known, row, member, caller: member or (row["visibility"] == "public" and _floats(row)),
    "builds": lambda known, row, member, caller: member,
    "products": lambda known, row, member, caller: member or row["public"] or caller.administrator,
    "releases": lambda known, row, member, caller: member or row["public"] or caller.administrator,
    "calls": lambda known, row, member, caller: caller.administrator or caller.name == row["caller"],
}


def _as_it_was(entity: str, row: Row, member: bool, as_of: str | None) -> Row:
    later = [values for ends, values in sorted(row.get("was", ()), key=lambda one: one[0]) if as_of and ends > as_of]
    row = {key: value for key, value in row.items() if key not in ("deleted", "id", "position", "was", "line")}
    if entity == "releases":
        del row["public"]
    if entity == "versions" and not member:
        row |= {"hash": None, "published_by": None}
    if as_of is None:
        return row
    for at, names in (("stable_at", ("stable_by",)), ("yanked_at", ("yanked_by", "yank_reason"))):
        if entity == "releases" and row[at] is not None and row[at] > as_of:
            row |= dict.fromkeys((at, *names))
    if entity == "builds" and (row["finished_at"] is None or row["finished_at"] > as_of):
        row |= {"finished_at": None, "status": "building"}
    return row | (later[0] if later else {})


def rank(name: str, value: Any) -> Any:
    """What a value is ordered by: versions by precedence, texts by their bytes, nothing before everything."""
    if value is None:
        return (0,)
    if name.split("_")[-1] in _NUMBERS:
        parsed = Version.parse(value)
        return (1, _Precedence(Version(parsed.major, parsed.minor, parsed.patch, parsed.prerelease)))
    return (1, value.encode()) if isinstance(value, str) else (1, value)


class _Precedence:
    """Orders `semver.Version` within tuples."""

    def __init__(self, version: Version) -> None:
        self.version = version

    def __lt__(self, other: _Precedence) -> bool:
        return self.version < other.version

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Precedence) and self.version == other.version

    __hash__ = None  # type: ignore[assignment]


def holds(query: list[Any], row: Row, look: Any, caller: Actor, as_of: str | None) -> bool:
    """Whether the expression holds of a row. A comparison with nothing does not."""
    operator, *operands = query

    def again(one: list[Any]) -> bool:
        return holds(one, row, look, caller, as_of)

    if operator in ("and", "or"):
        return (all if operator == "and" else any)(again(one) for one in operands)
    if operator == "not":
        return not again(operands[0])
    if operator == "null?":
        return (row[operands[0]] is None) == bool(operands[1])
    if operator == "in":
        return _in(operands, row, look, caller, as_of)
    name, value = operands
    found = row[name]
    return found is not None and _COMPARE[operator](name, found, value)


def _in(operands: list[Any], row: Row, look: Any, caller: Actor, as_of: str | None) -> bool:
    names = operands[0] if isinstance(operands[0], list) else [operands[0]]
    mine = [row[name] for name in names]
    if None in mine:
        return False
    if operands[1][0] == "array":
        rows = [one if isinstance(operands[0], list) and len(names) > 1 else [one] for one in operands[1][1]]
    else:
        _, listed, select = operands[1]
        entity = select[0].removeprefix("select_").replace("_", "-")
        inner = ["extract", listed, *select[1:]]
        rows = [list(one.values()) for one in look(entity, caller, inner, as_of)]
    return any(
        None not in other and all(rank(n, a) == rank(n, b) for n, a, b in zip(names, mine, other, strict=True))
        for other in rows
    )


def _line(found: str, line: str) -> bool:
    parsed, wanted = Version.parse(found), [int(part) for part in line.removesuffix(".*").split(".")]
    return [parsed.major, parsed.minor][: len(wanted)] == wanted


_COMPARE: dict[str, Callable[[str, Any, Any], bool]] = {
    "=": lambda name, found, value: bool(rank(name, found) == rank(name, value)),
    ">": lambda name, found, value: bool(rank(name, value) < rank(name, found)),
    ">=": lambda name, found, value: not rank(name, found) < rank(name, value),
    "<": lambda name, found, value: bool(rank(name, found) < rank(name, value)),
    "<=": lambda name, found, value: not rank(name, value) < rank(name, found),
    "~": lambda name, found, value: re.search(value.replace("$", r"\Z"), found) is not None,
    "in-line": lambda name, found, value: _line(found, value),
    "compatible-with": lambda name, found, value: (
        _line(found, value.split(".")[0]) and not rank("version", found) < rank("version", value)
    ),
}


def _grouped(extract: list[Any], group: list[Row]) -> Row:
    made: Row = {}
    for one in extract:
        if isinstance(one, str):
            made[one] = group[0][one]
            continue
        function, *field = one[1:]
        if not field:
            made["count"] = len(group)
            continue
        values = [row[field[0]] for row in group if row[field[0]] is not None]
        made[f"{function}_{field[0]}"] = _FUNCTIONS[function](field[0], values)
    return made


_FUNCTIONS: dict[str, Callable[[str, list[Any]], Any]] = {
    "count": lambda name, values: len(values),
    "min": lambda name, values: min(values, key=lambda value: rank(name, value), default=None),
    "max": lambda name, values: max(values, key=lambda value: rank(name, value), default=None),
    "sum": lambda name, values: sum(values) if values else None,
    "avg": lambda name, values: sum(values) / len(values) if values else None,
}
