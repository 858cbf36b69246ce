"""References of an application that float on a line which is on its way out, as a server tells of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from troth.errors import NotFound
from troth.sdk import lock as locks
from troth.sdk.application import LOCK_FILE, Use
from troth.sdk.client import Client
from troth.versions.references import Form, parse

_ON_A_LINE: Final = (Form.MINOR_LINE, Form.MAJOR_LINE)
_LEAVING: Final = ("deprecated", "retired")


@dataclass(frozen=True, slots=True)
class Leaving:
    """One use of a line that is deprecated or retired, and what the server tells of the line."""

    use: Use
    line: dict[str, Any]

    @property
    def words(self) -> str:
        """The line's state, since when and until when, and where to go."""
        told = self.line
        until = f", and may be retired from {told['retires_after'][:10]} on"
        if told["state"] == "retired":
            stopped = ", and nothing floats on it any more" if told["floating_stopped"] else ", and gets no more fixes"
            until = f" and retired since {told['retired_at'][:10]}{stopped}"
        return f"line {told['line']} is deprecated since {told['deprecated_at'][:10]}{until}; go to {told['successor']}"

    def as_dict(self) -> dict[str, Any]:
        """What a server tells of the line, without who calls it."""
        return {name: self.line[name] for name in _TOLD}


_TOLD: Final = (
    "line", "state", "successor", "deprecated_at", "retires_after", "retired_at", "floating_stopped",
)  # fmt: skip


def leaving(client: Client, uses: Iterable[Use]) -> Iterator[Leaving]:
    """Those of the uses that float on a line which is deprecated or retired.

    Of an algorithm that there is not, or that the client's account may not know of, nothing is told.
    """
    known: dict[str, dict[str, dict[str, Any]]] = {}
    for use in uses:
        if use.reference is None or use.reference.form not in _ON_A_LINE:
            continue
        subject = use.reference.subject
        if subject not in known:
            known[subject] = _lines(client, subject)
        line = known[subject].get(str(use.reference.line[0]))
        if line is not None and line["state"] in _LEAVING:
            yield Leaving(use, line)


def locked(paths: Iterable[Path]) -> Iterator[Use]:
    """The floating references in the locks that lie in these folders, or are named. Raises Malformed for a lock that is none."""
    for path in paths:
        file = path / LOCK_FILE if path.is_dir() else path
        if file.name != LOCK_FILE or not file.is_file():
            continue
        rows = file.read_text("utf-8").splitlines()
        for text in locks.read(file):
            reference = parse(text)
            places = ((number, row.find(f'"{text}"')) for number, row in enumerate(rows, 1))
            line, before = next(((number, at) for number, at in places if at >= 0), (1, 0))
            if reference.form in _ON_A_LINE:
                yield Use(file, line, before + 2, text, reference)


def _lines(client: Client, subject: str) -> dict[str, dict[str, Any]]:
    try:
        return {row["line"]: row for row in client.lines(subject)["lines"]}
    except NotFound:
        return {}
