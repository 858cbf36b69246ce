"""Moves of API versions in a history: from events to what the policy is asked, and back.

A history tells what happened. So a graduation deprecates the former current version only where the history says so, in the same
release; and what was refused has happened all the same, so that later events are judged beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from troth.contracts.histories.reading import Event, History
from troth.contracts.histories.spellings import BREAKS, FEATURES, MOVES, NUMBER, OPERATION, REFERENCE, VERSION
from troth.contracts.histories.verdict import EventVerdict, Said, decided
from troth.contracts.histories.waivers import waivers_of
from troth.errors import MalformedNumber
from troth.versions.lifecycles.judging import judge, moved
from troth.versions.lifecycles.numbers import next_major, parsed
from troth.versions.lifecycles.rules import overdue, still_served
from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.subject import Api, Asked, ContractChange, Decided, Move, Weight
from troth.versions.lifecycles.verdict import MoveVerdict
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.verdict import Outcome

_WEIGHTS: Final = {
    Weight.BREAK: BREAKS,
    Weight.UNDECIDED: ("undecided",),
    Weight.ADDITION: FEATURES,
    Weight.FIX: ("fixes",),
}


@dataclass(slots=True)
class Apis:
    """The APIs so far, and which events ride on which release."""

    history: History
    riding: Mapping[ReleaseNumber, Sequence[Event]]
    found: dict[str, Api] = field(default_factory=dict)
    #: (api, version) that a graduation deprecated, to the release
    deprecated: dict[tuple[str, int], ReleaseNumber] = field(default_factory=dict)

    def name_of(self, event: Event) -> str:
        """Which API an event is about."""
        return event.text("api", default=self.history.api)

    def api(self, name: str) -> Api:
        """An API as it is."""
        if name not in self.found:
            points = self.history.starting_points
            start = points.get(name, points.get(""))
            told = [
                Decided(str(one.get("about")), one["allowed"] is True, str(one.get("reason", "")))
                for one in self.history.api_decisions
            ]
            self.found[name] = Api(starting_point=parsed(start) if start else None, decisions=tuple(told))
        return self.found[name]

    def judged(self, event: Event, move: Move, release: ReleaseNumber) -> EventVerdict:
        """The verdict on a move; whatever it is, the move was made."""
        name = self.name_of(event)
        api = self.api(name)
        asked = self._asked(event, move, release, api)
        asked = replace(asked, waivers=waivers_of(event, asked, name))
        what = f"{asked.move} {name} {asked.name} in {release}"
        if move is Move.DEPRECATE and self.deprecated.get((name, asked.number)) == release:
            return decided(event, what, (), ("PDB-31",))
        verdict = judge(asked, api)
        if self._unjudged_release(release):
            verdict = replace(
                verdict, outcome=Outcome.ALLOWED, objections=(), rests_on=("PDB-03",), judged=False,
                waived=(), waivers=(),
            )  # fmt: skip
        self.found[name] = moved(api, verdict)
        for number, state in verdict.effects.items():
            if state is State.DEPRECATED and number != asked.number:
                self.deprecated[name, number] = release
        return _told(event, what, verdict)

    def decide(self, event: Event) -> EventVerdict:
        """A decision about what no clause speaks of, which later events are judged by (PDB-04)."""
        name, about = self.name_of(event), event.text("about")
        allowed, reason = event.members.get("allowed"), event.text("reason")
        if not about or not isinstance(allowed, bool) or not reason:
            raise event.wrong(
                "a decision says about what, whether it is allowed, and why", "write about, allowed, reason"
            )
        api = self.api(name)
        self.found[name] = replace(api, decisions=(*api.decisions, Decided(about, allowed, reason)))
        may = "allowed" if allowed else "forbidden"
        return decided(event, f"decide that {about} is {may} for {name}", (), ("PDB-04",))

    def release_reasons(self, event: Event, release: ReleaseNumber, former: ReleaseNumber | None) -> Iterator[Said]:
        """What is wrong with what a release serves and documents, once its own moves are made."""
        if self._unjudged_release(release):
            return
        for name, api in self.found.items():
            if not api.governed:
                continue
            leaving = self._versions(name, release, Move.RETIRE, Move.EXTEND, Move.DROP)
            for one in overdue(api, release, former):
                if one.number not in leaving:
                    yield Said("PDB-35", *still_served(one, release))
            yield from self._served(event, name, api, leaving)

    def release_notes(self, release: ReleaseNumber) -> Iterator[str]:
        """The versions that a release serves only because their retirement was put off (PDB-35)."""
        for name, api in self.found.items():
            for one in api.live(State.DEPRECATED):
                if (
                    one.extended is not None
                    and one.since is not None
                    and next_major(one.since) <= release < one.extended
                ):
                    yield f"{name} {one.name} is served by an extension, until {one.extended} (PDB-35)"

    def _served(self, event: Event, name: str, api: Api, leaving: set[int]) -> Iterator[Said]:
        """What the event itself lists: versions that are served, and those that are documented."""
        gone = {number for number, one in api.versions.items() if one.state is State.RETIRED}
        gone |= {number for number in leaving if number in self._versions(name, _release(event), Move.RETIRE)}
        for number in self._listed(event, name, "serves"):
            if number in gone:
                yield Said("PDB-38", f"v{number} is retired, and is served", f"answer 410 on every path of v{number}")
        for number in self._listed(event, name, "documents"):
            if number in gone:
                yield Said("PDB-39", f"v{number} is retired, and is documented", f"take the pages of v{number} out")
        if "serves" in event.members:
            served = set(self._listed(event, name, "serves"))
            kept = [*api.live(State.CURRENT), *api.live(State.DEPRECATED)]
            for one in kept:
                if one.number not in served | gone and one.state is State.CURRENT:
                    yield Said("PDB-36", f"{one.name} is current, and is not served", f"serve {one.name}")
                elif one.number not in served | gone:
                    yield Said("PDB-37", f"{one.name} is deprecated, and is not served any more", "retire it in X")

    def _listed(self, event: Event, name: str, member: str) -> list[int]:
        value = event.members.get(member)
        if isinstance(value, dict):
            value = value.get(name)
        elif name != self.history.api:
            return []
        return [parsed(str(one)) for one in (value if isinstance(value, list) else [value] if value else [])]

    def _asked(self, event: Event, move: Move, release: ReleaseNumber, api: Api) -> Asked:
        number = parsed(event.text(*VERSION))
        fix = move is Move.CHANGE and bool(event.members.get("security"))
        until = event.text("until")
        return Asked(
            Move.SECURITY_FIX if fix else move,
            number,
            release,
            state=_state(event, "state", FIRST),
            operation=event.text(*OPERATION) if move not in (Move.CHANGE, Move.SECURITY_FIX) else "",
            changes=tuple(_changes(event)),
            reference=event.text(*REFERENCE),
            note=event.text("note"),
            reason=event.text("reason"),
            until=ReleaseNumber.parse(until) if until else None,
            former=self._former(event, number, release, api) if move is Move.GRADUATE else None,
            disturbed=self._disturbed(event, release, api) if move is Move.CREATE else {},
        )

    def _former(self, event: Event, number: int, release: ReleaseNumber, api: Api) -> State:
        """What became of the version that was current, as the history tells it."""
        others = {one.number for one in api.live(State.CURRENT) if one.number != number}
        said = event.text("former")
        if said:
            return _state(event, "former", State.CURRENT)
        name = self.name_of(event)
        deprecated = {parsed(word) for word in event.words("deprecates")}
        deprecated |= self._versions(name, release, Move.DEPRECATE)
        if others <= deprecated:
            return State.DEPRECATED
        return State.RETIRED if others & self._versions(name, release, Move.RETIRE) else State.CURRENT

    def _disturbed(self, event: Event, release: ReleaseNumber, api: Api) -> dict[int, str]:
        """Which other versions are not served as they were, in the release that makes one."""
        name = self.name_of(event)
        found = dict.fromkeys(self._versions(name, release, Move.RETIRE, Move.DROP), "not served")
        for other in self.riding.get(release, ()):
            if (
                MOVES.get(other.kind) is Move.CHANGE
                and self.name_of(other) == name
                and other.listed(*_WEIGHTS[Weight.BREAK])
            ):
                found[parsed(other.text(*VERSION))] = "changed"
        return found | {parsed(word): "not served" for word in event.words("without")}

    def _versions(self, name: str, release: ReleaseNumber | None, *moves: Move) -> set[int]:
        """The versions of an API that make one of these moves in a release."""
        if release is None:
            return set()
        events = [
            one for one in self.riding.get(release, ()) if MOVES.get(one.kind) in moves and self.name_of(one) == name
        ]
        return {number for one in events if (number := _number(one)) is not None}

    def _unjudged_release(self, release: ReleaseNumber) -> bool:
        return self.history.since is not None and release <= self.history.since


def _told(event: Event, what: str, verdict: MoveVerdict) -> EventVerdict:
    said = tuple(Said(one.clause, one.text, one.repair, one.question, one.also) for one in verdict.objections)
    notes = verdict.warnings + verdict.decided
    waived = tuple(Said(one.clause, one.text, also=one.also) for one in verdict.waived)
    told = tuple(one.as_dict(verdict.asked.numbered) for one in verdict.waivers)
    return EventVerdict(
        event, what, verdict.outcome, said, verdict.clauses, notes, verdict.judged, waived, told
    )  # fmt: skip


def _changes(event: Event) -> Iterator[ContractChange]:
    for weight, names in _WEIGHTS.items():
        for one in event.listed(*names):
            clauses = one.get("clauses") if isinstance(one, dict) else None
            words = str(one.get("words", one)) if isinstance(one, dict) else str(one)
            yield ContractChange(weight, words, tuple(map(str, clauses)) if isinstance(clauses, list) else ())


def _state(event: Event, name: str, usual: State) -> State:
    text = event.text(name)
    try:
        return State(text) if text else usual
    except ValueError:
        raise event.wrong(f"{name} is {text!r:.40}", f"write one of {', '.join(State)}") from None


def _number(event: Event) -> int | None:
    try:
        return parsed(event.text(*VERSION))
    except MalformedNumber:
        return None


def _release(event: Event) -> ReleaseNumber | None:
    text: Any = event.text(*NUMBER)
    return ReleaseNumber.parse(text) if text else None
