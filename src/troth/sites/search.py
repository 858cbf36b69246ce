"""The index of a site: which files there are, and what its pages say. A file of SQLite, written once."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

MOST_FOUND: Final = 50
_LONGEST_QUESTION: Final = 200
_MOST_WORDS: Final = 12
#: around a word that was asked for; no page has them, for they are no text
BEGIN, END = "\x02", "\x03"
_SCHEMA: Final = """
CREATE TABLE files (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE links (page TEXT, written TEXT, path TEXT);
CREATE VIRTUAL TABLE pages USING fts5(path UNINDEXED, title, text, tokenize = 'unicode61 remove_diacritics 2');
"""
_BROKEN: Final = """
SELECT page, written FROM links
WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.path = links.path)
  AND NOT EXISTS (SELECT 1 FROM files WHERE files.path = rtrim(links.path, '/') || '/index.html')
  AND NOT (links.path = '' AND EXISTS (SELECT 1 FROM files WHERE files.path = 'index.html'))
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One page that was found; in `text`, what was asked for lies between BEGIN and END."""

    path: str
    title: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"page": self.path, "title": self.title, "text": self.text.replace(BEGIN, "").replace(END, "")}


class NewIndex:
    """An index that is being written."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8192;" + _SCHEMA
        )
        self._connection.execute("BEGIN")

    def add_file(self, path: str) -> None:
        """Notes that there is this file."""
        self._connection.execute("INSERT INTO files VALUES (?)", (path,))

    def add_page(self, path: str, title: str, text: str) -> None:
        """Notes what a page says."""
        clean = [part.replace(BEGIN, " ").replace(END, " ") for part in (title, text)]
        self._connection.execute("INSERT INTO pages VALUES (?, ?, ?)", (path, *clean))

    def add_link(self, page: str, written: str, path: str) -> None:
        """Notes that a page leads to this path inside."""
        self._connection.execute("INSERT INTO links VALUES (?, ?, ?)", (page, written[:300], path))

    def broken(self, most: int) -> tuple[int, list[tuple[str, str]]]:
        """How many links lead to nothing, and (page, address) of some of them."""
        count: int = self._connection.execute(f"SELECT count(*) FROM ({_BROKEN})").fetchone()[0]  # noqa: S608
        return count, self._connection.execute(f"{_BROKEN} ORDER BY page, written LIMIT ?", (most,)).fetchall()

    def finish(self) -> None:
        """Keeps what is asked later, and closes the file."""
        self._connection.execute("DROP TABLE links")
        self._connection.execute("COMMIT")
        self._connection.execute("VACUUM")
        self._connection.close()

    def close(self) -> None:
        """Ends the writing of an index that nobody will ask."""
        self._connection.close()


def search(path: Path, question: str) -> list[Hit]:
    """The pages that have every word of the question, the best first; the last word may be the beginning of one."""
    words = re.findall(r"\w+", question[:_LONGEST_QUESTION])[:_MOST_WORDS]
    if not words:
        return []
    asked = " ".join(f'"{word}"' for word in words) + "*"
    chosen = (
        "SELECT path, title, snippet(pages, 2, ?, ?, '…', 24) FROM pages WHERE pages MATCH ? "
        "ORDER BY bm25(pages, 0.0, 10.0, 1.0), path LIMIT ?"
    )
    with _opened(path) as connection:
        rows = connection.execute(chosen, (BEGIN, END, f"{{title text}} : ({asked})", MOST_FOUND)).fetchall()
    return [Hit(*row) for row in rows]


def matching(path: Path, wanted: Callable[[str], bool], most: int) -> list[str]:
    """At most so many of the files for which `wanted` is true, in the order of their paths."""
    with _opened(path) as connection:
        every = connection.execute("SELECT path FROM files ORDER BY path")
        return list(islice((row[0] for row in every if wanted(row[0])), most))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        yield connection
    finally:
        connection.close()
