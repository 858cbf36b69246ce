"""Refusals of queries, each with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from troth.errors import Malformed


def unknown(what: str, asked: object, known: Iterable[str]) -> Malformed:
    """The refusal of a name that is none of `known`."""
    names = sorted(known)
    text = str(asked)
    close = get_close_matches(text.lower()[:100], names, n=1, cutoff=0.5)
    return Malformed(
        f"{what} {text[:80]!r} is not known",
        why=f"there are {', '.join(names)}",
        repair=f"did you mean {close[0]}?" if close else "name one of them",
        asked=text[:200],
    )


def wrong(what: str, why: str, repair: str = "see docs/queries.md") -> Malformed:
    """The refusal of a query that cannot be read."""
    return Malformed(what, why=why, repair=repair)
