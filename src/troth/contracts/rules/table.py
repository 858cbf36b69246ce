"""The rules as data: what a finding is called, what it means, how much it matters and which clauses care.

The rows live in the `.toml` files beside this module, one file for each kind. Checkers name a row by its id and
nothing else, `troth rules` and `troth explain` print them, and the example of each row is its test.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from troth.contracts.changes import ABSENT, Change, Level
from troth.errors import NotFound

Kind = Literal["algorithm", "schema", "openapi", "python", "wire"]
Side = Literal["input", "output", "both", "permissions"]
LeastBump = Literal["major", "minor", "revision"]
KINDS: tuple[Kind, ...] = ("algorithm", "schema", "openapi", "python", "wire")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a finding that a checker can make.

    `least` is the smallest bump that a version with this finding may have. `before` and `after` are a pair of
    documents between which the checker finds just this. `undecided` rules say that nothing was proved either way.
    """

    id: str
    kind: Kind
    purpose: str
    side: Side
    level: Level
    least: LeastBump
    clauses: tuple[str, ...]
    before: str
    after: str
    undecided: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        return {
            "id": self.id,
            "kind": self.kind,
            "purpose": self.purpose,
            "side": self.side,
            "level": self.level.value,
            "least": self.least,
            "clauses": list(self.clauses),
            "before": self.before,
            "after": self.after,
            "undecided": self.undecided,
        }

    def found(self, path: str, old: Any = ABSENT, new: Any = ABSENT, words: str = "", witness: Any = ABSENT) -> Change:
        """A finding of this rule. `words` say it in a sentence; without them the purpose does."""
        return Change(self.id, self.level, path, old, new, words or self.purpose, witness, self.undecided)


@cache
def rules() -> dict[str, Rule]:
    """The whole table, by id, in the order of kinds."""
    rows: dict[str, Rule] = {}
    for kind in KINDS:
        document = tomllib.loads(resources.files("troth.contracts.rules").joinpath(f"{kind}.toml").read_text())
        for name, row in document.items():
            rows[name] = _rule(name, kind, row)
    return rows


def rule(rule_id: str) -> Rule:
    """The row with this id. Raises NotFound."""
    if found := rules().get(rule_id.casefold()):
        return found
    raise NotFound(
        f"there is no rule {rule_id!r}", why="rules are the rows of one table", repair="troth rules lists them"
    )


def _rule(name: str, kind: Kind, row: dict[str, Any]) -> Rule:
    level = Level(row["level"])
    clauses = tuple(row.get("clauses", _CLAUSES[kind][row["least"]]))
    return Rule(**{**row, "id": name, "kind": kind, "level": level, "clauses": clauses})


#: The clauses that ask for a bump, where a row names no others.
_CLAUSES: dict[Kind, dict[str, list[str]]] = {
    "algorithm": {"major": ["ALG-05"], "minor": ["ALG-07", "ALG-09"], "revision": []},
    "schema": {"major": ["ALG-05"], "minor": ["ALG-07", "ALG-09"], "revision": []},
    "openapi": {"major": ["PDB-21"], "minor": ["PDB-13", "PDB-19"], "revision": []},
    "python": {"major": ["PDB-05", "PLX-07"], "minor": ["PDB-19", "PLX-07"], "revision": []},
    "wire": {"major": ["PDB-45"], "minor": ["PDB-45"], "revision": []},
}
