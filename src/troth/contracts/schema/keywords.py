"""The keywords of draft-07 and 2020-12 as rows: where they exist, the shape of their value, what stands inside.

Rows are the meta-schemas of the drafts. A keyword without a row is an annotation that may have any value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from troth.contracts.schema.answers import Dialect, Json
from troth.contracts.schema.values import exact, is_number


class Inside(Enum):
    """What a keyword's value has inside."""

    NOTHING = "nothing"
    SCHEMA = "a schema"
    LIST = "a list of schemas"
    MAP = "schemas by name"
    SCHEMA_OR_LIST = "a schema or a list of schemas"
    MAP_OR_NAMES = "schemas or lists of names, by name"


@dataclass(frozen=True, slots=True)
class Keyword:
    """One row. `in_place` is whether the schemas inside are applied to the same instance."""

    name: str
    words: str
    fits: Callable[[Json], bool]
    inside: Inside = Inside.NOTHING
    in_place: bool = False
    dialects: tuple[Dialect, ...] = (Dialect.DRAFT_7, Dialect.DRAFT_2020_12)


_OLD, _NEW = (Dialect.DRAFT_7,), (Dialect.DRAFT_2020_12,)
_SIMPLE = {"null", "boolean", "object", "array", "number", "string", "integer"}


def _is_schema(value: Json) -> bool:
    return isinstance(value, dict | bool)


def _are_schemas(value: Json) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_is_schema, value))


def _named_schemas(value: Json) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _schema_or_list(value: Json) -> bool:
    return _is_schema(value) or _are_schemas(value)


def _names(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _named_names(value: Json) -> bool:
    return isinstance(value, dict) and all(map(_names, value.values()))


def _schemas_or_names(value: Json) -> bool:
    return isinstance(value, dict) and all(_is_schema(inner) or _names(inner) for inner in value.values())


def _count(value: Json) -> bool:
    return is_number(value) and value >= 0 and exact(value).denominator == 1


def _positive(value: Json) -> bool:
    return is_number(value) and value > 0


def _text(value: Json) -> bool:
    return isinstance(value, str)


def _anchor(value: Json) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][-A-Za-z0-9._]*", value) is not None


def _identifier(value: Json) -> bool:
    return isinstance(value, str) and "#" not in value[:-1]


def _flag(value: Json) -> bool:
    return isinstance(value, bool)


def _list(value: Json) -> bool:
    return isinstance(value, list)


def _types(value: Json) -> bool:
    if isinstance(value, str):
        return value in _SIMPLE
    return _names(value) and len(value) > 0 and set(value) <= _SIMPLE


def _flags_by_name(value: Json) -> bool:
    return isinstance(value, dict) and all(map(_flag, value.values()))


_A_SCHEMA, _SOME_SCHEMAS, _BY_NAME = "a schema", "a list of one schema and more", "schemas by name"
_A_COUNT, _A_NUMBER = "an integer, 0 or more", "a number"

ROWS: tuple[Keyword, ...] = (
    Keyword("type", f"one of {', '.join(sorted(_SIMPLE))}, or a list of different ones", _types),
    Keyword("enum", "a list", _list),
    Keyword("multipleOf", "a number above 0", _positive),
    Keyword("maximum", _A_NUMBER, is_number),
    Keyword("exclusiveMaximum", _A_NUMBER, is_number),
    Keyword("minimum", _A_NUMBER, is_number),
    Keyword("exclusiveMinimum", _A_NUMBER, is_number),
    Keyword("maxLength", _A_COUNT, _count),
    Keyword("minLength", _A_COUNT, _count),
    Keyword("pattern", "a regular expression", _text),
    Keyword("maxItems", _A_COUNT, _count),
    Keyword("minItems", _A_COUNT, _count),
    Keyword("uniqueItems", "true or false", _flag),
    Keyword("maxContains", _A_COUNT, _count, dialects=_NEW),
    Keyword("minContains", _A_COUNT, _count, dialects=_NEW),
    Keyword("maxProperties", _A_COUNT, _count),
    Keyword("minProperties", _A_COUNT, _count),
    Keyword("required", "a list of different names", _names),
    Keyword("dependentRequired", "lists of different names, by name", _named_names, dialects=_NEW),
    Keyword("items", "a schema, or a list of one and more", _schema_or_list, Inside.SCHEMA_OR_LIST, dialects=_OLD),
    Keyword("items", _A_SCHEMA, _is_schema, Inside.SCHEMA, dialects=_NEW),
    Keyword("additionalItems", _A_SCHEMA, _is_schema, Inside.SCHEMA, dialects=_OLD),
    Keyword("prefixItems", _SOME_SCHEMAS, _are_schemas, Inside.LIST, dialects=_NEW),
    Keyword("contains", _A_SCHEMA, _is_schema, Inside.SCHEMA),
    Keyword("unevaluatedItems", _A_SCHEMA, _is_schema, Inside.SCHEMA, dialects=_NEW),
    Keyword("properties", _BY_NAME, _named_schemas, Inside.MAP),
    Keyword("patternProperties", "schemas by regular expression", _named_schemas, Inside.MAP),
    Keyword("additionalProperties", _A_SCHEMA, _is_schema, Inside.SCHEMA),
    Keyword("propertyNames", _A_SCHEMA, _is_schema, Inside.SCHEMA),
    Keyword("unevaluatedProperties", _A_SCHEMA, _is_schema, Inside.SCHEMA, dialects=_NEW),
    Keyword("dependentSchemas", _BY_NAME, _named_schemas, Inside.MAP, in_place=True, dialects=_NEW),
    Keyword(
        "dependencies",
        "schemas or lists of different names, by name",
        _schemas_or_names,
        Inside.MAP_OR_NAMES,
        in_place=True,
        dialects=_OLD,
    ),
    Keyword("allOf", _SOME_SCHEMAS, _are_schemas, Inside.LIST, in_place=True),
    Keyword("anyOf", _SOME_SCHEMAS, _are_schemas, Inside.LIST, in_place=True),
    Keyword("oneOf", _SOME_SCHEMAS, _are_schemas, Inside.LIST, in_place=True),
    Keyword("not", _A_SCHEMA, _is_schema, Inside.SCHEMA, in_place=True),
    Keyword("if", _A_SCHEMA, _is_schema, Inside.SCHEMA, in_place=True),
    Keyword("then", _A_SCHEMA, _is_schema, Inside.SCHEMA, in_place=True),
    Keyword("else", _A_SCHEMA, _is_schema, Inside.SCHEMA, in_place=True),
    Keyword("$defs", _BY_NAME, _named_schemas, Inside.MAP, dialects=_NEW),
    Keyword("definitions", _BY_NAME, _named_schemas, Inside.MAP),
    Keyword("contentSchema", _A_SCHEMA, _is_schema, Inside.SCHEMA, dialects=_NEW),
    Keyword("$ref", "a URI reference", _text),
    Keyword("$dynamicRef", "a URI reference", _text, dialects=_NEW),
    Keyword("$anchor", "a name", _anchor, dialects=_NEW),
    Keyword("$dynamicAnchor", "a name", _anchor, dialects=_NEW),
    Keyword("$id", "a URI reference", _text, dialects=_OLD),
    Keyword("$id", "a URI reference without a fragment", _identifier, dialects=_NEW),
    Keyword("$schema", "a URI", _text),
    Keyword("$comment", "a string", _text),
    Keyword("$vocabulary", "true or false by URI", _flags_by_name, dialects=_NEW),
    Keyword("format", "a string", _text),
    Keyword("contentEncoding", "a string", _text),
    Keyword("contentMediaType", "a string", _text),
    Keyword("title", "a string", _text),
    Keyword("description", "a string", _text),
    Keyword("deprecated", "true or false", _flag, dialects=_NEW),
    Keyword("readOnly", "true or false", _flag),
    Keyword("writeOnly", "true or false", _flag),
    Keyword("examples", "a list", _list),
)

BY_NAME: dict[Dialect, dict[str, Keyword]] = {
    dialect: {row.name: row for row in ROWS if dialect in row.dialects} for dialect in Dialect
}
IN_PLACE = frozenset(row.name for row in ROWS if row.in_place)
#: Keywords that neither decide anything about an instance nor are referred to.
COMMENTS = frozenset(["$comment", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"])


def misshapen(schema: dict[str, Json], dialect: Dialect) -> tuple[str, str] | None:
    """The first keyword whose value has not the shape that its draft gives it, and what is wrong."""
    rows = BY_NAME[dialect]
    for name, value in schema.items():
        row = rows.get(name)
        if row is not None and not row.fits(value):
            return step(name), f"{name} is {row.words}"
    return None


def subschemas(schema: dict[str, Json], dialect: Dialect) -> Iterator[tuple[str, dict[str, Json] | bool, str]]:
    """Every schema directly inside: its keyword, the schema, and the way to it as a JSON pointer."""
    rows = BY_NAME[dialect]
    for name, value in schema.items():
        row = rows.get(name)
        if row is None or row.inside is Inside.NOTHING:
            continue
        if row.inside in (Inside.MAP, Inside.MAP_OR_NAMES):
            for inner, found in value.items():
                if isinstance(found, dict | bool):
                    yield name, found, f"/{name}/{step(inner)}"
        elif isinstance(value, list):
            for place, found in enumerate(value):
                yield name, found, f"/{name}/{place}"
        else:
            yield name, value, f"/{name}"


def step(name: str) -> str:
    """A name as one step of a JSON pointer (RFC 6901); a very long one is cut."""
    return name[:200].replace("~", "~0").replace("/", "~1")
