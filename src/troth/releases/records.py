"""Records of tests that lie on the disk, where CI put them, and what they count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from troth.contracts.junit import LARGEST_RECORD, Counts, Tested, counted, missing_records
from troth.contracts.path_patterns import matches
from troth.contracts.product import Infrastructure
from troth.versions.releases.evidence import Fact

_PIECE: Final = 1 << 20


def record_facts(folder: Path, infrastructures: Sequence[Infrastructure]) -> Iterator[Fact]:
    """What is missing of records from two kinds of infrastructures."""
    yield from missing_records(
        Tested(one.name, one.kind, {path.name: counted_file(path) for path in records_of(folder, one)})
        for one in infrastructures
    )


def counted_file(path: Path) -> Counts:
    """The tests that a record on the disk tells of."""
    with path.open("rb") as record:
        return counted(iter(lambda: record.read(_PIECE), b""))


def records_of(folder: Path, infrastructure: Infrastructure) -> Iterable[Path]:
    """The records of an infrastructure that lie on the disk."""
    for pattern in infrastructure.records:
        start = folder / pattern.partition("*")[0].rpartition("/")[0]
        listed = start.rglob("*") if start.is_dir() else ()
        for path in sorted(listed):
            inside = path.relative_to(folder).as_posix()
            if (
                path.is_file()
                and not path.is_symlink()
                and matches(pattern, inside)
                and path.stat().st_size <= LARGEST_RECORD
            ):
                yield path
