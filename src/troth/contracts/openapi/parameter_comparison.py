"""Parameters of requests and headers of responses, in their older and newer form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from troth.contracts.changes import ABSENT, Change
from troth.contracts.openapi.flow import Flow
from troth.contracts.openapi.model import Parameter
from troth.contracts.openapi.schema_comparison import Comparing
from troth.contracts.rules.table import rule


def parameter_changes(
    old: Mapping[Any, Parameter], new: Mapping[Any, Parameter], flow: Flow, path: str, comparing: Comparing
) -> Iterator[Change]:
    """What changed for who sends parameters (`input`), or gets them or headers (`output`)."""
    for key, before in old.items():
        here = f"{path} {before.where} {before.name}"
        if key not in new:
            words = f"the {before.where} parameter {before.name} is gone"
            yield rule(f"openapi-{flow.side}-parameter-removed").found(here, before.name, ABSENT, words)
        else:
            yield from _both(before, new[key], flow, here, comparing)
    for key, after in new.items():
        if key not in old:
            required = flow.side == "input" and after.required
            found = rule(f"openapi-{flow.side}-parameter-added{'-required' if required else ''}")
            words = f"the {after.where} parameter {after.name} is new"
            yield found.found(f"{path} {after.where} {after.name}", ABSENT, after.name, words)


def _both(old: Parameter, new: Parameter, flow: Flow, here: str, comparing: Comparing) -> Iterator[Change]:
    if old.required != new.required:
        suffix = "required" if new.required else "optional"
        yield rule(f"openapi-{flow.side}-parameter-{suffix}").found(here, old.required, new.required)
    if new.deprecated and not old.deprecated:
        yield rule("openapi-parameter-deprecated").found(here, False, True)
    yield from _flags(old, new, flow, here)
    yield from operator_changes(old.described, new.described, here)
    if ("" in old.media) != ("" in new.media):
        yield rule("openapi-parameter-content").found(here, sorted(old.media), sorted(new.media))
        return
    before, after = _written(old), _written(new)
    if before != after:
        yield rule("openapi-parameter-style").found(
            here, before, after, f"{new.name} is written {after}, and was {before}"
        )
    if _is_text_on_the_wire(old, new, flow, comparing):
        yield rule("openapi-parameter-text").found(here, old.media[""].schema, new.media[""].schema)
        return
    for name in old.media.keys() | new.media.keys():
        if name in old.media and name in new.media:
            yield from comparing.changes(old.media[name], new.media[name], flow, here)
        elif name in old.media:
            yield rule("openapi-parameter-content").found(here, name, ABSENT)


def _flags(old: Parameter, new: Parameter, flow: Flow, here: str) -> Iterator[Change]:
    for name, was, now in (
        ("allowEmptyValue", old.allows_empty, new.allows_empty),
        ("allowReserved", old.allows_reserved, new.allows_reserved),
    ):
        if was != now:
            found = rule(f"openapi-parameter-{'loosened' if now else 'tightened'}")
            yield found.found(here, {name: was}, {name: now}, f"{name} was {was} and is {now}".lower())


_DEEPEST: Final = 20
_SINGLE: Final = frozenset({"string", "integer", "number", "boolean", "null"})
#: What may stand beside the type of a string that takes every text.
_SAYS_NOTHING: Final = frozenset(
    {"type", "title", "description", "example", "examples", "default", "deprecated", "nullable"}
)


def _takes_any_text(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "string" and set(schema) <= _SAYS_NOTHING


def _is_text_on_the_wire(old: Parameter, new: Parameter, flow: Flow, comparing: Comparing) -> bool:
    """Whether a number became a string that takes every text: outside of `content` both are written alike."""
    sent, understood = (old, new) if flow.side == "input" else (new, old)
    before, after = (one.media[""].schema if "" in one.media else None for one in (sent, understood))
    kind = before.get("type") if isinstance(before, dict) else None
    return kind in ("integer", "number", "boolean") and _takes_any_text(after)


def _written(parameter: Parameter) -> str:
    """How a value is written. For what is neither list nor object `explode` makes no difference."""
    schema = next(iter(parameter.media.values())).schema if parameter.media else True
    return parameter.style if _is_plain(schema) else f"{parameter.style}{' exploded' if parameter.explode else ''}"


def _is_plain(schema: Any, depth: int = 0) -> bool:
    """Whether a value is neither list nor object, by what its schema says, or all alternatives of it say."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return False
    kinds = schema.get("type")
    if isinstance(kinds, str | list):
        return set(kinds if isinstance(kinds, list) else [kinds]) <= _SINGLE
    alternatives = schema.get("anyOf", schema.get("oneOf"))
    return isinstance(alternatives, list) and all(_is_plain(one, depth + 1) for one in alternatives)


def operator_changes(old: Mapping[str, Any], new: Mapping[str, Any], here: str) -> Iterator[Change]:
    """What changed of the query operators that `x-operators` lists or describes (PDB-16, PDB-25)."""
    before, after = _operators(old.get("x-operators")), _operators(new.get("x-operators"))
    for name, meaning in before.items():
        if name not in after:
            yield rule("openapi-operator-removed").found(f"{here} {name}", name, ABSENT, f"the operator {name} is gone")
        elif after[name] != meaning:
            yield rule("openapi-operator-changed").found(
                f"{here} {name}", meaning, after[name], f"{name} means something else"
            )
    for name in after:
        if name not in before:
            yield rule("openapi-operator-added").found(f"{here} {name}", ABSENT, name, f"the operator {name} is new")


def _operators(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(one.get("name", one)) if isinstance(one, dict) else str(one): one for one in value}
    return {}
