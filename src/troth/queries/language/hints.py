"""Refusals of queries, each with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from troth.errors import Malformed
from troth.versions.nearest import did_you_mean


def unknown(what: str, asked: object, known: Iterable[str]) -> Malformed:
    """The refusal of a name that is none of `known`."""
    names = sorted(known)
    text = str(asked)
    return Malformed(
        f"{what} {text[:80]!r} is not known",
        why=f"there are {', '.join(names)}",
        repair=did_you_mean(text, names) or "name one of them",
        asked=text[:200],
    )


def wrong(what: str, why: str, repair: str = "see docs/queries.md") -> Malformed:
    """The refusal of a query that cannot be read."""
    return Malformed(what, why=why, repair=repair)
