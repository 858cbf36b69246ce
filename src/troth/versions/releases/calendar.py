"""Days as an iCalendar document (RFC 5545), which every calendar can subscribe to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

_LONGEST_LINE: Final = 75


@dataclass(frozen=True, slots=True)
class Event:
    """One whole day. `stamped` is when it was announced, as `troth.clock.stamp` writes it."""

    identity: str
    day: date
    summary: str
    description: str
    stamped: str


def calendar(name: str, events: Iterable[Event]) -> str:
    """The document with these events, by day."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//troth//releases//EN", f"X-WR-CALNAME:{_text(name)}"]
    lines += ["REFRESH-INTERVAL;VALUE=DURATION:PT6H"]
    for event in sorted(events, key=lambda one: (one.day, one.identity)):
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(event: Event) -> Iterator[str]:
    stamped = event.stamped[:19].replace("-", "").replace(":", "")
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.identity)}"
    yield f"DTSTAMP:{stamped}Z"
    # without an end it is the whole day (RFC 5545, 3.6.1); the last day that there is has no day behind it
    yield f"DTSTART;VALUE=DATE:{event.day.isoformat().replace('-', '')}"
    yield f"SUMMARY:{_text(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{_text(event.description)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _text(value: str) -> str:
    """Text as a value: its own marks escaped, and no line of it a line of the document."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    escaped = escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(letter for letter in escaped if letter.isprintable())


def _folded(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 octets, each but the first behind a space; no letter is cut in two."""
    piece, size = "", 0
    for letter in line:
        length = len(letter.encode(errors="replace"))
        if size + length > _LONGEST_LINE:
            yield piece
            piece, size = " ", 1
        piece, size = piece + letter, size + length
    yield piece
