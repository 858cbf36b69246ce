"""Runs numbered migrations of SQL that a database has not had yet: `python numbered_sql.py FOLDER`.

The address is in DATABASE_URL, because others can read arguments, and it may hold a password. It runs in the process that is
watched, and needs the standard library only, for PostgreSQL psycopg as well. What was run is written down in
`schema_migrations`, each migration in a transaction of its own, and its time is printed (`troth.releases.proving.times`).
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

_NAME = re.compile(r"V?(\d+)([_.-].*)?\.sql", re.IGNORECASE)
_BACKWARDS = re.compile(r"[._-](down|rollback|undo)\.sql$", re.IGNORECASE)
_KNOWN = "CREATE TABLE IF NOT EXISTS schema_migrations (name VARCHAR(400) PRIMARY KEY)"


def main() -> None:
    """Runs what is pending, in the order of its numbers. The reason of a failure is its last line."""
    address, folder = os.environ["DATABASE_URL"], sys.argv[1]
    files = [
        path for path in Path(folder).rglob("*.sql") if _NAME.fullmatch(path.name) and not _BACKWARDS.search(path.name)
    ]
    files.sort(key=lambda path: (_number(path), path.name))
    if address.startswith("sqlite:///"):
        _on_sqlite(address.removeprefix("sqlite:///"), files)
    else:
        _on_postgres(address, files)


def _number(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else 0


def _on_sqlite(file: str, files: list[Path]) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(_KNOWN)
    known = {row[0] for row in connection.execute("SELECT name FROM schema_migrations")}
    for path in (path for path in files if path.stem not in known):
        began = time.monotonic()
        try:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _statements(path.read_text()):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_migrations VALUES (?)", (path.stem,))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise SystemExit(f"{path.name}: {error}") from None
        _tell(path, began)


def _statements(script: str) -> list[str]:
    """The statements of a script; transactions of its own are left out, because each migration is one."""
    found, part = [], ""
    for piece in re.split(r"(;)", script):
        part += piece
        if piece == ";" and sqlite3.complete_statement(part):
            found.append(part.strip())
            part = ""
    rest = [*found, part.strip()]
    bare = [re.sub(r"\A(\s|--[^\n]*(\n|\Z)|/\*.*?\*/)+", "", one, flags=re.DOTALL) for one in rest]
    return [one for one in bare if one and not re.fullmatch(r"(BEGIN|COMMIT|END)\b[\w\s]*;?", one, re.IGNORECASE)]


def _on_postgres(address: str, files: list[Path]) -> None:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_KNOWN)
        known = {row[0] for row in connection.execute("SELECT name FROM schema_migrations")}
        for path in (path for path in files if path.stem not in known):
            script: Any = re.sub(r"^\s*(BEGIN|COMMIT)\s*;", "", path.read_text(), flags=re.IGNORECASE | re.MULTILINE)
            began = time.monotonic()
            try:
                with connection.transaction():
                    connection.execute(script)
                    connection.execute("INSERT INTO schema_migrations VALUES (%s)", (path.stem,))
            except psycopg.Error as error:
                raise SystemExit(f"{path.name}: {str(error).splitlines()[0]}") from None
            _tell(path, began)


def _tell(path: Path, began: float) -> None:
    print(f"troth-migration {path.stem} {time.monotonic() - began:.6f}", flush=True)


if __name__ == "__main__":
    main()
