"""The command that keeps a release as files of its product's repository: troth release record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Common, show, show_json


def record(
    number: str | None = None,
    /,
    *,
    project: Annotated[Path, Parameter(help="Folder of the product, which holds its troth.toml.")] = Path(),
    commit: Annotated[str, Parameter(help="What was released.")] = "HEAD",
    common: Common = Common(),
) -> int:
    """Writes what a release promised into the folder of recorded releases, for clones that have no tags. It needs no server.

    Parameters
    ----------
    number
        The number; else the one that troth.toml says.
    """
    from troth.releases.recording import recorded
    from troth.versions.releases.numbers import ReleaseNumber

    folder, count = recorded(project, commit, ReleaseNumber.parse(number) if number else None)
    if common.json:
        show_json({"folder": str(folder), "files": count})
    else:
        show(escape(f"{folder} holds {count} files of the release; commit them, and leave them as they are"))
    return 0
