"""A whole history, judged event by event, in its order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from troth.contracts.histories.commands import CHANGED, ENDED, NEW, Commands
from troth.contracts.histories.moves import Apis
from troth.contracts.histories.reading import Event, History
from troth.contracts.histories.releases import Releases, reasons
from troth.contracts.histories.spellings import MOVES, NUMBER
from troth.contracts.histories.verdict import EventVerdict, decided, open_question, refused
from troth.errors import MalformedNumber
from troth.versions.releases.numbers import ReleaseNumber

_RELEASE = "release"
_DECISION = "decision"
_STABLE = "stable"


def judged(history: History) -> Iterator[EventVerdict]:
    """The verdict on each event, in order. Raises Malformed, with the place, for members in a wrong form."""
    releases, commands = Releases(history), Commands()
    placed = _placed(history.events)
    apis = Apis(history, _riding(history.events, placed))
    for event, release in zip(history.events, placed, strict=True):
        try:
            yield _judged(event, release, releases, apis, commands)
        except MalformedNumber as error:
            yield refused(event, f"{event.kind} {_named(event)}".rstrip(), error)


def _judged(
    event: Event, release: ReleaseNumber | None, releases: Releases, apis: Apis, commands: Commands
) -> EventVerdict:
    move = MOVES.get(event.kind)
    if event.kind == _RELEASE:
        return _release(event, releases, apis)
    if event.kind == _STABLE:
        return _stable(event, releases)
    if event.kind in {NEW, CHANGED, *ENDED}:
        return commands.judged(event, release)
    if event.kind == _DECISION:
        return apis.decide(event)
    if move is None:
        question = f"What does {event.kind!r} mean for who relies on it? No clause speaks of such an event."
        return open_question(event, f"{event.kind} {_named(event)}".rstrip(), question)
    if release is None:
        raise event.wrong("it rides on no release", 'write release: "5.1.0", or put a release before it')
    return apis.judged(event, move, release)


def _release(event: Event, releases: Releases, apis: Apis) -> EventVerdict:
    number = ReleaseNumber.parse(event.text(*NUMBER))
    verdict = releases.judged(event, number)
    what = f"release {number}"
    if not verdict.judged:
        clause = "PLX-05" if "polyaxon" in verdict.profiles else "PDB-03"
        return EventVerdict(event, what, verdict.outcome, rests_on=(clause,), judged=False)
    said = [*reasons(verdict), *apis.release_reasons(event, number, verdict.former)]
    found = decided(event, what, said, [one.clause for one in verdict.asked] or ["PDB-05"])
    return replace(found, notes=tuple(apis.release_notes(number)))


def _stable(event: Event, releases: Releases) -> EventVerdict:
    """Stability is a mark that people give a release (PLX-05)."""
    number = ReleaseNumber.parse(event.text(*NUMBER))
    if number in releases.used:
        return decided(event, f"mark {number} as stable", (), ("PLX-05",))
    return open_question(event, f"mark {number} as stable", f"May {number} be stable, which was never released?")


def _placed(events: Sequence[Event]) -> list[ReleaseNumber | None]:
    """The release that each event rides on: the one that it names, else the last one before it."""
    found: list[ReleaseNumber | None] = []
    last: ReleaseNumber | None = None
    for event in events:
        own = _own_release(event)
        if event.kind == _RELEASE:
            last = own if own is not None else last
        found.append(own if own is not None else last)
    return found


def _own_release(event: Event) -> ReleaseNumber | None:
    names = NUMBER if event.kind == _RELEASE else ("release",)
    text = event.text(*names)
    try:
        return ReleaseNumber.parse(text) if text else None
    except MalformedNumber:
        return None


def _riding(events: Sequence[Event], placed: Sequence[ReleaseNumber | None]) -> dict[ReleaseNumber, list[Event]]:
    found: dict[ReleaseNumber, list[Event]] = {}
    for event, release in zip(events, placed, strict=True):
        if release is not None and event.kind != _RELEASE:
            found.setdefault(release, []).append(event)
    return found


def _named(event: Event) -> str:
    for name in ("api", "command", "version", "number"):
        value = event.members.get(name)
        if isinstance(value, str | int):
            return str(value)
    return ""
