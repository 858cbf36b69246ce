"""Lists page by page (algorithmia-api, section 3.5). A marker holds the place of the last entry that was sent, so that
what is added or removed meanwhile neither repeats nor hides another."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from troth.doors.algorithmia.endpoints import Asked
from troth.doors.algorithmia.refusals import BAD_LIMIT, BAD_MARKER, INVALID_REQUEST, Numbered
from troth.queries.management import UUID, Place
from troth.versions.numbers import LARGEST_PART, Number

_USUAL, _MOST = 50, 100
_LONGEST_MARKER = 500
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{15}Z", re.ASCII)
_TRUTH = {"": None, "true": True, "false": False}


def limit_of(asked: Asked, name: str = "limit") -> int:
    """How many entries are asked for."""
    text = asked.query(name) or str(_USUAL)
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MOST:
        return int(text)
    raise Numbered(BAD_LIMIT, f"{name} cannot be {text[:40]!r}", why=f"it is a number from 1 to {_MOST}")


def place_of(asked: Asked) -> Place | None:
    """The place in a list of builds behind which the page begins."""
    place = _marker(asked)
    if isinstance(place, Number):
        raise _bad_marker(asked)
    return place


def number_or_place_of(asked: Asked) -> Number | Place | None:
    """The place in a list of versions behind which the page begins: a published one's number, or a build's place."""
    return _marker(asked)


def names_of(asked: Asked, count: int) -> list[str]:
    """The names behind which the page of a report begins; none where it is the first."""
    found = _document(asked) if asked.query("marker") else []
    if found == [] or (isinstance(found, list) and len(found) == count and all(map(_is_name, found))):
        return found
    raise _bad_marker(asked)


def truth_of(asked: Asked, name: str) -> bool | None:
    """A parameter that is true or false, whatever the case of its letters, or was left out."""
    text = asked.query(name)
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    raise Numbered(INVALID_REQUEST, f"{name} cannot be {text[:40]!r}", why="it is true or false")


def page(
    asked: Asked, results: Sequence[dict[str, Any]], following: Number | Place | None, *filters: str
) -> dict[str, Any]:
    """The answer with these entries; `following` is the place of the last one where others come behind it."""
    if following is None:
        return {"marker": None, "next_link": None, "results": results}
    marker = marker_of(following)
    kept = {name: asked.query(name) for name in filters if asked.query(name)}
    query = urlencode({**kept, "limit": limit_of(asked), "marker": marker})
    link = f"{asked.server}{quote(asked.request.scope['path'])}?{query}"
    return {"marker": marker, "next_link": link, "results": results}


def _is_name(one: Any) -> bool:
    return isinstance(one, str) and one.isprintable()


def marker_of(place: Sequence[Any]) -> str:
    """The marker that holds a place."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def _marker(asked: Asked) -> Number | Place | None:
    if not asked.query("marker"):
        return None
    place = _place(_document(asked))
    if place is None:
        raise _bad_marker(asked)
    return place


def _document(asked: Asked) -> Any:
    text = asked.query("marker")
    try:
        if len(text) > _LONGEST_MARKER:
            raise ValueError
        return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _bad_marker(asked) from None


def _place(found: Any) -> Number | Place | None:
    match found:
        case [int() as major, int() as minor, int() as revision]:
            legal = all(type(part) is int and 0 <= part <= LARGEST_PART for part in found)
            return Number(major, minor, revision) if legal else None
        case [str() as moment, str() as identity] if _MOMENT.fullmatch(moment) and UUID.fullmatch(identity):
            return moment, identity
    return None


def _bad_marker(asked: Asked) -> Numbered:
    return Numbered(
        BAD_MARKER,
        f"{asked.query('marker')[:40]!r} is not a marker of this list",
        why="a marker comes from the page before",
        repair="leave it out to begin anew",
    )
