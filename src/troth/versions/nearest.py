"""What somebody may have meant by a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelt most alike; None where none is near."""
    return next(iter(get_close_matches(word[:100].lower(), list(known), 1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean breaking?`; empty where no known word is near."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found else ""
