"""A chain of migrations, and what became of it since a release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from troth.versions.releases.evidence import Fact, Kind

_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: what it is called, its file, those that come right before it, and a digest of what it means."""

    id: str
    path: str
    parents: tuple[str, ...]
    meaning: str
    #: for those that are numbered, the number
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a chain is none: two heads, a gap, a file that cannot be read."""

    kind: Kind
    where: str
    words: str
    repair: str


@dataclass(frozen=True, slots=True)
class Chain:
    """All migrations of one kind in one folder, in an order in which they can be run, and what is wrong with them."""

    migrations: tuple[Migration, ...] = ()
    faults: tuple[Fault, ...] = ()

    def by_id(self) -> dict[str, Migration]:
        """The migrations by what they are called."""
        return {one.id: one for one in self.migrations}


def digest(text: str) -> str:
    """A name for what a migration means."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def changes(old: Chain, new: Chain, folder: str, component: str) -> Iterator[Fact]:
    """What became of the migrations in `folder`: added, edited, removed, put before released ones; and new faults."""
    before, after = old.by_id(), new.by_id()
    for name, migration in before.items():
        if name not in after:
            words = f"{name} was released and is gone"
            yield Fact(Kind.MIGRATION_REMOVED, migration.path, words, f"put {migration.path} back", component)
        elif after[name].meaning != migration.meaning:
            words = f"{name} was released and does something else now"
            repair = f"leave {migration.path} as it was, and write a new migration"
            yield Fact(Kind.MIGRATION_EDITED, migration.path, words, repair, component)
    added = [one for name, one in after.items() if name not in before]
    for one in added:
        yield Fact(Kind.MIGRATION_ADDED, one.path, f"{one.id} is new", component=component)
    yield from _late(added, before, component)
    for fault in new.faults:
        if fault not in old.faults:
            yield Fact(fault.kind, fault.where or folder, fault.words, fault.repair, component)


def _late(added: list[Migration], before: Mapping[str, Migration], component: str) -> Iterator[Fact]:
    """Numbered migrations that come before one that was released: who ran that one never runs them."""
    released = [one.position for one in before.values() if one.position is not None]
    for one in added:
        if one.position is not None and released and one.position < max(released):
            words = f"{one.id} comes before migrations that were released"
            yield Fact(Kind.MIGRATION_ORDER, one.path, words, f"number it above {max(released)}", component)


def ordered(migrations: Mapping[str, Migration]) -> list[Migration]:
    """The migrations with every parent before its children; of what runs in a circle, as it comes."""
    placed: dict[str, Migration] = {}
    waiting = list(migrations.values())
    while waiting:
        ready = [one for one in waiting if all(parent in placed or parent not in migrations for parent in one.parents)]
        for one in ready or waiting[:1]:
            placed[one.id] = one
        waiting = [one for one in waiting if one.id not in placed]
    return list(placed.values())


def graph_faults(migrations: Mapping[str, Migration], folder: str, group: str = "") -> Iterator[Fault]:
    """Two heads, or a parent that is not there."""
    of = f" of {group}" if group else ""
    parents = {parent for one in migrations.values() for parent in one.parents}
    heads = sorted(name for name in migrations if name not in parents)
    if len(heads) > 1:
        words = f"there are {len(heads)} heads{of}: {', '.join(heads[:_TOLD])}"
        yield Fault(Kind.MIGRATION_HEADS, folder, words, "write a migration that follows them all")
    for one in migrations.values():
        for parent in one.parents:
            if parent not in migrations:
                words = f"{one.id} follows {parent}, which is not there"
                yield Fault(Kind.MIGRATION_GAP, one.path, words, f"put {parent} back, or follow another")
    if migrations and not heads:
        yield Fault(Kind.MIGRATION_GAP, folder, f"the migrations{of} follow each other in a circle", "break it up")
