"""How histories may call kinds of events and their members: the first name is the usual one. docs/histories.md lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from troth.versions.lifecycles.subject import Move

Names = tuple[str, ...]

#: of the head
HISTORY: Final[Names] = ("history", "name", "product")
STARTING_POINT: Final[Names] = ("starting_point", "starting_points")
#: of releases, and of marks of stability
NUMBER: Final[Names] = ("number", "version", "release")
TARGETS: Final[Names] = ("targets", "packaging", "distributions")
#: of releases and of changes
BREAKS: Final[Names] = ("breaks", "breaking")
FEATURES: Final[Names] = ("features", "additions")
#: of moves
VERSION: Final[Names] = ("version", "api_version")
OPERATION: Final[Names] = ("operation", "endpoint")
REFERENCE: Final[Names] = ("reference", "advisory")
#: of commands
COMMAND: Final[Names] = ("command", "name")
CHANGES: Final[Names] = ("changes", "parameters", "values", *BREAKS, *FEATURES)
MEMBERS: Final[tuple[Names, ...]] = (
    HISTORY, STARTING_POINT, NUMBER, TARGETS, BREAKS, FEATURES, VERSION, OPERATION, REFERENCE, COMMAND, CHANGES,
)  # fmt: skip

#: Kinds of events to moves.
MOVES: Final[Mapping[str, Move]] = {
    "create": Move.CREATE,
    "graduate": Move.GRADUATE,
    "deprecate": Move.DEPRECATE,
    "retire": Move.RETIRE,
    "drop": Move.DROP,
    "change": Move.CHANGE,
    "security-fix": Move.SECURITY_FIX,
    "extend": Move.EXTEND,
    "state": Move.RETURN,
}
#: Other kinds.
KINDS: Final[tuple[Names, ...]] = (
    ("release",),
    ("stable", "mark-stable"),
    ("decision", "decide"),
    ("command", "command-version", "create-command", "new-command"),
    ("command-change", "change-command", "wire-format-change"),
    ("deprecate-command", "command-deprecate"),
    ("retire-command", "command-retire"),
)
#: Around the name of a move; MOVE stands for it.
AROUND: Final[Names] = (
    "MOVE", "api-MOVE", "api-version-MOVE", "MOVE-api", "MOVE-version", "MOVE-api-version", "api-MOVE-version",
)  # fmt: skip
_USUAL: Final[Mapping[str, str]] = {
    **{name: names[0] for names in KINDS for name in names},
    **{form.replace("MOVE", move): move for move in MOVES for form in AROUND},
}


def kind_of(text: str) -> str:
    """The usual name of a kind of event, however it is written; what nobody knows stays as it is, in small letters."""
    kind = re.sub(r"[\s_]+", "-", text.strip().lower())
    return _USUAL.get(kind, kind)
