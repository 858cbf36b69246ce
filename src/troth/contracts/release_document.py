"""What a client tells of a release that it cuts: facts, migrations, proofs, records of tests, notes and settings.

One JSON document, stored under its digest. The server reads it as a claim, and judges again (`troth.contracts.release_findings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from troth.contracts.changelog import NOTED
from troth.contracts.migrations.chain import Chain, Migration
from troth.errors import MalformedNumber, MalformedSource
from troth.versions.releases.evidence import Fact, Kind, Maturity
from troth.versions.releases.numbers import ReleaseNumber

#: Bytes of one such document.
LARGEST_DOCUMENT = 32 << 20
#: Bytes of the files of all contracts of a release, and of one contract among them.
LARGEST_CONTRACTS = 32 << 20
LARGEST_CONTRACT = 12 << 20
#: Records of tests of one release, and bytes of them all.
MOST_RECORDS = 1000
LARGEST_RECORDS = 256 << 20
#: what a fact tells besides: the release that a path begins at, and how it is run again
_DETAIL: Final = frozenset({"from", "again"})

_Text = Annotated[str, msgspec.Meta(max_length=20_000)]
_Long = Annotated[str, msgspec.Meta(max_length=2_000_000)]
_Few = msgspec.Meta(max_length=1000)
_Many = msgspec.Meta(max_length=20_000)
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is told: unknown members are a fault, as in every wire format of troth."""


class ToldFact(_Told, frozen=True):
    """A fact as it is sent."""

    kind: Kind
    where: _Text
    words: _Text
    repair: _Text = ""
    component: str = ""
    maturity: Maturity = Maturity.STABLE
    rule: str = ""
    old: Any = None
    new: Any = None
    detail: dict[str, Any] = {}

    @classmethod
    def of(cls, fact: Fact) -> ToldFact:
        """How a fact is sent."""
        return cls(
            fact.kind, fact.where, fact.words, fact.repair, fact.component, fact.maturity, fact.rule, fact.old, fact.new,
            dict(fact.detail),
        )  # fmt: skip

    def fact(self) -> Fact:
        """The fact that is meant."""
        return Fact(
            self.kind, self.where, self.words, self.repair, self.component, self.maturity, self.rule, self.old, self.new,
            self.detail,
        )  # fmt: skip


class ToldMigration(_Told, frozen=True):
    """One migration of a chain, which `chain` names; chains are told one after the other, each in an order that it runs in."""

    chain: str
    id: str
    path: str
    meaning: str
    component: str = ""
    parents: tuple[str, ...] = ()
    position: int | None = None


class ToldTime(_Told, frozen=True):
    """How long one migration took in a path."""

    id: _Text
    seconds: Annotated[float, msgspec.Meta(ge=0)]


class ToldPath(_Told, frozen=True):
    """One path of migrations that was run: from which release on, on what, how long, and what came of it."""

    migrations: str
    begins: str
    also: tuple[str, ...]
    database: str
    outcome: Literal["passed", "failed", "not proved"]
    words: _Text
    seconds: Annotated[float, msgspec.Meta(ge=0)]
    locked: float | None
    again: _Text
    confined: Any = None
    #: of those migrations whose tool tells it
    times: Annotated[tuple[ToldTime, ...], _Many] = ()


class ToldRecord(_Told, frozen=True):
    """A record of tests, by the digest of its file, which is uploaded. What it counts is the server's to say."""

    path: str
    digest: str
    tests: _Count = 0
    skipped: _Count = 0
    failed: _Count = 0
    fault: str = ""


class ToldInfrastructure(_Told, frozen=True):
    """An infrastructure, by what it differs from others in kind (note N24), and its records."""

    name: str
    provider: str
    cluster: str
    runtime: str
    records: tuple[ToldRecord, ...]


class ToldNote(_Told, frozen=True):
    """A change note whole: for whom, of what kind, and in which words."""

    kind: Kind
    component: str
    where: _Text
    text: _Text


class ToldSettings(_Told, frozen=True):
    """A document of settings that the release promises: a JSON Schema (`settings`), or defaults (`values`)."""

    kind: Literal["settings", "values"]
    path: str
    component: str
    text: _Long


class ToldUnkept(_Told, frozen=True):
    """A contract that is not among the files that are kept, and why."""

    path: str
    why: _Text


class ReleaseDocument(_Told, frozen=True):
    """The whole claim. `base` is the release that everything is compared with; empty before the first."""

    format: Literal[1]
    declared: _Long
    commit: str
    committed_at: int
    base: str
    base_commit: str
    known: Annotated[tuple[str, ...], _Many]
    facts: Annotated[tuple[ToldFact, ...], _Many]
    migrations: Annotated[tuple[ToldMigration, ...], _Many]
    tried: bool
    paths: Annotated[tuple[ToldPath, ...], _Few]
    infrastructures: Annotated[tuple[ToldInfrastructure, ...], _Few]
    notes: Annotated[tuple[ToldNote, ...], _Many]
    settings: Annotated[tuple[ToldSettings, ...], _Few]
    #: digest of the files of all contracts (`contract_files`), which is uploaded; empty where there is no contract
    contracts: str = ""
    unkept: Annotated[tuple[ToldUnkept, ...], _Few] = ()

    def as_bytes(self) -> bytes:
        """The bytes that are digested."""
        return msgspec.json.encode(self, order="deterministic")

    def chains(self) -> dict[str, Chain]:
        """The chains of migrations, by what they are called."""
        return chains_of(self.migrations)


def contract_files(texts: Mapping[str, str]) -> bytes:
    """How the files of a release's contracts are kept: one JSON object of texts by their paths."""
    return msgspec.json.encode(dict(texts), order="deterministic")


def contract_texts(content: bytes) -> dict[str, str]:
    """The files in what `contract_files` gave. Raises MalformedSource."""
    try:
        return msgspec.json.decode(content, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedSource(
            f"these are no files of contracts: {error}",
            why="one JSON object of texts by their paths is expected",
            repair="cut the release with the troth command of this server's version",
        ) from None


def release_document(content: bytes) -> ReleaseDocument:
    """The document in these bytes. Raises MalformedSource, naming what is wrong."""
    try:
        found = msgspec.json.decode(content, type=ReleaseDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedSource(
            f"this is no evidence of a release: {error}",
            why="it is what troth release cut writes",
            repair="cut the release with the troth command of this server's version",
        ) from None
    for fault in _faults(found):
        raise MalformedSource(
            f"this is no evidence of a release: {fault}",
            why="what is recorded of a release is read for as long as there are upgrades from it",
            repair="cut the release with the troth command of this server's version",
        )
    return found


def _faults(document: ReleaseDocument) -> Iterator[str]:
    """What the types of the members leave open: the kinds of notes, what numbers are, and what facts tell besides."""
    yield from (f"{note.kind} is no kind of a note" for note in document.notes if note.kind not in NOTED)
    told = [*document.known, *([document.base] if document.base else [])]
    for path in document.paths:
        told += [path.begins, *path.also]
    for fact in document.facts:
        if unknown := fact.detail.keys() - _DETAIL:
            yield f"a fact tells {', '.join(sorted(unknown))} besides"
        if not all(isinstance(value, str) for value in fact.detail.values()):
            yield "what a fact tells besides is no text"
        elif "from" in fact.detail:
            told.append(fact.detail["from"])
        elif fact.kind is Kind.PATH_BROKEN:
            yield "a path is broken, and nothing tells from which release on"
    yield from (f"{one!r} is no number of a release" for one in told if not _is_number(one))


def _is_number(text: str) -> bool:
    try:
        ReleaseNumber.parse(text)
    except MalformedNumber:
        return False
    return True


def told_chains(chains: Mapping[str, tuple[Chain, str]]) -> tuple[ToldMigration, ...]:
    """How chains are sent: by what each is called, with the component that it belongs to."""
    return tuple(
        ToldMigration(name, one.id, one.path, one.meaning, component, tuple(one.parents), one.position)
        for name, (chain, component) in chains.items()
        for one in chain.migrations
    )


def chains_of(migrations: Iterable[ToldMigration]) -> dict[str, Chain]:
    """The chains that these make up."""
    found: dict[str, list[Migration]] = {}
    for one in migrations:
        found.setdefault(one.chain, []).append(Migration(one.id, one.path, one.parents, one.meaning, one.position))
    return {name: Chain(tuple(listed)) for name, listed in found.items()}
