"""A server in a process of its own, which can be killed as a crash would end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from troth.sdk import Client

TROTH = Path(sys.executable).with_name("troth")
_PATIENCE = 120.0


class Up:
    """One run of `troth up` over a home, in a process group of its own, with settings as environment variables."""

    options: tuple[str, ...] = ()

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")} | settings
        command = [str(TROTH), "up", "--home", str(home), "--port", "0", "--owner", "owner", *self.options]
        with open(home.with_suffix(".log"), "ab") as complaints:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=complaints, cwd=home.parent, env=surroundings, text=True,
                start_new_session=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        self._said: IO[str] = self.process.stdout
        self._address = self._key = ""
        self._client: Client | None = None

    def ready(self) -> Up:
        """This server, once it can serve."""
        watchdog = threading.Timer(_PATIENCE, self.process.kill)
        watchdog.start()
        try:
            line = self._said.readline()
        finally:
            watchdog.cancel()
        assert line.startswith("troth is ready at http://127.0.0.1:"), self.home.with_suffix(".log").read_text()
        self._address, self._key = line.split()[-1], (self.home / "owner.key").read_text().strip()
        self._client = self.new_client()
        return self

    @property
    def client(self) -> Client:
        """The owner's client."""
        assert self._client is not None
        return self._client

    def new_client(self) -> Client:
        """Another client of the owner, for another thread."""
        return Client(self._address, self._key, seconds=60.0)

    def kill(self) -> None:
        """Ends the server and all its helpers as a crash would."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._said.close()
        if self._client is not None:
            self._client.close()


@contextmanager
def up(home: Path) -> Iterator[Up]:
    """A server that can serve, and is killed when the block ends."""
    server = Up(home)
    try:
        yield server.ready()
    finally:
        server.kill()
