"""What operators configure a product by, before and after: a JSON Schema of its settings, or a document of defaults.

Settings are told apart by name, deep down. Of a schema, what was accepted has to be accepted still, which is proved.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from troth.contracts.openapi.text import UnreadableDocument, value_of
from troth.contracts.schema import Answer, Containment
from troth.contracts.settings_acceptance import accepted_still
from troth.versions.releases.evidence import Fact, Kind

_DEEPEST: Final = 40
_MOST: Final = 20_000
_NONE: Final = object()


class UnreadableSettings(Exception):
    """A document of settings that is none. The words name the place."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting: its default where there is one, whether it has to be given, and what is accepted."""

    default: Any = _NONE
    required: bool = False
    accepted: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def document_of(path: str, text: str) -> Any:
    """The value in a file of JSON, YAML or TOML. Raises UnreadableSettings."""
    try:
        return tomllib.loads(text) if path.endswith(".toml") else value_of(text)
    except (UnreadableDocument, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableSettings(str(error)) from None


def schema_changes(old: Any, new: Any, where: str) -> Iterator[Fact]:
    """The changes between two schemas of settings."""
    before, after = _of_schema(old), _of_schema(new)
    yield from _compared(before, after, where)
    found = accepted_still(old, new)
    if found.answer is Answer.NO:
        yield from _narrowed(before, after, found, where)
    elif found.answer is Answer.CANNOT_TELL:
        words = f"whether all that was accepted is accepted still was not proved: {found.words}"
        yield Fact(Kind.CONTRACT_UNDECIDED, where, words, "describe the settings with simpler keywords")


def values_changes(old: Any, new: Any, where: str) -> Iterator[Fact]:
    """The changes between two documents that hold a default for each setting, like the values of a chart."""
    yield from _compared(dict(_of_values(old, "", 0)), dict(_of_values(new, "", 0)), where)


def setting_names(document: Any, kind: str) -> frozenset[str]:
    """The names of all settings in a schema (`settings`) or a document of defaults (`values`), deep down."""
    return frozenset(_of_schema(document) if kind == "settings" else dict(_of_values(document, "", 0)))


def _compared(before: Mapping[str, _Setting], after: Mapping[str, _Setting], where: str) -> Iterator[Fact]:
    for name, was in before.items():
        if name not in after:
            fact = Fact(Kind.SETTING_REMOVED, where, f"the setting {name} is gone", f"accept {name} again")
            yield replace(fact, old=_told(was.default))
        else:
            yield from _changed(name, was, after[name], where)
    for name, now in after.items():
        if name in before:
            continue
        if now.required and now.default is _NONE:
            yield Fact(
                Kind.SETTING_REQUIRED, where, f"the setting {name} has to be given now", f"give {name} a default"
            )
        else:
            yield replace(Fact(Kind.SETTING_ADDED, where, f"the setting {name} is new"), new=_told(now.default))


def _changed(name: str, was: _Setting, now: _Setting, where: str) -> Iterator[Fact]:
    if was.default is not _NONE and not _same(was.default, now.default):
        words = f"the default of {name} is another" if now.default is not _NONE else f"{name} has no default any more"
        fact = Fact(Kind.SETTING_DEFAULT, where, words, f"leave the default of {name} as it was")
        yield replace(fact, old=_told(was.default), new=_told(now.default))
    if now.required and not was.required and now.default is _NONE:
        yield Fact(Kind.SETTING_REQUIRED, where, f"the setting {name} has to be given now", f"give {name} a default")


def _narrowed(
    before: Mapping[str, _Setting], after: Mapping[str, _Setting], found: Containment, where: str
) -> Iterator[Fact]:
    """What is accepted no longer: by name where that says it, else keyword by keyword."""
    told = set()
    for name in before.keys() & after.keys():
        if words := _by_name(name, before[name], after[name]):
            told.add(name)
            yield Fact(Kind.SETTING_NARROWED, where, words, f"accept it for {name} again")
    for one in found.differences[:_MOST_TOLD]:
        name = _name_at(one.new_pointer)
        if name not in told:
            yield Fact(Kind.SETTING_NARROWED, where, f"{name or 'the whole'}: {one.words}", "accept what was accepted")
    if not told and not found.differences:
        yield Fact(Kind.SETTING_NARROWED, where, "less is accepted than before", "accept what was accepted")


def _by_name(name: str, was: _Setting, now: _Setting) -> str:
    """In words, that a setting takes fewer types or values."""
    if lost := [one for one in was.accepted if not {one, _WIDER.get(one, one)} & set(now.accepted)]:
        return f"{name} was {'|'.join(was.accepted)} and is {'|'.join(now.accepted)}" if now.accepted and lost else ""
    gone = [one for one in was.values if one not in now.values] if now.values else []
    return f"{name} may no longer be {', '.join(gone[:5])}" if gone else ""


_WIDER: Final = {"integer": "number"}
_MOST_TOLD: Final = 50


def _name_at(pointer: str) -> str:
    """The name of the setting that a place in a schema belongs to; empty for the schema itself."""
    steps = pointer.split("/")[1:]
    names = []
    while len(steps) > 1 and steps[0] == "properties":
        names.append(steps[1].replace("~1", "/").replace("~0", "~"))
        steps = steps[2:]
    return ".".join(names)


def _same(one: Any, other: Any) -> bool:
    """Equality by which 1 and true are two things."""
    return type(one) is type(other) and bool(one == other)


def _told(value: Any) -> Any:
    return None if value is _NONE else value


def _of_schema(schema: Any) -> dict[str, _Setting]:
    if not isinstance(schema, dict):
        raise UnreadableSettings("a schema of settings is an object")
    found: dict[str, _Setting] = {}
    _collect(schema, schema, "", 0, found)
    return found


def _collect(root: Any, schema: Any, prefix: str, depth: int, found: dict[str, _Setting]) -> None:
    schema = _followed(root, schema)
    properties = schema.get("properties")
    required = schema.get("required")
    if not isinstance(properties, dict) or depth > _DEEPEST:
        return
    for name, inner in properties.items():
        if len(found) >= _MOST:
            raise UnreadableSettings(f"it has more than {_MOST} settings")
        inner, path = _followed(root, inner), f"{prefix}{name}"
        has_inner = isinstance(inner.get("properties"), dict)
        kinds = inner.get("type")
        values = inner.get("enum")
        found[path] = _Setting(
            default=inner.get("default", _NONE),
            required=isinstance(required, list) and name in required and not has_inner,
            accepted=tuple(sorted(map(str, kinds))) if isinstance(kinds, list) else (str(kinds),) if kinds else (),
            values=tuple(map(str, values)) if isinstance(values, list) else (),
        )
        _collect(root, inner, f"{path}.", depth + 1, found)


def _followed(root: Any, schema: Any) -> dict[str, Any]:
    """The schema itself, behind references into the same document."""
    for _ in range(_DEEPEST):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        schema = root
        for step in reference[2:].split("/"):
            schema = schema.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(schema, dict) else None
    return schema if isinstance(schema, dict) else {}


def _of_values(value: Any, path: str, depth: int) -> Iterator[tuple[str, _Setting]]:
    if isinstance(value, dict) and value and depth < _DEEPEST:
        for name, inner in value.items():
            yield from _of_values(inner, f"{path}.{name}" if path else str(name), depth + 1)
    elif path:
        yield path, _Setting(default=value)
    elif not isinstance(value, dict):
        raise UnreadableSettings("a document of defaults is an object")
