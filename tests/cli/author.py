"""An author at a terminal of their own: a home, a key, and the real command in processes of its own.

Commands that run to their end are forked from a process that has imported them (`tests.cli.forking`).
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.forking import forked
from tests.server import RunningServer, write_project
from troth import git
from troth.registry import catalog
from troth.sdk import Client

_SECONDS = 120


@dataclass
class Author:
    """An account, and the folder that its commands run in."""

    server: RunningServer
    name: str
    client: Client
    home: Path

    @property
    def key(self) -> str:
        return self.server.keys[self.name]

    def project(self, stem: str = "algo", owner: str | None = None, **how: Any) -> tuple[str, Path]:
        """(owner/name, folder) of a new project below the home; `how` as `write_project` takes it."""
        name = self.server.new_name(stem)
        owner = owner or self.name
        return f"{owner}/{name}", write_project(self.home / name, owner, name, **how)

    def surroundings(self, **more: str) -> dict[str, str]:
        """The variables that its commands see."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "GIT_"))}
        return {
            **kept,
            "TROTH_SERVER": self.server.address,
            "TROTH_KEY": self.key,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "GIT_CONFIG_NOSYSTEM": "1",
            **more,
        }

    def troth(self, *tokens: str, given: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end; `more` are further variables."""
        return forked(tokens, folder=self.home, variables=self.surroundings(**more), given=given, seconds=_SECONDS)

    def answered(self, *tokens: str, code: int = 0, **more: str) -> Any:
        """The JSON document that the command prints, which must exit with `code`."""
        done = self.troth(*tokens, "--json", **more)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def start(self, *tokens: str, **more: str) -> subprocess.Popen[str]:
        """Starts the command."""
        return subprocess.Popen(
            command(*tokens),
            cwd=self.home,
            env=self.surroundings(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def on_terminal(self, *tokens: str, typed: str = "") -> tuple[int, str, str]:
        """(exit code, standard output, what the terminal showed) of the command with standard error on a terminal.

        Standard input is on it too where something is `typed`.
        """
        ours, theirs = pty.openpty()
        more = {"TERM": "xterm", "COLUMNS": "200"}
        with subprocess.Popen(
            command(*tokens),
            cwd=self.home,
            env=self.surroundings(**more),
            stdin=theirs if typed else None,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        ) as process:
            os.close(theirs)
            os.write(ours, typed.encode())
            shown = b""
            while chunk := _read(ours):
                shown += chunk
            os.close(ours)
            printed = process.communicate(timeout=_SECONDS)[0]
        return process.returncode, printed, shown.decode()

    def commits(self, algorithm: str) -> list[str]:
        """The hashes on the server's branch, newest first."""
        return [commit for commit, _, _ in self.history(algorithm)]

    def history(self, algorithm: str) -> list[tuple[str, str, str]]:
        """(hash, author, message) of the commits on the server's branch, newest first."""
        repository = self.server.server.repositories.path(self.server_id(algorithm))
        said = git.run(repository, "log", "--format=%H%x00%an%x00%B%x1e", git.BRANCH).decode()
        found = []
        for record in said.split("\x1e")[:-1]:
            commit, author, message = record.strip("\n").split("\0")
            found.append((commit, author, message))
        return found

    def server_id(self, algorithm: str) -> str:
        """The id that the server knows an algorithm by."""
        with self.server.server.database.read() as connection:
            found = catalog.find_algorithm(connection, *algorithm.split("/"))
        assert found is not None
        return found.id


def author_of(server: RunningServer, home: Path, stem: str = "author") -> Author:
    """A new account with a home."""
    home.mkdir(parents=True, exist_ok=True)
    name, client = server.account(stem)
    return Author(server, name, client, home)


def command(*tokens: str) -> list[str]:
    """The command line of troth."""
    return [sys.executable, "-m", "troth", *tokens]


def plain_git(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The author's own git in a folder."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **more}
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=True
    )


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody is at its other end any more
        return b""
