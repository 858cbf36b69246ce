"""The mutants of the query language."""

from __future__ import annotations

from sqlalchemy import true

from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from troth.doors.native import queries
from troth.queries.entities import ENTITIES


def _everybody_sees_every_row() -> None:
    for row in ENTITIES.values():
        object.__setattr__(row, "visible", lambda sight: true())


_OPERATORS = Mutant("operators-unlisted", "the document of the API lists no operators", lambda: _replace(queries, "operators_of", lambda entity: {}))  # fmt: skip
QUERY_MUTANTS = {
    "ALG-25": [Mutant("queries-see-all", "queries find what is private", _everybody_sees_every_row)],
    "PDB-16": [_OPERATORS],
    "PDB-25": [_OPERATORS],
}
