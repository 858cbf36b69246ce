"""Commands and their wire formats in a history: versions from 1 in steps of one, each with the format of its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from troth.contracts import wire
from troth.contracts.changes import Answer
from troth.contracts.histories.reading import Event
from troth.contracts.histories.spellings import CHANGES, COMMAND
from troth.contracts.histories.verdict import EventVerdict, Said, decided, open_question
from troth.versions.lifecycles.numbers import step_of
from troth.versions.releases.numbers import ReleaseNumber, Step

#: Kinds of events on commands.
NEW, CHANGED = "command", "command-change"
ENDED: Final = frozenset({"deprecate-command", "retire-command"})
_NO_SCHEMA: Final = object()


@dataclass(slots=True)
class Commands:
    """The commands so far: the highest version of each, and its schema and serialisation where they were told."""

    versions: dict[str, int] = field(default_factory=dict)
    formats: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def judged(self, event: Event, release: ReleaseNumber | None) -> EventVerdict:
        """The verdict on one event; whatever it is, it happened."""
        name = event.text(*COMMAND)
        if not name:
            raise event.wrong("it does not say which command", 'write command: "replace facts"')
        what = f"{event.kind} {name} {event.members.get('version', '')}".rstrip()
        if event.kind in ENDED:
            ending = event.kind.removesuffix("-command")
            question = f"May {name} be {ending}d, in which release, and after how long a notice? (note N16)"
            return open_question(event, what, question)
        if event.kind == CHANGED:
            found = decided(event, what, self._changes(event, name), ("PDB-45",))
        else:
            found = decided(event, what, self._new(event, name, release), ("PDB-40", "PDB-43", "PDB-47"))
            self.versions[name] = max(self.versions.get(name, 0), _whole(event, "version") or 0)
        self.formats[name] = _format(event, *self.formats.get(name, (_NO_SCHEMA, "json")))
        return found

    def _new(self, event: Event, name: str, release: ReleaseNumber | None) -> Iterator[Said]:
        version = _whole(event, "version")
        if version is None:
            text = event.members.get("version")
            yield Said(
                "PDB-02", f"{text!r} is not the version of a command, which is a whole number from 1 on", "write 1"
            )
            return
        last = self.versions.get(name, 0)
        if version != last + 1:
            words = f"{name} is at version {last}" if last else f"{name} is new, and begins with version 1"
            yield Said("PDB-47", f"{words}, and {version} is no step of one", f"take version {last + 1}")
        wire_format = _whole(event, "format") if "format" in event.members else version
        if wire_format != version:
            words = f"version {version} of {name} has the wire format {event.members.get('format')!r}"
            yield Said("PDB-43", f"{words}: a wire format has the version of its command", f"call the format {version}")
        if "schema" in event.members and event.members["schema"] is None:
            yield Said("PDB-42", f"version {version} of {name} has no wire format", "describe it by a schema")
        if release is not None and step_of(release) is Step.PATCH:
            words = f"{release} is a Z release, and a new version of a command is a feature (note N16)"
            yield Said("PDB-19", words, "release it as Y or X", also=("PDB-40",))

    def _changes(self, event: Event, name: str) -> Iterator[Said]:
        """Any difference of meaning under the same number (PDB-45)."""
        repair = f"make version {self.versions.get(name, 0) + 1} of {name}"
        for one in event.words(*CHANGES):
            yield Said("PDB-45", f"{name} changes and keeps its version: {one}", repair)
        if event.words("undecided"):
            words = f"whether {name} means the same could not be told: {event.words('undecided')[0]}"
            yield Said("PDB-44", words, repair)
        before, written = self.formats.get(name, (_NO_SCHEMA, "json"))
        after, serialisation = _format(event, before, written)
        if serialisation != written:
            words = f"the payload of {name} was {written} and is {serialisation}, under the same version"
            yield Said("PDB-46", words, repair)
        if before is not _NO_SCHEMA and after is not before:
            yield from _compared(name, before, after, repair)


def _compared(name: str, before: Any, after: Any, repair: str) -> Iterator[Said]:
    found = wire.compare(before, after)
    if found.answer is Answer.INVALID:
        yield Said("PDB-42", f"the wire format of {name} is no JSON Schema: {found.fault}", "mend that place")
    for change in found.changes:
        if change.undecided or change.level == "breaking":
            clause = "PDB-44" if change.undecided else "PDB-45"
            yield Said(clause, f"{name} changes and keeps its version: {change.path} {change.words}", repair)


def _format(event: Event, schema: Any, serialisation: str) -> tuple[Any, str]:
    """The schema and serialisation that an event tells, else those from before."""
    return event.members.get("schema", schema), event.text("serialisation", default=serialisation)


def _whole(event: Event, name: str) -> int | None:
    value = event.members.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
