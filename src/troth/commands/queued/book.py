"""What the door and the queue know of commands, in memory: read from the registry once, and again after each change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.access.scopes import Scope
from troth.contracts.commands.wire_format import WireFormat
from troth.errors import NotFound, Refused
from troth.registry import accounts, command_subjects
from troth.registry.command_subjects import CommandRow, VersionRow
from troth.registry.database import Database
from troth.versions.commands.states import ACCEPTED

_MOST = 10_000


@dataclass(slots=True)
class Definition:
    """One command with its versions."""

    row: CommandRow
    versions: dict[int, VersionRow]
    _formats: dict[int, WireFormat] = field(default_factory=dict)

    @property
    def newest(self) -> VersionRow:
        """The newest version, in whose form handlers get their payloads."""
        return self.versions[max(self.versions)]

    def format(self, version: int) -> WireFormat:
        """The wire format of a version."""
        found = self._formats.get(version)
        if found is None:
            row = self.versions[version]
            found = self._formats[version] = WireFormat(row.schema, row.serialisation)
        return found

    def accepted(self, number: int) -> VersionRow:
        """A version that the door takes. Raises NotFound, and Refused for one that was retired (note N16)."""
        row = self.versions.get(number)
        known = [str(one.version) for one in self.versions.values() if one.state in ACCEPTED]
        if row is None:
            raise NotFound(
                f"the command {self.row.subject} has no version {number}",
                why=f"its versions are {', '.join(known)}" if known else "no version of it was published",
                repair=f"send version {known[-1]}" if known else "ask its owner",
                asked=number,
            )
        if row.state not in ACCEPTED:
            raise Refused(
                f"version {number} of {self.row.subject} was retired in release {row.retired_in}",
                why=f"it was deprecated in {row.deprecated_in}; what was accepted before is still processed",
                repair=f"send version {known[-1]}" if known else "ask its owner",
                clauses=["PDB-40"],
                asked=number,
            )
        return row


class CommandBook:
    """Definitions by `owner/name`. `member` says whether an account is a member of an owner now (ALG-26)."""

    def __init__(self, database: Database, member: Callable[[str, str], bool]) -> None:
        self._database = database
        self.member = member
        self._known: dict[str, Definition] = {}
        #: commands that are not processed, and those that are not taken either
        self.held: frozenset[str] = frozenset()
        self._lock, self._changes = threading.Lock(), 0

    def known(self, subject: str) -> Definition | None:
        """The command, if it was read before."""
        return self._known.get(subject)

    def find(self, subject: str) -> Definition | None:
        """The command. Reads the registry where it has to."""
        found = self._known.get(subject)
        if found is None:
            before = self._changes
            with self._database.read() as connection:
                found = read(connection, subject)
            with self._lock:
                if found is not None and before == self._changes:  # else it may be what was there before the change
                    if len(self._known) >= _MOST:
                        self._known.clear()
                    self._known[subject] = found
        return found

    def forget(self, subject: str) -> None:
        """The command was changed."""
        with self._lock:
            self._changes += 1
            self._known.pop(subject, None)
        self.refresh()

    def actor(self, account_id: str, scope: Scope) -> Actor | None:
        """An account as it is now, with what its key was for."""
        with self._database.read() as connection:
            return accounts.actor_of(connection, account_id, scope)

    def refresh(self) -> None:
        """Reads anew which commands are held."""
        with self._database.read() as connection:
            self.held = command_subjects.paused(connection)


def read(connection: Connection, subject: str) -> Definition | None:
    """A command as the registry has it now."""
    row = command_subjects.find(connection, subject)
    if row is None:
        return None
    return Definition(row, command_subjects.versions_of(connection, row.id))
