"""The schema of a registry: the revision that it has, those that this program knows, and the way between them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from troth.errors import NewerRegistry


@dataclass(frozen=True, slots=True)
class Revision:
    """One migration: its id, and what it brings in a line."""

    id: str
    words: str


#: Told of each migration once it ran.
Told = Callable[[Revision], None]


def known() -> list[Revision]:
    """Every revision of this program, in the order in which they run."""
    found = list(ScriptDirectory.from_config(_config()).walk_revisions())
    return [Revision(one.revision, inspect.cleandoc(one.doc or "").partition("\n")[0]) for one in reversed(found)]


def revision_of(connection: Connection) -> str | None:
    """The revision of a registry; None where there is none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def pending(current: str | None) -> list[Revision]:
    """What has to run on a registry of that revision. Raises NewerRegistry for a revision that this program does not know."""
    every = known()
    if current is None:
        return every
    ids = [one.id for one in every]
    if current not in ids:
        raise NewerRegistry(
            f"the registry is of revision {current}, and this troth knows no later one than {ids[-1]}",
            why="a later release has upgraded it, and there is no way back (note N22)",
            repair="run that release, or restore the backup that was taken before the upgrade",
            found=current,
        )
    return every[ids.index(current) + 1 :]


def migrate(connection: Connection, told: Told = lambda revision: None) -> None:
    """Runs what is pending, in one transaction that the caller commits."""
    words = {one.id: one for one in known()}

    def applied(step: Any, **_: Any) -> None:
        told(words[step.up_revision_id])

    config = _config()
    config.attributes.update(connection=connection, applied=applied)
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "troth.registry:migrations")
    return config
