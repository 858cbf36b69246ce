"""Values of a query in the type that a field of that kind compares with."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from troth.clock import stamp
from troth.errors import Malformed, MalformedNumber
from troth.queries.language import bounds
from troth.queries.language.fields import Field, Kind
from troth.queries.language.hints import wrong
from troth.versions.numbers import LARGEST_PART, Number
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.ordering import order_key

_LINE = re.compile(r"(0|[1-9][0-9]{0,9})(?:\.(0|[1-9][0-9]{0,9}))?(?:\.\*)?", re.ASCII)
#: what both databases keep as a whole number
LARGEST_INTEGER = 2**63 - 1


class Line(NamedTuple):
    """A major line, or one of its minor lines."""

    major: int
    minor: int | None


def typed(field: Field, operator: str, value: Any) -> Any:
    """The value as the field compares with it. Raises Malformed.

    A VERSION is a `Number`, a RELEASE its `order_key`, a MOMENT a stamp; after `in-line` both are a `Line`.
    """
    if operator == "in-line":
        return _line(field, value)
    if operator == "compatible-with" and field.kind is Kind.RELEASE:
        return _release(field, value)
    found = _READERS[field.kind](field, value)
    return order_key(found) if isinstance(found, ReleaseNumber) else found


def moment(text: str) -> str:
    """A moment in RFC 3339 as the registry writes it, in UTC where it names no zone. Raises Malformed."""
    try:
        found = datetime.fromisoformat(text)
        return stamp(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise wrong(f"{text[:40]!r} is no moment", "moments are in RFC 3339", "write 2026-11-25T13:00:00Z") from None


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(field, value, "a text")
    if len(value) > bounds.LONGEST_VALUE:
        raise wrong(f"a value of {field.name} is too long", f"it has at most {bounds.LONGEST_VALUE} characters")
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise wrong(f"a value of {field.name} is no text", "neither NUL nor half a character is in any field")
    return value


def _integer(field: Field, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_INTEGER:
        raise _unfit(field, value, "a whole number")
    return value


def _number(field: Field, value: Any) -> float:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise _unfit(field, value, "a number")


def _boolean(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unfit(field, value, "true or false")
    return value


def _moment(field: Field, value: Any) -> str:
    return moment(_text(field, value))


def _version(field: Field, value: Any) -> Number:
    try:
        return Number.parse(_text(field, value))
    except MalformedNumber as error:
        raise wrong(f"{field.name} cannot be {value[:40]!r}", error.why, error.repair) from None


def _release(field: Field, value: Any) -> ReleaseNumber:
    try:
        return ReleaseNumber.parse(_text(field, value))
    except MalformedNumber as error:
        raise wrong(f"{field.name} cannot be {value[:40]!r}", error.why, error.repair) from None


def _line(field: Field, value: Any) -> Line:
    found = _LINE.fullmatch(_text(field, value))
    if found is None or int(found[1]) > LARGEST_PART or int(found[2] or 0) > LARGEST_PART:
        raise wrong(f"{value[:40]!r} is no line", "a line is 1, 1.*, 1.2 or 1.2.*", "write it like 1.2")
    return Line(int(found[1]), int(found[2]) if found[2] is not None else None)


def _document(field: Field, value: Any) -> Any:
    raise _unfit(field, value, "looked into; ask with null? whether there is one")


def _unfit(field: Field, value: Any, expected: str) -> Malformed:
    return wrong(f"{field.name} cannot be {str(value)[:40]!r}", f"it is of the kind {field.kind}", f"give {expected}")


_READERS = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.MOMENT: _moment,
    Kind.VERSION: _version,
    Kind.RELEASE: _release,
    Kind.DOCUMENT: _document,
}
