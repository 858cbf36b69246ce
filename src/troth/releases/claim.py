"""What is told a server of a release that is cut: everything found in the repository, as one document."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from troth.contracts.migrations.chain import Chain
from troth.contracts.product import FILE, Infrastructure
from troth.contracts.release_document import (
    LARGEST_CONTRACT,
    LARGEST_CONTRACTS,
    ReleaseDocument,
    ToldFact,
    ToldInfrastructure,
    ToldNote,
    ToldPath,
    ToldRecord,
    ToldSettings,
    ToldUnkept,
    contract_files,
    told_chains,
)
from troth.errors import Malformed
from troth.releases.check import Asked, Subject, opened
from troth.releases.migration_changes import Listed, chain_at
from troth.releases.records import records_of
from troth.versions.releases.evidence import Fact, Kind
from troth.versions.releases.numbers import ReleaseNumber

_NOTED: Final = frozenset(
    {Kind.NOTED_BREAK, Kind.NOTED_FEATURE, Kind.NOTED_FIX, Kind.MAJOR_FUNCTIONALITY, Kind.MANUAL_STEP}
)
_LONGEST_NOTE: Final = 20_000
_SETTINGS: Final = ("settings", "values")


def releasable(folder: Path, asked: Asked, number: ReleaseNumber | None) -> tuple[Subject, ReleaseNumber]:
    """The product at the commit, beside the release before `number`, which troth.toml says where it is left open.

    A tag that the release has already at this commit is no earlier release. Raises Malformed where no number is named.
    """
    subject = opened(folder, asked)
    number = number or subject.product.version
    if number is None:
        raise Malformed(
            f"{FILE} names no version, and none was given", repair='write version = "1.2.3" in [product], or name it'
        )
    if asked.base is None and subject.former is not None and subject.former.number >= number:
        earlier = [one for one in subject.releases.releases if one.reached and not one.number.is_prerelease]
        before = max((one for one in earlier if one.number < number), key=lambda one: one.number, default=None)
        if before is None:
            subject = replace(subject, former=None, then=None, declared_then=None)
        else:
            subject = opened(folder, replace(asked, base=before.tag))
    if subject.then is not None and (subject.former is None or subject.then.commit != subject.former.commit):
        raise Malformed(
            f"{asked.base} is no release",
            why="what changed is told since the release before",
            repair="leave --base out",
        )
    return subject, number


def claim(
    subject: Subject, number: ReleaseNumber, facts: Sequence[Fact], paths: Sequence[dict[str, Any]], listed: Listed,
    *, tried: bool,
) -> ReleaseDocument:  # fmt: skip
    """The document that a server judges."""
    product, now, former = subject.product, subject.now, subject.former
    declared = now.file(FILE)
    assert declared is not None
    known = [one for one in subject.releases.numbers if one < number]
    kept, unkept = kept_contracts(subject)
    return ReleaseDocument(
        format=1,
        declared=declared.decode(),
        commit=now.commit,
        committed_at=subject.repository.made(now.commit),
        base=str(former.number) if former else "",
        base_commit=former.commit if former else "",
        known=tuple(map(str, known)),
        facts=tuple(map(ToldFact.of, facts)),
        migrations=told_chains(_chains(subject, listed)),
        tried=tried,
        paths=msgspec.convert([_renamed(path) for path in paths], tuple[ToldPath, ...]),
        infrastructures=tuple(_infrastructure(subject.repository.folder, one) for one in product.infrastructures),
        notes=tuple(_notes(subject, facts)),
        settings=tuple(_settings(subject)),
        contracts=hashlib.sha256(contract_files(kept)).hexdigest() if kept else "",
        unkept=tuple(unkept),
    )


def kept_contracts(subject: Subject) -> tuple[dict[str, str], list[ToldUnkept]]:
    """The files of all contracts, which the server compares with those of the release before, and which are left out."""
    now, room = subject.now, LARGEST_CONTRACTS // 2  # JSON may take two bytes for one
    kept: dict[str, str] = {}
    unkept = []
    for one in subject.product.contracts:
        paths = now.below(one.path)
        if one.kind == "python":
            paths = [path for path in paths if path.endswith((".py", ".pyi"))]
        size = sum(now.size(path) for path in paths if path not in kept)
        if size > min(LARGEST_CONTRACT, room):
            unkept.append(ToldUnkept(one.path, f"its files have {size} bytes, which is more than is kept"))
            continue
        room -= size
        # what is no text is refused where it is compared
        kept |= {path: content.decode(errors="replace") for path, content in now.read(paths).items()}
    return kept, unkept


def _chains(subject: Subject, listed: Listed) -> dict[str, tuple[Chain, str]]:
    found = {}
    for one in subject.product.migrations:
        component = one.component
        if not component and (owner := subject.product.component_of(one.path)) is not None:
            component = owner.name
        found[one.called] = (chain_at(one, subject.now, listed), component)
    return found


def _renamed(path: dict[str, Any]) -> dict[str, Any]:
    return {("begins" if key == "from" else key): value for key, value in path.items()}


def _infrastructure(folder: Path, one: Infrastructure) -> ToldInfrastructure:
    records = []
    for path in records_of(folder, one):
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        records.append(ToldRecord(path.relative_to(folder).as_posix(), digest))
    return ToldInfrastructure(one.name, one.provider, one.cluster, one.runtime, tuple(records))


def _notes(subject: Subject, facts: Sequence[Fact]) -> Iterator[ToldNote]:
    """Each note whole: a fragment's text, else the words of a commit or a declaration."""
    for fact in facts:
        if fact.kind in _NOTED:
            content = subject.now.file(fact.where) if "." in fact.where else None
            text = content.decode(errors="replace").strip() if content is not None else fact.words
            yield ToldNote(fact.kind, fact.component, fact.where, text[:_LONGEST_NOTE])


def _settings(subject: Subject) -> Iterator[ToldSettings]:
    for one in subject.product.contracts:
        content = subject.now.file(one.path) if one.kind in _SETTINGS else None
        if content is not None:
            kind: Any = one.kind
            yield ToldSettings(kind, one.path, one.component, content.decode(errors="replace"))
