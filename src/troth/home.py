"""The folder of a server: what lies where in it."""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from troth.errors import MalformedSetting


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one root, which only the server's user can enter."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> Home:
        """The home at `root`, made if need be. Raises MalformedSetting where it cannot be."""
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            root.chmod(0o700)
        except OSError as error:
            raise MalformedSetting(f"{root} cannot be a home: {error}", repair="name another with --home") from None
        return cls(root)

    def lock(self) -> IO[str]:
        """Keeps every other server off this home until the returned file is closed, or this process ends.

        Raises MalformedSetting where a server runs on it.
        """
        held = open(self.root / "lock", "w")  # noqa: SIM115 - held as long as the server runs
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.close()
            raise MalformedSetting(
                f"another server runs on {self.root}",
                why="a home belongs to one server, or their writes would cross",
                repair="stop the other one, or name another home with --home",
            ) from None
        return held

    @property
    def owner_key(self) -> Path:
        """The key of the administrator, readable by the server's user only."""
        return self.root / "owner.key"

    @property
    def signing_key(self) -> Path:
        """The key that signs waivers, readable by the server's user only."""
        return self.root / "signing.key"

    def registry(self, database: str = "") -> str:
        """The address of the registry: `database` where a setting names one, else the file in the home.

        Raises MalformedSetting where this home's registry was a database so far and none is named: a new file would know nothing
        of what the home holds.
        """
        if not database and self._elsewhere.exists():
            raise MalformedSetting(
                f"the registry of {self.root} is a database, and the setting database names none",
                why=f"{self._elsewhere} says so; a new registry would know nothing of what the home holds",
                repair=f"set TROTH_DATABASE, or remove {self._elsewhere} if the registry is to be a file from now on",
            )
        return database or f"sqlite:///{self.root / 'registry.sqlite'}"

    def note_registry(self, database: str) -> None:
        """Notes where the registry is, once there is one: its address is told by settings only, because it holds a password."""
        if database and not database.startswith("sqlite"):
            self._elsewhere.write_text(
                "The registry of this home is the database that TROTH_DATABASE or --database names.\n"
            )

    @property
    def _elsewhere(self) -> Path:
        return self.root / "registry.elsewhere"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def trees(self) -> Path:
        return self.root / "trees"

    @property
    def repositories(self) -> Path:
        return self.root / "repositories"

    @property
    def environments(self) -> Path:
        return self.root / "environments"

    @property
    def data(self) -> Path:
        """Files of the data API, each under the digest of its content."""
        return self.root / "data"

    @property
    def release_files(self) -> Path:
        """Documentation, evidence and files of releases, each under the digest of its content."""
        return self.root / "releases"

    @property
    def sites(self) -> Path:
        """Documentation of releases as it is served, made from the bundles among their files."""
        return self.root / "sites"

    @property
    def backups(self) -> Path:
        """Copies of the registry that were taken before it was upgraded."""
        return self.root / "backups"

    @property
    def uploads(self) -> Path:
        return self.root / "uploads"

    def webhook_key(self) -> bytes:
        """What secrets of webhooks are derived from: made once, and kept outside the registry."""
        path = self.root / "webhook.key"
        if not path.exists():
            _write_secret(path, secrets.token_hex(32))
        return path.read_bytes().strip()

    def write_owner_key(self, key: str) -> None:
        """Writes the key whole or not at all, never readable by others."""
        _write_secret(self.owner_key, key)


def _write_secret(path: Path, content: str) -> None:
    scratch = path.with_suffix(".new")
    with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content + "\n")
    scratch.replace(path)
