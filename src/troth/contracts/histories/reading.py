"""Histories read from YAML, JSON or NDJSON. docs/histories.md describes the form.

A history has a head (name, starting points, profiles, decisions) and events. What stands in a wrong form is told with its place;
what is of an unknown kind is kept, because to judge it is not the reader's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from troth.contracts.histories.spellings import HISTORY, STARTING_POINT, kind_of
from troth.contracts.openapi.text import UnreadableDocument, value_of
from troth.errors import Malformed, TooLarge
from troth.versions.lifecycles.numbers import parsed
from troth.versions.releases.evidence import Decision
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.rules import EXCEPTIONS, PROFILES

_LARGEST: Final = 16 << 20
_MOST_EVENTS: Final = 20_000
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?")
_RELEASE: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+.*")
#: What is judged where a head names no profiles: the policy as a whole, without what is plain Semantic Versioning anyway.
_USUAL: Final = ("puppetdb", "polyaxon")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: where it stands, what kind it is (by its usual name), and its members as they were written."""

    place: str
    position: int
    kind: str
    members: Mapping[str, Any]

    @property
    def identity(self) -> str | int:
        """How answers name it: by its `id`, else by its position from 1 on."""
        found = self.members.get("id")
        return found if isinstance(found, str | int) and not isinstance(found, bool) else self.position

    def text(self, *names: str, default: str = "") -> str:
        """The first of these members that is there, as text. Raises Malformed for a list or an object."""
        for name in names:
            value = self.members.get(name)
            if value is None:
                continue
            if isinstance(value, str | int) and not isinstance(value, bool):
                return str(value)
            if isinstance(value, float):
                raise self.wrong(
                    f"{name} is {value!r}, a number with a point", f'write it in quotes: {name}: "{value}"'
                )
            raise self.wrong(f"{name} is {type(value).__name__}", f"write {name} as text")
        return default

    def listed(self, *names: str) -> list[Any]:
        """Everything in these members: a list, or one thing alone; nothing where it is missing, null or false."""
        found: list[Any] = []
        for name in names:
            value = self.members.get(name)
            if value is None or value is False or value == "":
                continue
            if value is True:
                found.append(name.replace("_", " "))
            else:
                found += value if isinstance(value, list) else [value]
        return found

    def words(self, *names: str) -> list[str]:
        """The same, each in words."""
        return [_words(one) for one in self.listed(*names)]

    def table(self, name: str) -> Mapping[str, Any]:
        """The object under a name; empty where there is none. Raises Malformed for something else."""
        value = self.members.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.wrong(f"{name} is {type(value).__name__}", f"write {name} as an object")
        return value

    def wrong(self, what: str, repair: str) -> Malformed:
        """The error for a member in a wrong form."""
        return Malformed(f"{self.place}: {what}", why=f"the event is {self.kind!r}", repair=repair)


@dataclass(frozen=True, slots=True)
class History:
    """A whole history. `starting_points` are versions by API ("" stands for every one), `since` is a release."""

    name: str
    events: tuple[Event, ...]
    api: str = "api"
    starting_points: Mapping[str, str] = field(default_factory=dict)
    since: ReleaseNumber | None = None
    profiles: tuple[str, ...] = _USUAL
    exceptions: tuple[str, ...] = EXCEPTIONS
    #: whether what a release does not say of its occasion, records and documentation is missing
    complete: bool = False
    #: of releases: about, step, reason; of APIs: about, allowed, reason
    decisions: tuple[Decision, ...] = ()
    api_decisions: tuple[Mapping[str, Any], ...] = ()


def history(text: str) -> History:
    """The history in a text: NDJSON, or one document in YAML or JSON. Raises Malformed with the place of what is wrong."""
    if len(text) > _LARGEST:
        raise TooLarge("the history is too large", why=f"it has at most {_LARGEST >> 20} MiB", repair="split it")
    head, rows = _lines(text) if _is_lines(text) else _document(text)
    if len(rows) > _MOST_EVENTS:
        raise TooLarge("the history is too long", why=f"it has at most {_MOST_EVENTS} events", repair="split it")
    events = tuple(_event(place, position, row) for position, (place, row) in enumerate(rows, 1))
    return _headed(head, events)


def starting_points(values: Sequence[str]) -> tuple[dict[str, str], ReleaseNumber | None]:
    """Versions by API, and a release, from forms like `v4`, `puppetdb=v4` and `0.4.4`. Raises MalformedNumber."""
    versions: dict[str, str] = {}
    since = None
    for value in values:
        subject, _, point = value.rpartition("=")
        if _RELEASE.fullmatch(point):
            since = ReleaseNumber.parse(point)
        else:
            parsed(point)
            versions[subject] = point
    return versions, since


def _is_lines(text: str) -> bool:
    first = next((line for line in text.splitlines() if line.strip()), "")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "events" not in value


def _lines(text: str) -> tuple[Mapping[str, Any], list[tuple[str, Any]]]:
    rows: list[tuple[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append((f"line {number}", json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise Malformed(
                f"line {number} is not JSON", why=str(error)[:200], repair="write one JSON object a line"
            ) from None
    first = rows[0][1] if rows else None
    if isinstance(first, dict) and "event" not in first:
        return first, rows[1:]
    return {}, rows


def _document(text: str) -> tuple[Mapping[str, Any], list[tuple[str, Any]]]:
    try:
        value = value_of(text)
    except UnreadableDocument as error:
        raise Malformed("the history is neither YAML nor JSON", why=str(error), repair="mend that place") from None
    head, events = ({}, value) if isinstance(value, list) else (value, None)
    if isinstance(head, dict) and events is None:
        events = head.get("events")
    if not isinstance(head, dict) or not isinstance(events, list):
        raise Malformed(
            "the history has no events",
            why="it is a list of events, or an object with one",
            repair="write events: [...]",
        )
    return head, [(f"event {number}", one) for number, one in enumerate(events, 1)]


def _event(place: str, position: int, row: Any) -> Event:
    if not isinstance(row, dict):
        raise Malformed(f"{place} is {type(row).__name__}", why="an event is an object", repair="write {event: ...}")
    kind = row.get("event")
    if not isinstance(kind, str) or not kind.strip():
        raise Malformed(f"{place} does not say which event it is", repair='write event: "release", or another kind')
    found = Event(place, position, kind_of(kind), row)
    if day := found.text("date"):
        _check_day(found, day)
    return found


def _check_day(event: Event, text: str) -> None:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        date.fromisoformat(text[:10])
    except ValueError:
        raise event.wrong(f"date is {text!r:.40}", "write it like 2026-11-30") from None


def _headed(head: Mapping[str, Any], events: tuple[Event, ...]) -> History:
    told = Event("the head", 0, "head", head)
    versions, since = starting_points(told.words(*STARTING_POINT))
    decisions = [one for one in told.listed("decisions") if isinstance(one, dict)]
    return History(
        name=told.text(*HISTORY),
        events=events,
        api=told.text("api", default="api"),
        starting_points=versions,
        since=ReleaseNumber.parse(told.text("since")) if told.text("since") else since,
        profiles=tuple(_known(told, "profiles", PROFILES, _USUAL)),
        exceptions=tuple(_known(told, "exceptions", EXCEPTIONS, EXCEPTIONS)),
        complete=told.members.get("complete") is True,
        decisions=tuple(_decisions(told, decisions)),
        api_decisions=tuple(one for one in decisions if "allowed" in one),
    )


def _known(told: Event, name: str, legal: tuple[str, ...], usual: tuple[str, ...]) -> tuple[str, ...]:
    if name not in told.members:
        return usual
    found = told.words(name)
    for one in found:
        if one not in legal:
            raise told.wrong(f"{name} has {one!r:.60}", f"name some of {', '.join(legal)}")
    return tuple(found)


def _decisions(told: Event, listed: Sequence[Mapping[str, Any]]) -> Iterator[Decision]:
    for one in listed:
        if "allowed" in one:
            continue
        step = str(one.get("step", ""))
        if step not in ("patch", "minor", "major"):
            raise told.wrong(f"a decision has the step {step!r:.40}", "write step: patch, minor or major")
        yield Decision(str(one.get("about", "")), step, str(one.get("reason", "")))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return str(next((value[key] for key in ("words", "id", "name", "what") if key in value), json.dumps(value)))
    return str(value)
