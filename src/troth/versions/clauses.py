"""The policy as data: every clause, the notes on how it is read, and the revision they belong to (PLX-01).

The rows live in `clauses.toml`; rules, refusals, tests and documentation name them by id.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from troth.errors import NotFound

Kind = Literal["RULE", "MAY", "SEMANTICS", "ADVICE", "CONTEXT"]
Status = Literal["enforced", "shown", "planned"]


@dataclass(frozen=True, slots=True)
class Note:
    """How an unclear or conflicting statement is read."""

    id: str
    concerns: str
    reading: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement of the source documents and what the machine makes of it."""

    id: str
    kind: Kind
    sentence: str
    affects: str
    enforcement: str
    source: str
    notes: tuple[str, ...]
    status: Status
    #: the revision of the policy in which the row has this form
    revision: int

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class Policy:
    """All clauses of one revision."""

    revision: int
    clauses: dict[str, Clause]
    notes: dict[str, Note]


@cache
def policy() -> Policy:
    """The policy in force."""
    document = tomllib.loads(resources.files("troth.versions").joinpath("clauses.toml").read_text())
    rows = [Clause(**{**row, "notes": tuple(row["notes"])}) for row in document["clause"]]
    notes = {key: Note(key, **note) for key, note in document["notes"].items()}
    return Policy(document["revision"], {row.id: row for row in rows}, notes)


def clause(clause_id: str) -> Clause:
    """The row with this id, whatever its letter case. Raises NotFound."""
    rows = {key.casefold(): row for key, row in policy().clauses.items()}
    if found := rows.get(clause_id.casefold()):
        return found
    raise NotFound(
        f"there is no clause {clause_id!r}",
        why="clauses are numbered ALG-01 to ALG-26, PDB-01 to PDB-47 and PLX-01 to PLX-18",
        repair="troth clauses lists them",
    )
