"""The states of troth's own two APIs, as long as nobody moved them: each began with 0.1.0, which is its starting point (PDB-03)."""

from __future__ import annotations

from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, StateTable

ALGORITHMIA, NATIVE = "troth/algorithmia", "troth/native"
STARTING_POINT = 1

OWN = {
    name: StateTable.of(name, 0, ApiVersion(STARTING_POINT, State.CURRENT, since="0.1.0"))
    for name in (ALGORITHMIA, NATIVE)
}
#: Where the versions of each lie: `/v1`, `/api/v1`.
PREFIXES = {ALGORITHMIA: "/", NATIVE: "/api/"}
