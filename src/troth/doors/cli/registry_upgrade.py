"""The command that upgrades the registry of a server: troth upgrade."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Common, say, show, show_json
from troth.errors import NotFound
from troth.settings import load


def upgrade(
    *,
    home: Annotated[Path | None, Parameter(help="Folder of the server (TROTH_HOME).")] = None,
    database: Annotated[str | None, Parameter(help="SQLAlchemy URL of the registry (TROTH_DATABASE).")] = None,
    backups: Annotated[
        Path | None, Parameter(help="Where the copy of the registry is put; else backups in the home.")
    ] = None,
    backup: Annotated[bool, Parameter(help="Copy the registry first.")] = True,
    common: Common = Common(),
) -> int:
    """Upgrades the registry of a server that is stopped to this release: a copy first, then all migrations or none.

    It may be run again. A registry that a later release has upgraded is refused, and left as it is.
    """
    from troth.home import Home
    from troth.registry.database import Database
    from troth.registry.upgrading import upgraded

    settings = load({"home": str(home) if home else None, "database": database})
    root = settings.home_path()
    files = ("registry.sqlite", "registry.elsewhere")
    if not root.is_dir() or not (settings.database or any((root / name).is_file() for name in files)):
        raise NotFound(f"{root} is no home of a server", why="there is no registry in it", repair="name it with --home")
    place = Home.open(root)
    with place.lock(), closing(Database(place.registry(settings.database))) as opened:
        found = upgraded(opened, backups or place.backups, copy=backup, told=lambda words: say(escape(words)))
    if common.json:
        told = {"home": str(root), "before": found.before, "after": found.after, "migrations": list(found.migrations)}
        show_json({**told, "backup": str(found.backup) if found.backup else None})
    elif not found.migrations:
        show(f"the registry is of revision {found.after} already; nothing was done")
    else:
        show(f"the registry was upgraded from {found.before or 'nothing'} to {found.after}")
        say("next: troth up")
    return 0
