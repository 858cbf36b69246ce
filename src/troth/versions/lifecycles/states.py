"""The four states of a version of an API (PDB-11). What may follow what is in transitions.py."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How much a version promises."""

    EXPERIMENTAL = "experimental"  #: a future version, which may still change (PDB-20)
    CURRENT = "current"  #: the version to use
    DEPRECATED = "deprecated"  #: on its way out, frozen (PDB-30)
    RETIRED = "retired"  #: gone (PDB-38)


#: A new version begins here, never as current (PDB-20).
FIRST = State.EXPERIMENTAL
