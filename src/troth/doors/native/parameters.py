"""Named values that came with a request, read strictly: what is refused is named, with what it may be."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from troth.errors import Malformed
from troth.queries.language.hints import unknown

_Kind = TypeVar("_Kind", bound=msgspec.Struct)
_DOCUMENT = "see /api/v1/openapi.json"


def parameters(kind: type[_Kind], sent: Mapping[str, str], *, strict: bool, why: str = "") -> _Kind:
    """The parameters of a query as that kind; whole numbers are digits, `1.0` and `1e0` are none.

    Raises Malformed for one that is missing or not possible, and where it is `strict` for one that the kind does not have.
    """
    whole = _whole(kind)
    given = {
        name: int(value) if name in whole and _is_number(value) else value for name, value in sent.items()
    }  # fmt: skip
    return members(kind, given, strict=strict, why=why)


def members(
    kind: type[_Kind], given: Mapping[str, Any], *, strict: bool, why: str = "", noun: str = "parameter"
) -> _Kind:
    """Members of a document, or parameters, as that kind. Raises Malformed like `parameters`."""
    fields = _fields(kind)
    if strict and (others := set(given) - set(fields)):
        raise unknown(f"the {noun}", min(others), fields)
    for name, field in fields.items():
        if field.required and name not in given:
            raise Malformed(f"the {noun} {name} is missing", why=why, repair=f"add {name}", asked=name)
    try:
        return msgspec.convert({name: given[name] for name in fields if name in given}, kind)
    except msgspec.ValidationError:
        _refuse(fields, given, noun)
        raise


def _refuse(fields: Mapping[str, FieldInfo], given: Mapping[str, Any], noun: str) -> None:
    """Raises Malformed for the first that does not fit by itself."""
    for name, field in fields.items():
        if name not in given:
            continue
        try:
            msgspec.convert(given[name], field.type)
        except msgspec.ValidationError as error:
            raise Malformed(
                f"{name} cannot be {_short(given[name])}",
                why=_possible(field.type) or f"the {noun} does not fit: {error}",
                repair=_DOCUMENT,
                asked=name,
            ) from None


def _possible(kind: Any) -> str:
    """What a whole number or one of several words may be; nothing for other kinds."""
    if get_origin(kind) is Literal:
        return f"it is one of {', '.join(map(str, get_args(kind)))}"
    for one in (kind, *get_args(kind)):
        described = msgspec.json.schema(one)
        if described.get("type") == "integer":
            least, most = described.get("minimum"), described.get("maximum")
            ends = f" from {least}" if least is not None else ""
            return f"it is a whole number{ends}" + (f" to {most}" if most is not None else "")
    return ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, FieldInfo]:
    """Fields by the names that they are sent under; msgspec evaluates annotations anew each time it is asked."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


@functools.cache
def _whole(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The parameters that are whole numbers."""
    return frozenset(field.encode_name for field in _fields(kind).values() if _is_whole(field.type))


def _is_whole(kind: Any) -> bool:
    return kind is int or any(_is_whole(one) for one in get_args(kind))
