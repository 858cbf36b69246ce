"""Whether a wire format still means the same: where it does not, its command needs a new version (PDB-42 to PDB-46)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from troth.contracts.changes import ABSENT, Change, Comparison, Level, concluded, invalid
from troth.contracts.openapi.flow import CALLED
from troth.contracts.rules.table import rule, rules
from troth.contracts.schema import Answer, Containment, contained
from troth.contracts.schema_changes import places
from troth.contracts.wire_tolerance import undone
from troth.errors import Malformed

JSON: Final = "application/json"
#: Names of one serialisation.
_SAME: Final = {"json": JSON, "msgpack": "application/msgpack", "application/x-msgpack": "application/msgpack"}
_DEEPEST: Final = 60
_MOST_PLACES: Final = 20_000
#: What a schema says of a value beside which values are valid, and which rule names its change.
_SAID: Final = {
    "default": "wire-default",
    "format": "wire-format",
    "contentEncoding": "wire-content",
    "contentMediaType": "wire-content",
    "contentSchema": "wire-content",
}


def compare(
    old: Any, new: Any, *, tolerant: bool = False, old_serialisation: str = JSON, new_serialisation: str = JSON
) -> Comparison:
    """Whether the wire format `old` may become `new` without a new version: JSON Schemas, and media types of the payload.

    A format can also be given as `{"schema": ..., "serialisation": "json" or "msgpack"}`.

    Any difference of meaning asks for a new version (PDB-45), and so does one that cannot be decided (PDB-44); both are
    told as breaking. `tolerant` is the operator's other setting (note N10): an added optional property, a required one
    that became optional and an added value of an enum pass. `invalid` where one of them is no schema.
    """
    old, old_serialisation = _opened(old, old_serialisation)
    new, new_serialisation = _opened(new, new_serialisation)
    try:
        written, found = list(_serialisations(old_serialisation, new_serialisation)), _differences(old, new)
        if tolerant and found and not _differences(old, undone(old, new)):
            found = [replace(change, level=Level.NOTE) for change in found]
        return concluded([*written, *found])
    except Malformed as error:
        return invalid(f"{error.what}: {error.why}" if error.why else error.what)
    except RecursionError:
        return invalid("the schema is nested too deeply")


def _opened(value: Any, serialisation: str) -> tuple[Any, str]:
    if isinstance(value, dict) and value.keys() == {"schema", "serialisation"}:
        return value["schema"], str(value["serialisation"])
    return value, serialisation


def _serialisations(old: str, new: str) -> Iterator[Change]:
    before, after = (_SAME.get(one.strip().lower(), one.strip().lower()) for one in (old, new))
    if before != after:
        yield rule("wire-serialisation").found("", before, after, f"the payload was {before} and is {after}")


def _differences(old: Any, new: Any) -> list[Change]:
    """Every difference of meaning between two schemas."""
    forwards, backwards = contained(old, new, explained=False), contained(new, old, explained=False)
    changes = list(_said(old, new))
    if Answer.NO in (forwards.answer, backwards.answer):
        return changes + _at_places(old, new, forwards, backwards)
    if Answer.CANNOT_TELL in (forwards.answer, backwards.answer):
        changes.append(rule("wire-undecided").found("", old, new))
    return changes


def _at_places(old: Any, new: Any, forwards: Containment, backwards: Containment) -> list[Change]:
    found = {}
    for change in places(old, new, CALLED.request):
        if name := _named(change.rule):
            found[name, change.path] = rule(name).found(change.path, change.old, change.new)
    if not found:
        found["", ""] = rule("wire-schema").found("", old, new)
    witness = forwards.witness if forwards.answer is Answer.NO else backwards.witness
    first, *rest = found.values()
    return [replace(first, witness=witness), *rest]


def _named(name: str) -> str | None:
    """The rule of wire formats for a finding on schemas."""
    kind = name.removeprefix("input-")
    for ending in ("-narrowed", "-widened", "-undecided"):
        kind = kind.removesuffix(ending)
    kind = "property-removed" if kind in ("property-refused", "property-ignored") else kind
    return f"wire-{kind}" if f"wire-{kind}" in rules() and kind not in ("default", "format", "content") else None


# --- what is said beside which values are valid


def _said(old: Any, new: Any) -> Iterator[Change]:
    """The changes of defaults, formats and of what is serialised inside of strings, by their places in an instance."""
    before, after = _Sayings(old).found, _Sayings(new).found
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            path, keyword = key
            told = [json.loads(one[key]) if key in one else ABSENT for one in (before, after)]
            yield rule(_SAID[keyword]).found(path, told[0], told[1], f"{keyword} is another")


class _Sayings:
    """What a schema says of the values at each place of an instance, references followed."""

    def __init__(self, schema: Any) -> None:
        self.found: dict[tuple[str, str], str] = {}
        self._root = schema
        self._seen: set[tuple[int, str]] = set()
        self._walk(schema, "", 0)

    def _walk(self, schema: Any, path: str, depth: int) -> None:
        key = (id(schema), path)
        if not isinstance(schema, dict) or depth > _DEEPEST or key in self._seen or len(self._seen) > _MOST_PLACES:
            return
        self._seen.add(key)
        for keyword in _SAID.keys() & schema.keys():
            self.found[path, keyword] = json.dumps(schema[keyword], sort_keys=True)
        for inner, step in _inside(schema):
            if path.count(".") + path.count("[]") < _DEEPEST // 4:
                self._walk(inner, path + step, depth + 1)
        if isinstance(schema.get("$ref"), str):
            self._walk(_at(self._root, schema["$ref"]), path, depth + 1)


def _inside(schema: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    for keyword in ("properties", "patternProperties"):
        members = schema.get(keyword)
        yield from ((one, f".{name}") for name, one in members.items()) if isinstance(members, dict) else ()
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems", "items"):
        members = schema.get(keyword)
        step = "[]" if keyword in ("prefixItems", "items") else ""
        yield from ((one, step) for one in members) if isinstance(members, list) else ()
    for keyword, step in (("items", "[]"), ("additionalProperties", "{}"), ("if", ""), ("then", ""), ("else", "")):
        yield schema.get(keyword), step


def _at(root: Any, reference: str) -> Any:
    found = root
    for step in reference.split("/")[1:] if reference.startswith("#/") else []:
        step = step.replace("~1", "/").replace("~0", "~")
        found = found.get(step) if isinstance(found, dict) else None
    return found if reference.startswith("#") else None
