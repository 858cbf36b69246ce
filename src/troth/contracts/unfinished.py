"""The answer to pairs whose comparing was ended before it came to one. It needs nothing of what compares."""

from __future__ import annotations

from dataclasses import replace

from troth.contracts.changes import Answer, Comparison, concluded
from troth.contracts.rules.table import rule


def unfinished(kind: str, why: str) -> Comparison:
    """The answer to a pair whose comparing came to no end: nothing was proved. Wire formats need a new version then (PDB-44)."""
    if kind == "wire":
        return replace(concluded([rule("wire-undecided").found("", words=why)]), fault=why)
    return Comparison(Answer.CANNOT_TELL, fault=why)
