"""How judging names what no clause speaks of: a row for each form, so that nobody decides what is never asked (PDB-04)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from troth.errors import Malformed, NotFound
from troth.versions.lifecycles.subject import Move
from troth.versions.lifecycles.table import version_name, version_number
from troth.versions.lifecycles.transitions import TRANSITIONS
from troth.versions.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Form:
    """One row: how it is told, and what it matches. Its group `there` has the versions that have to exist."""

    words: str
    pattern: re.Pattern[str]


_VERSION = r"v[1-9][0-9]{0,8}"
_THERE = rf"(?P<there>{_VERSION})"
_RELEASE = r"[0-9]+\.[0-9]+\.[0-9]+\S{0,100}"
_MOVES = [move.value for move in Move if move is not Move.CREATE]
_OPEN = [row.about for row in TRANSITIONS.values() if row.otherwise is Outcome.NOT_REGULATED]
_LEGAL = [row.about for row in TRANSITIONS.values() if row.steps]


def _form(words: str, pattern: str) -> Form:
    return Form(words, re.compile(pattern, re.ASCII))


FORMS = (
    _form("vN beside vM", rf"{_VERSION} beside (?P<there>{_VERSION}(?:, {_VERSION})*)"),
    _form("number vN", rf"number {_VERSION}"),
    _form("vN again", rf"{_THERE} again"),
    _form("create vN in X.Y.Z", rf"create {_VERSION} in {_RELEASE}"),
    _form(f"{'|'.join(_MOVES)} vN in X.Y.Z", rf"(?:{'|'.join(_MOVES)}) {_THERE} in {_RELEASE}"),
    _form(f"vN {' | '.join(_OPEN)}", rf"{_THERE} (?:{'|'.join(_OPEN)})"),
    _form(f"vN {' | '.join(_LEGAL)} in X.Y.Z", rf"{_THERE} (?:{'|'.join(_LEGAL)}) in {_RELEASE}"),
    _form("vN before X.Y.Z", rf"{_THERE} before {_RELEASE}"),
)


def check_gap(about: str, known: Collection[int]) -> None:
    """Raises Malformed for what judging never asks about, and NotFound where it is about versions that were never made."""
    found = next((match for form in FORMS if (match := form.pattern.fullmatch(about))), None)
    if found is None:
        raise Malformed(
            f"{about[:80]!r} is nothing that judging leaves open",
            why=f"a decision is found by its form, which is one of: {'; '.join(form.words for form in FORMS)}",
            repair="decide what the answer that asked for a decision names, in its words",
            clauses=["PDB-04"],
            asked=about[:200],
        )
    named = [version_number(name) for name in (found.groupdict().get("there") or "").split(", ") if name]
    missing = [version_name(number) for number in named if number is not None and number not in known]
    if missing:
        raise NotFound(
            f"{about!r} speaks of {', '.join(missing)}, which was never made",
            why="a decision about a version that is not there would fill no gap",
            repair="decide what the answer that asked for a decision names, in its words",
            clauses=["PDB-04"],
            asked=about[:200],
        )
