"""The way from one release to another: which jumps lead there, and where to stop in between.

A jump is legal from every release of the same major, and from the newest of the former major (PLX-09, note N22).
Of all ways the one with the fewest jumps that nobody proved is recommended, and of those the shortest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from troth.contracts.upgrades.releases import PlannedRelease

PROVED: Final = "proved"
NOTHING: Final = "nothing to migrate"
UNPROVED: Final = "not proved"
FAILED: Final = "failed"

_Cost = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Jump:
    """One upgrade in one step, and whether its migrations were run."""

    begins: PlannedRelease
    ends: PlannedRelease
    standing: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        begins = str(self.begins.number)
        seconds = round(self.ends.seconds_from(begins), 3) if self.standing == PROVED else None
        return {"from": begins, "to": str(self.ends.number), "standing": self.standing, "seconds": seconds}


def standing_of(begins: PlannedRelease, ends: PlannedRelease) -> str:
    """What is known of a jump."""
    outcome = ends.outcomes_from().get(str(begins.number))
    if outcome == "passed":
        return PROVED
    if outcome == "failed":
        return FAILED
    return NOTHING if begins.state == ends.state else UNPROVED


def way(nodes: Sequence[PlannedRelease]) -> list[Jump]:
    """The jumps from the first of these releases to the last; they rise, and those between may be stopped at."""
    best: list[tuple[_Cost, int]] = [((0, 0), -1)]
    places = {str(one.number): place for place, one in enumerate(nodes)}
    search = _Search(best)
    search.add(0, nodes[0])
    for place in range(1, len(nodes)):
        node = nodes[place]
        best.append(min(search.ways_to(node, places), default=((len(nodes) + 1, len(nodes) + 1), place - 1)))
        search.add(place, node)
    found = []
    place = len(nodes) - 1
    while place > 0:
        before = best[place][1]
        found.append(Jump(nodes[before], nodes[place], standing_of(nodes[before], nodes[place])))
        place = before
    return found[::-1]


class _Search:
    """The cheapest ways so far, by what a further jump could begin at; so each release is looked at once."""

    def __init__(self, best: list[tuple[_Cost, int]]) -> None:
        self._best = best
        self._by_state: dict[str, int] = {}
        self._by_major: dict[int, int] = {}
        self._newest: dict[int, int] = {}

    def ways_to(self, node: PlannedRelease, places: dict[str, int]) -> Iterator[tuple[_Cost, int]]:
        """Every way to a release that may be the cheapest: what it costs, and where its last jump begins."""
        outcomes = node.outcomes_from()
        for begins, outcome in outcomes.items():
            if outcome == "passed" and begins in places and places[begins] < len(self._best):
                yield self._further(places[begins], 0)
        if (same := self._by_state.get(node.state)) is not None:
            yield self._further(same, 0)
        failed = {places[begins] for begins, outcome in outcomes.items() if outcome == "failed" and begins in places}
        for place in self._unproved(node.number.major):
            if place not in failed:
                yield self._further(place, 1)

    def add(self, place: int, node: PlannedRelease) -> None:
        """Further jumps may begin at this release."""
        major = node.number.major
        for cheapest, key in ((self._by_state, node.state), (self._by_major, major)):
            if key not in cheapest or self._best[place][0] < self._best[cheapest[key]][0]:  # type: ignore[index]
                cheapest[key] = place  # type: ignore[index]
        self._newest[major] = place

    def _unproved(self, major: int) -> Iterator[int]:
        if major in self._by_major:
            yield self._by_major[major]
            yield self._newest[major]
        former = [one for one in self._newest if one < major]
        if former:
            yield self._newest[max(former)]

    def _further(self, place: int, unproved: int) -> tuple[_Cost, int]:
        (so_far, jumps), _ = self._best[place]
        return (so_far + unproved, jumps + 1), place
