"""Tables of states that tests of replies go by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, Brownout, StateTable

API = "ada/shop"
BEGINS, ENDS = "2027-01-10T10:00:00Z", "2027-01-10T10:05:00Z"
TABLE = StateTable.of(
    API,
    1,
    ApiVersion(3, State.RETIRED, since="7.0.0", successor=4),
    ApiVersion(
        4, State.DEPRECATED, since="7.0.0", retires_in="8.0.0", successor=5, deprecated_at="2026-01-01T00:00:00Z"
    ),
    ApiVersion(5, State.CURRENT, since="7.0.0"),
    ApiVersion(6, State.EXPERIMENTAL),
)
#: what replies of each version have of these
MARKS = {
    4: {"troth-api-state": "deprecated", "deprecation": "@1767225600", "troth-retires-in": "8.0.0"},
    5: {},
    6: {"troth-api-state": "experimental"},
}
NAMES = ("troth-api-state", "deprecation", "troth-retires-in", "sunset")


def with_brownout(version: int, *, production: bool = False) -> StateTable:
    """The same table, with a brownout of a version."""
    return StateTable.of(API, 2, *TABLE.versions.values(), brownouts=(Brownout(version, BEGINS, ENDS, production),))


def write(path: Path, table: StateTable = TABLE) -> Path:
    """The table in a file."""
    path.write_text(json.dumps(table.as_dict()))
    return path


def marks(headers: Mapping[str, str]) -> dict[str, str]:
    """What the headers of a reply say of its version's state."""
    return {name: headers[name] for name in NAMES if name in headers}
