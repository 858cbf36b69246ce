"""Records of tests in JUnit's XML: how many tests ran, and on how many infrastructures that differ (PLX-13, note N24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

from troth.versions.releases.evidence import Fact, Kind

#: Bytes of one record.
LARGEST_RECORD: Final = 64 << 20
_LEAST_KINDS: Final = 2
_FAILED: Final = frozenset({"failure", "error"})
#: JUnit nests suites in suites; what lies deeper than this is none.
_DEEPEST: Final = 100
_MOST_TOLD: Final = 3


@dataclass(slots=True)
class Counts:
    """The tests of a record."""

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


def counted(pieces: Iterable[bytes]) -> Counts:
    """The tests that a record tells of, which comes piece by piece.

    It may be a stranger's: a document type, which JUnit has not, is refused unread, so that no entity is there to be
    expanded; and what is nested deeply, or larger than a record may be, is none.
    """
    found = _Counting()
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > LARGEST_RECORD:
                raise ValueError(f"it has more than {LARGEST_RECORD >> 20} MiB")
            found.parser.Parse(piece, False)
        found.parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        return Counts(fault=f"it is no record of tests: {error}")
    return found.counts


class _Counting:
    """Counts while a parser goes through a record."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._depth = 0
        #: how deep the test lies that is open; 0: none is
        self._test = 0
        self._marks: set[str] = set()
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = _no_document_type

    def _begin(self, name: str, _: Any) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
        if self._test:
            self._marks.add(name)
        elif name == "testcase":
            self.counts.tests += 1
            self._test = self._depth
            self._marks.clear()

    def _end(self, name: str) -> None:
        if self._test == self._depth:
            self._test = 0
            self.counts.skipped += "skipped" in self._marks
            self.counts.failed += bool(self._marks & _FAILED)
        self._depth -= 1


def _no_document_type(*_: Any) -> None:
    raise ValueError("it declares a document type")


@dataclass(frozen=True, slots=True)
class Tested:
    """An infrastructure with its records: by what it differs from others in kind, and what each record counts."""

    name: str
    kind: tuple[str, str, str]
    records: Mapping[str, Counts]


def missing_records(infrastructures: Iterable[Tested]) -> Iterator[Fact]:
    """What is missing of records from two kinds of infrastructures."""
    proving: dict[tuple[str, str, str], str] = {}
    told = []
    for one in infrastructures:
        useless = [f"{name}: {counts.words()}" for name, counts in one.records.items() if not counts.proves]
        if one.records and not useless:
            proving.setdefault(one.kind, one.name)
        said = "; ".join(useless[:_MOST_TOLD]) if useless else "records" if one.records else "no record"
        told.append(f"{one.name} has {said}")
    if len(proving) >= _LEAST_KINDS:
        return
    words = f"records of {len(proving)} kind{'' if len(proving) == 1 else 's'} of infrastructure"
    yield Fact(
        Kind.RECORDS_MISSING,
        "[infrastructures]",
        f"{words}, and {_LEAST_KINDS} are needed" + (f" ({'; '.join(told)})" if told else ""),
        "run the tests on two that differ in provider, cluster or runtime, and keep their JUnit records",
    )
