"""The collections are frozen: their labels come from the specifications, and do not move after a checker."""

from __future__ import annotations

import hashlib
from pathlib import Path

HERE = Path(__file__).parent


def test_the_collections_are_as_they_were_frozen() -> None:
    rows = [text.split("  ", 1) for text in (HERE / "digests.txt").read_text().splitlines()]
    listed = {name: digest for digest, name in rows}
    found = {
        path.relative_to(HERE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(HERE.rglob("*.ndjson"))
    }
    assert found == listed
