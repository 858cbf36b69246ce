"""Names of versions of an API: `v4`, the top level of a path. They compare as numbers, `v10` after `v9` (PDB-10)."""

from __future__ import annotations

import re

from troth.errors import MalformedNumber
from troth.versions.lifecycles.table import version_name, version_number
from troth.versions.releases.numbers import ReleaseNumber, Step

_NEARLY = re.compile(r"[/\s]*[vV]?\s*0*([1-9][0-9]{0,8})[/\s]*", re.ASCII)


def parsed(text: str) -> int:
    """The number in a name like `v4`.

    Raises MalformedNumber (PDB-10) with the form that is meant, for `4`, `v04` and `V4`; also (PDB-02) for `4.1` and `4.0.0`,
    which would be numbers of software.
    """
    number = version_number(text)
    if number is not None:
        return number
    meant = _NEARLY.fullmatch(text[:40])
    software = re.fullmatch(r"v?[0-9]+(\.[0-9]+)+", text[:40], re.ASCII)
    raise MalformedNumber(
        f"{text[:40]!r} is not a version of an API",
        why="software has numbers X.Y.Z, APIs have versions vN, commands have integers"
        if software
        else "a version of an API is the top level of its path: v and a whole number without leading zeros",
        repair=f"write {version_name(int(meant[1]))}" if meant else "write it like v4",
        clauses=["PDB-02", "PDB-10"] if software else ["PDB-10"],
        asked=text[:200],
    )


def step_of(release: ReleaseNumber) -> Step:
    """Which kind of release has this number: X (8.0.0), Y (7.4.0) or Z (7.3.3). A prerelease is of the kind of what it precedes."""
    _, minor, patch = release.parts
    if patch:
        return Step.PATCH
    return Step.MINOR if minor else Step.MAJOR


def letter(step: Step) -> str:
    """The letter of the policy for a kind of release."""
    return {Step.PATCH: "Z", Step.MINOR: "Y", Step.MAJOR: "X"}[step]


def next_major(release: ReleaseNumber) -> ReleaseNumber:
    """The X release behind this one, in which what is deprecated now is gone (PDB-35, note N15)."""
    return release.finished.raised(Step.MAJOR)
