"""The change log of releases, made of their notes: Markdown, the newest release first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from troth.versions.escaping import plain
from troth.versions.releases.evidence import Kind
from troth.versions.rendering import waived

#: What each kind of note is called, in the order in which they are read.
NOTED: Final[Mapping[Kind, str]] = {
    Kind.MAJOR_FUNCTIONALITY: "major functionality",
    Kind.NOTED_BREAK: "breaks",
    Kind.MANUAL_STEP: "steps by hand",
    Kind.NOTED_FEATURE: "new",
    Kind.NOTED_FIX: "mended",
}


def changelog(releases: Iterable[Mapping[str, Any]]) -> str:
    """The log of these releases, as they are answered: number, day, marks and notes. What strangers wrote stays text."""
    return "\n".join(line for release in releases for line in _release(release)).strip() + "\n"


def _release(release: Mapping[str, Any]) -> Iterator[str]:
    marks = ", stable" if release["stable_at"] else ""
    yield f"## {release['number']} ({release['cut_at'][:10]}{marks})"
    yield ""
    if release["yanked_at"]:
        yield f"Taken back: {plain(release['yank_reason'])}"
        yield ""
    for one in release.get("waivers", ()):
        yield f"By {plain(waived(one))}"
        yield ""
    for kind, title in NOTED.items():
        notes = [note for note in release["notes"] if note["kind"] == kind]
        if notes:
            yield f"### {title[0].upper()}{title[1:]}"
            yield ""
            yield from (f"- {_told(note)}" for note in notes)
            yield ""
    if not release["notes"]:
        yield "No notes."
        yield ""


def _told(note: Mapping[str, Any]) -> str:
    component = f"{plain(note['component'])}: " if note["component"] else ""
    return component + plain(" ".join(note["text"].split()))
