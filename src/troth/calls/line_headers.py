"""What replies to calls say of the major line that answers, made when the routing table is filled so that calls only append it.

`Deprecation` is RFC 9745, `Sunset` RFC 8594, `successor-version` RFC 5829. Complete numbers run on for ever (ALG-13), so
that `Sunset` is said to who calls by a floating reference only: nothing that a complete number names will ever be gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from troth.versions.lifecycles.lines import Line
from troth.versions.lifecycles.states import State

CALLS = "/v1/algo/"


@dataclass(frozen=True, slots=True)
class LineHeaders:
    """Header lines as they are sent: for calls by complete number, and for those by a floating reference."""

    exact: bytes = b""
    floating: bytes = b""


NOTHING = LineHeaders()


def headers_of_lines(subject: str, lines: Mapping[int, Line]) -> dict[int, LineHeaders]:
    """The header lines of each line of `owner/name` that is on its way out; the others have none."""
    return {major: _headers(subject, line) for major, line in lines.items() if line.recorded is not None}


def stopped_lines(subject: str, lines: Mapping[int, Line]) -> dict[int, str]:
    """Of lines whose floating references lead nowhere any more, why that is."""
    return {major: _why(subject, line) for major, line in lines.items() if line.recorded and line.recorded.stopped}


def _headers(subject: str, line: Line) -> LineHeaders:
    assert line.recorded is not None
    told = line.recorded
    found = [f"deprecation: @{int(datetime.fromisoformat(told.deprecated_at).timestamp())}"]
    found.append(f"troth-line-state: {line.state}")
    if line.successor is not None:
        found.append(f'link: <{CALLS}{subject}/{line.successor}>; rel="successor-version"')
    floating = list(found)
    if line.state is State.DEPRECATED:
        ends = datetime.fromisoformat(told.retires_after)
        found.append(f"troth-retires-after: {ends:%Y-%m-%dT%H:%M:%SZ}")
        floating += [found[-1], f"sunset: {format_datetime(ends, usegmt=True)}"]
    return LineHeaders(_sent(found), _sent(floating))


def _why(subject: str, line: Line) -> str:
    successor = f"; call {subject}/{line.successor} instead" if line.successor else ""
    return f" any more: the line {line.major} is retired, and its complete numbers run on (ALG-13){successor}"


def _sent(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
