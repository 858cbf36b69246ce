"""The relations a template may claim of two schemas; each gives the pairs that follow from it, with their witnesses.

A template is written by hand: its author says which of the two sets of instances holds the other, why, and which
instance tells them apart. Nothing here asks a validator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

DRAFT_7 = "draft-07"
DRAFT_2020 = "2020-12"
BOTH = (DRAFT_7, DRAFT_2020)


@dataclass(frozen=True)
class Template:
    """Two schemas and what is known of them. A witness is a tuple of one instance; an empty one says that none exists.

    Schemas are written in the spelling of 2020-12; `spelling` gives them in that of draft-07, unless `verbatim`.
    """

    keyword: str
    change: str
    old: Any
    new: Any
    old_not_new: tuple[Any, ...]
    new_not_old: tuple[Any, ...]
    why: str
    dialects: tuple[str, ...] = BOTH
    verbatim: bool = False
    place: str = "root"
    doubtful: str = ""

    def turned(self, change: str) -> Template:
        """The same claim read from the other end."""
        return replace(
            self,
            change=change,
            old=self.new,
            new=self.old,
            old_not_new=self.new_not_old,
            new_not_old=self.old_not_new,
        )


def constrains(
    keyword: str, context: dict[str, Any], more: dict[str, Any], refused: Any, why: str, **options: Any
) -> Iterator[Template]:
    """`more` beside `context` refuses instances that `context` alone accepts: the pair of adding it, and of removing it."""
    added = Template(keyword, "added", context, {**context, **more}, (refused,), (), why, **options)
    yield from (added, added.turned("removed"))


def idle(keyword: str, context: dict[str, Any], more: dict[str, Any], why: str, **options: Any) -> Iterator[Template]:
    """`more` beside `context` refuses nothing and allows nothing: adding and removing it change no instance's answer."""
    added = Template(keyword, "added", context, {**context, **more}, (), (), why, **options)
    yield from (added, added.turned("removed"))


def narrower(keyword: str, narrow: Any, wide: Any, between: Any, why: str, **options: Any) -> Iterator[Template]:
    """All of `narrow` is in `wide`, and `between` is only in `wide`."""
    widened = Template(keyword, "widened", narrow, wide, (), (between,), why, **options)
    yield from (widened, widened.turned("narrowed"))


def same(keyword: str, one: Any, other: Any, why: str, **options: Any) -> Iterator[Template]:
    """Two spellings of one set of instances."""
    yield Template(keyword, "replaced", one, other, (), (), why, **options)


def apart(
    keyword: str, old: Any, new: Any, only_old: Any, only_new: Any, why: str, **options: Any
) -> Iterator[Template]:
    """Neither holds the other."""
    yield Template(keyword, "replaced", old, new, (only_old,), (only_new,), why, **options)


def inside(template: Template, place: str) -> Template:
    """The same claim with both schemas put below `place`, where it decides just as it does at the root."""
    if place == "not":
        return replace(
            template,
            place=place,
            old={"not": template.old},
            new={"not": template.new},
            old_not_new=template.new_not_old,
            new_not_old=template.old_not_new,
            why=f"{template.why}; under `not` the two directions change places",
        )
    around, carry = PLACES[place]
    return replace(
        template,
        place=place,
        old=around(template.old),
        new=around(template.new),
        old_not_new=tuple(carry(instance) for instance in template.old_not_new),
        new_not_old=tuple(carry(instance) for instance in template.new_not_old),
    )


PLACES: dict[str, tuple[Any, Any]] = {
    "required property": (
        lambda schema: {"type": "object", "properties": {"value": schema}, "required": ["value"]},
        lambda instance: {"value": instance},
    ),
    "items": (lambda schema: {"type": "array", "items": schema}, lambda instance: [instance]),
    "definition": (lambda schema: {"$defs": {"value": schema}, "$ref": "#/$defs/value"}, lambda instance: instance),
    "optional property": (lambda schema: {"properties": {"value": schema}}, lambda instance: {"value": instance}),
    "additionalProperties": (
        lambda schema: {"type": "object", "additionalProperties": schema},
        lambda instance: {"other": instance},
    ),
    "allOf": (lambda schema: {"allOf": [{"title": "a part"}, schema]}, lambda instance: instance),
    "anyOf": (lambda schema: {"anyOf": [{"const": "another branch"}, schema]}, lambda instance: instance),
    "contains": (lambda schema: {"type": "array", "contains": schema}, lambda instance: [instance]),
    "first item": (
        lambda schema: {"type": "array", "prefixItems": [schema], "minItems": 1},
        lambda instance: [instance],
    ),
    "patternProperties": (
        lambda schema: {"patternProperties": {"^x-": schema}},
        lambda instance: {"x-value": instance},
    ),
    "two levels": (
        lambda schema: {"properties": {"list": {"type": "array", "items": schema}}, "required": ["list"]},
        lambda instance: {"list": [instance]},
    ),
    "dependentSchemas": (
        lambda schema: {"dependentSchemas": {"switch": {"properties": {"value": schema}}}},
        lambda instance: {"switch": True, "value": instance},
    ),
    "then": (
        lambda schema: {
            "if": {"properties": {"kind": {"const": "v"}}, "required": ["kind"]},
            "then": {"properties": {"value": schema}},
        },
        lambda instance: {"kind": "v", "value": instance},
    ),
}

SUBSCHEMA = {
    "not", "if", "then", "else", "contains", "propertyNames", "additionalProperties", "additionalItems",
    "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip
LISTS = {"allOf", "anyOf", "oneOf"}
MAPS = {"properties", "patternProperties"}


def spelling(schema: Any) -> Any:
    """A schema of 2020-12 in the words of draft-07, with the same instances."""
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    dependencies: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "$defs":
            out["definitions"] = {key: spelling(part) for key, part in value.items()}
        elif name == "$ref":
            out["$ref"] = value.replace("#/$defs/", "#/definitions/")
        elif name == "prefixItems":
            out["items"] = [spelling(part) for part in value]
        elif name == "items":
            out["additionalItems" if "prefixItems" in schema else "items"] = spelling(value)
        elif name == "dependentRequired":
            dependencies.update(value)
        elif name == "dependentSchemas":
            dependencies.update({key: spelling(part) for key, part in value.items()})
        elif name in SUBSCHEMA:
            out[name] = spelling(value)
        elif name in LISTS:
            out[name] = [spelling(part) for part in value]
        elif name in MAPS:
            out[name] = {key: spelling(part) for key, part in value.items()}
        else:
            out[name] = value
    if dependencies:
        out["dependencies"] = dependencies
    return out


SPELLED = {
    "prefixItems": "items",
    "$defs": "definitions",
    "dependentRequired": "dependencies",
    "dependentSchemas": "dependencies",
}
