"""What the APIs that follow a product ask of its releases: nothing overdue is served, nothing retired is documented."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from troth.errors import Refused
from troth.registry import apis
from troth.versions.lifecycles.rules import overdue
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import version_name
from troth.versions.releases.numbers import ReleaseNumber


def check_overdue(connection: Connection, product_id: str, number: ReleaseNumber, former: ReleaseNumber | None) -> None:
    """Raises Refused for a release that raises X behind the former one and still serves a deprecated version (PDB-35)."""
    for row in apis.following(connection, product_id):
        late = overdue(apis.subject_of(connection, row), number, former)
        if late:
            first = late[0]
            raise Refused(
                f"{number} still serves {row.subject} {', '.join(one.name for one in late)}",
                why=f"{first.name} was deprecated in {first.since}, and is gone at the next X boundary",
                repair=f"troth api retire {row.subject} {first.name} --release {number}, or extend it with a reason",
                clauses=["PDB-35"],
                asked=str(number),
                found=[one.name for one in late],
            )


def retired_pages(connection: Connection, product_id: str, number: ReleaseNumber) -> Sequence[str]:
    """Patterns of the pages of versions that are retired in this release, or were before (PDB-39).

    A page belongs to a version where a folder or file of its path has the name of the version. Where two APIs of one product
    both have the number, and only one of them retired it, the folder above it is named like the API.
    """
    retired: dict[int, list[str]] = {}
    kept: set[int] = set()
    for row in apis.following(connection, product_id):
        for version in apis.versions_of(connection, row.id):
            gone = version.state is State.RETIRED and version.since is not None and version.since <= number.finished
            if gone:
                retired.setdefault(version.number, []).append(row.name)
            elif version.dropped_in is None:
                kept.add(version.number)
    found: list[str] = []
    for version_number, names in retired.items():
        name = version_name(version_number)
        stems = [f"{api}/{name}" for api in names] if version_number in kept else [name]
        found += [pattern for stem in stems for pattern in (stem, f"**/{stem}", f"{stem}.html", f"**/{stem}.html")]
    return found
