"""Records of tests in JUnit's XML: how many tests ran, and on how many infrastructures that differ (PLX-13, note N24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from troth.contracts.path_patterns import matches
from troth.contracts.product import Infrastructure
from troth.versions.releases.evidence import Fact, Kind

_LARGEST: Final = 64 << 20
_LEAST_KINDS: Final = 2
_FAILED: Final = ("failure", "error")


@dataclass(slots=True)
class Counts:
    """The tests of one or several records."""

    tests: int = 0
    skipped: int = 0
    failed: int = 0
    #: what is wrong with the record itself
    fault: str = ""

    @property
    def ran(self) -> int:
        """Tests that were run to their end."""
        return self.tests - self.skipped

    @property
    def proves(self) -> bool:
        """Whether it shows that something was tested and held."""
        return not self.fault and self.ran > 0 and not self.failed

    def words(self) -> str:
        """Why it proves nothing."""
        if self.fault:
            return self.fault
        if not self.tests:
            return "it holds no test"
        return f"{self.failed} of its tests failed" if self.failed else "every test was skipped"


def counted(document: bytes) -> Counts:
    """The tests that a record tells of. A document type, which JUnit has not, is refused unread."""
    found = Counts()
    inside: list[str] = []
    marks: set[str] = set()

    def begin(name: str, _: Any) -> None:
        inside.append(name)
        if name == "testcase":
            found.tests += 1
            marks.clear()
        elif "testcase" in inside:
            marks.add(name)

    def end(name: str) -> None:
        inside.pop()
        if name == "testcase":
            found.skipped += "skipped" in marks
            found.failed += bool(marks & set(_FAILED))

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = _no_document_type
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError) as error:
        return Counts(fault=f"it is no record of tests: {error}")
    return found


def _no_document_type(*_: Any) -> None:
    raise ValueError("it declares a document type")


def record_facts(folder: Path, infrastructures: Sequence[Infrastructure]) -> Iterator[Fact]:
    """What is missing of records from two kinds of infrastructures; the records lie on the disk, where CI put them."""
    proving: dict[tuple[str, str, str], str] = {}
    told = []
    for one in infrastructures:
        records = {path: counted(path.read_bytes()) for path in records_of(folder, one)}
        useless = [f"{path.name}: {counts.words()}" for path, counts in records.items() if not counts.proves]
        if records and not useless:
            proving.setdefault(one.kind, one.name)
        told.append(f"{one.name} has {'; '.join(useless) if useless else 'no record' if not records else 'records'}")
    if len(proving) >= _LEAST_KINDS:
        return
    words = f"records of {len(proving)} kind{'' if len(proving) == 1 else 's'} of infrastructure"
    yield Fact(
        Kind.RECORDS_MISSING,
        "[infrastructures]",
        f"{words}, and {_LEAST_KINDS} are needed" + (f" ({'; '.join(told)})" if told else ""),
        "run the tests on two that differ in provider, cluster or runtime, and keep their JUnit records",
    )


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
                and path.stat().st_size <= _LARGEST
            ):
                yield path
