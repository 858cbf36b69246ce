"""How long others had to wait while migrations ran, looked up beside them without taking a lock."""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from troth.releases.proving.databases import Database

_EVERY_SECONDS: Final = 0.005
#: where SQLite keeps the lock of who is about to write (its file format, "pager.h")
_RESERVED: Final = 0x40000000 + 1
_FLOCK: Final = "hhqqi4x"
_EXCLUSIVE: Final = (
    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    "WHERE d.datname = current_database() AND l.granted AND l.mode = 'AccessExclusiveLock' "
    "AND l.locktype = 'relation' AND l.pid <> pg_backend_pid()"
)


class Watched:
    """Looks at a database's locks every few milliseconds. `seconds` is how long writers had to wait, as far as was seen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stop = threading.Event()
        self._seen = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def seconds(self) -> float:
        """How long the locks were held."""
        return self._seen

    def _look(self) -> None:
        with suppress(OSError, SQLAlchemyError):
            if self._database.file is not None:
                self._look_at_file(self._database.file)
            else:
                self._look_at_server()

    def _look_at_file(self, file: Path) -> None:
        while not file.exists():
            if self._stop.wait(_EVERY_SECONDS):
                return
        descriptor = os.open(file, os.O_RDWR)
        try:
            self._sample(lambda: _is_locked(descriptor))
        finally:
            os.close(descriptor)

    def _look_at_server(self) -> None:
        with self._database.engine.connect() as connection:
            self._sample(lambda: bool(connection.execute(sa.text(_EXCLUSIVE)).scalar_one()))

    def _sample(self, held: object) -> None:
        assert callable(held)
        since = time.monotonic()
        while not self._stop.wait(_EVERY_SECONDS):
            now = time.monotonic()
            if held():
                self._seen += now - since
            since = now


def _is_locked(descriptor: int) -> bool:
    """Whether another process is about to write, or writes (fcntl(2), F_GETLK: it tells and takes nothing)."""
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _RESERVED, 1, 0)
    told = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return bool(told[0] != fcntl.F_UNLCK)
