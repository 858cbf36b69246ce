"""Change notes as declarations: fragments as towncrier has them, or Conventional Commits 1.0.0, and what each says of a release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from troth.releases.repository import Commit
from troth.versions.nearest import did_you_mean
from troth.versions.releases.evidence import Fact, Kind

#: What the kinds of fragments mean. Those of towncrier are among them.
FRAGMENTS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("feature", "added", "deprecation", "deprecated"), Kind.NOTED_FEATURE),
    **dict.fromkeys(("fix", "bugfix", "fixed", "security", "doc", "docs", "misc", "changed"), Kind.NOTED_FIX),
    **dict.fromkeys(("break", "breaking", "removal", "removed"), Kind.NOTED_BREAK),
    "major": Kind.MAJOR_FUNCTIONALITY,
    "manual": Kind.MANUAL_STEP,
}
#: What the types of commits mean; other types are no news for who runs the product.
_TYPES: Final = {"feat": Kind.NOTED_FEATURE, "fix": Kind.NOTED_FIX, "perf": Kind.NOTED_FIX}
_SUBJECT: Final = re.compile(r"(\w+)(?:\(([^()]*)\))?(!)?: (.+)")
_FOOTERS: Final = {
    "BREAKING CHANGE": Kind.NOTED_BREAK,
    "BREAKING-CHANGE": Kind.NOTED_BREAK,
    "Major-Functionality": Kind.MAJOR_FUNCTIONALITY,
    "Manual-Step": Kind.MANUAL_STEP,
}
_FOOTER: Final = re.compile(rf"^({'|'.join(_FOOTERS)})(?:: | #)(.+)$", re.MULTILINE)
_FRAGMENT: Final = re.compile(r"[^.]+\.(\w+)(?:\.\d+)?\.(?:md|rst|txt)")
_LONGEST: Final = 200


def fragment_facts(files: Mapping[str, bytes]) -> Iterator[Fact]:
    """What new fragments say, by their paths; files that are named otherwise say nothing."""
    for path, content in files.items():
        named = _FRAGMENT.fullmatch(PurePosixPath(path).name)
        kind = FRAGMENTS.get(named[1].lower()) if named else None
        if kind is not None:
            yield Fact(kind, path, _first(content.decode(errors="replace")))


def unknown_fragments(paths: Iterable[str]) -> list[str]:
    """The fragments whose kind nobody knows."""
    named = {path: _FRAGMENT.fullmatch(PurePosixPath(path).name) for path in paths}
    return [path for path, found in named.items() if found and found[1].lower() not in FRAGMENTS]


def note_warnings(paths: Iterable[str]) -> Iterator[str]:
    """What is told of files among the fragments that say less than whoever wrote them may think."""
    for path in paths:
        name = PurePosixPath(path).name
        named = _FRAGMENT.fullmatch(name)
        if named and named[1].lower() not in FRAGMENTS:
            meant = did_you_mean(named[1], FRAGMENTS)
            yield f"{path} is a note of a kind that nobody knows, and counts as a fix" + (f"; {meant}" if meant else "")
        elif not named and not name.startswith(".") and PurePosixPath(name).stem.upper() != "README":
            yield f"{path} is no note, and says nothing of the release; notes are named like 41.feature.md"


def commit_facts(commits: Iterable[Commit], components: Iterable[str]) -> Iterator[Fact]:
    """What commits say; the scope of one is the component that it speaks of."""
    known = set(components)
    for commit in commits:
        where = commit.id[:12]
        subject = _SUBJECT.fullmatch(commit.subject)
        scope = (subject[2] or "") if subject and subject[2] in known else ""
        footers = [(_FOOTERS[found[1]], found[2]) for found in _FOOTER.finditer(commit.body)]
        if subject and subject[3] and Kind.NOTED_BREAK not in [kind for kind, _ in footers]:
            footers.append((Kind.NOTED_BREAK, subject[4]))
        if subject and subject[1].lower() in _TYPES:
            yield Fact(_TYPES[subject[1].lower()], where, _first(subject[4]), component=scope)
        for kind, words in footers:
            yield Fact(kind, where, _first(words), component=scope)


def _first(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "(no words)")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."
