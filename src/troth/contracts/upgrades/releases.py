"""A release as the plan of an upgrade looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troth.versions.releases.numbers import ReleaseNumber

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedRelease:
    """One release. `facts`, `notes` and `paths` are as they were recorded; `state` names its migrations."""

    number: ReleaseNumber
    released: str
    occasion: str
    state: str
    stable: bool = False
    #: why it was taken back
    yanked: str = ""
    components: Mapping[str, str] = field(default_factory=dict)
    facts: Sequence[Told] = ()
    notes: Sequence[Told] = ()
    paths: Sequence[Told] = ()

    def outcomes_from(self) -> dict[str, str]:
        """What came of running the migrations to this release, by the release that they were run from.

        Where there are several chains, it is what came of the worst.
        """
        found: dict[str, str] = {}
        for path in self.paths:
            for begins in (path["begins"], *path["also"]):
                found[begins] = max(found.get(begins, "passed"), path["outcome"], key=_WORSE.index)
        return found

    def seconds_from(self, begins: str) -> float:
        """How long the migrations from that release were measured to take."""
        return float(sum(path["seconds"] for path in self.paths if begins in (path["begins"], *path["also"])))


_WORSE = ["passed", "not proved", "failed"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What one end of an upgrade holds: every migration, in an order in which they run, and its documents of settings."""

    migrations: Sequence[Told] = ()
    settings: Sequence[Told] = ()
