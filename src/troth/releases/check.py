"""`troth release check` as a function: a product's folder in, a verdict and what it rests on out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.contracts.contract_facts import Compare
from troth.contracts.product import FILE, Product, parse_product
from troth.errors import MalformedSource, TrothError
from troth.releases.gathering import Between, check_there, gathered, missing, new_fragments, standing
from troth.releases.history import (
    Release,
    Releases,
    base_of,
    check_declared,
    check_places,
    declared_at,
    releases_of,
)
from troth.releases.migration_changes import Listed
from troth.releases.notes import note_warnings
from troth.releases.repository import Repository, Snapshot
from troth.versions.releases.evidence import Fact, Situation
from troth.versions.releases.judging import judge
from troth.versions.releases.numbers import ReleaseNumber, Step, chosen
from troth.versions.releases.verdict import ReleaseVerdict
from troth.versions.waivers import Considered

_DAY = 24 * 3600
_LONGEST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be judged: a number, or a step, or neither; beside what; and whether as a whole release."""

    number: ReleaseNumber | None = None
    step: Step | None = None
    base: str | None = None
    commit: str = "HEAD"
    lenient: bool = False
    complete: bool = False


@dataclass(frozen=True)
class Subject:
    """A product as it is at a commit, with its releases and what it is compared with."""

    repository: Repository
    product: Product
    now: Snapshot
    releases: Releases
    former: Release | None
    #: what it is compared with; None before the first release
    then: Snapshot | None
    declared_then: Product | None
    warnings: list[str] = field(default_factory=list)


def opened(folder: Path, asked: Asked) -> Subject:
    """The product in a folder. Raises MalformedSource, NotFound, or Refused for tags that were moved."""
    repository = Repository(folder)
    now = repository.snapshot(repository.resolve(asked.commit))
    product = _product(folder, now)
    releases = releases_of(repository, product, now.commit, tolerant=asked.lenient or product.lenient)
    check_places(repository, releases)
    former, then = base_of(repository, releases, asked.base)
    declared = declared_at(repository, former) if former else None
    if former is not None and asked.base is None:
        check_declared(former, declared)
    if then is not None and former is not None and then.commit != former.commit:
        declared = _declared(then) or declared
    subject = Subject(repository, product, now, releases, former, then, declared)
    subject.warnings.extend(_warnings(subject, asked))
    return subject


def facts_of(subject: Subject, compare: Compare, listed: Listed) -> list[Fact]:
    """Everything that changed since the former release."""
    if subject.then is None:
        check_there(subject.product, subject.now)
        return standing(subject.product, subject.now)
    between = Between(subject.product, subject.declared_then, subject.then, subject.now)
    return gathered(between, subject.repository, compare, listed)


def judged(
    subject: Subject, facts: Iterable[Fact], asked: Asked, *, tried: bool, waivers: Sequence[Considered] = ()
) -> ReleaseVerdict:
    """The verdict on these facts, under the number that is asked for, declared, or left open."""
    found = list(facts)
    found += missing(subject.product, subject.now, found, subject.repository.folder, tried)
    return judge(found, situation_of(subject, asked), number_of(subject, asked), subject.warnings, waivers)


def situation_of(subject: Subject, asked: Asked) -> Situation:
    """What the facts are judged in."""
    product = subject.product
    named = product.supported
    return Situation(
        former=subject.former.number if subject.former else None,
        used=subject.releases.numbers,
        profiles=product.profiles,
        since=product.since,
        exceptions=product.exceptions,
        decisions=product.decisions,
        supported=None if named is None else tuple(chosen(subject.releases.numbers, named)),
        complete=asked.complete,
    )


def number_of(subject: Subject, asked: Asked) -> ReleaseNumber | None:
    """The number that is meant: asked for, by step, or declared. One that is declared and released already is left open."""
    former = subject.former.number if subject.former else None
    if asked.number is not None:
        return asked.number
    if asked.step is not None:
        return former.raised(asked.step) if former else None
    declared = subject.product.version
    released = former is not None and declared is not None and declared.finished == former
    return None if released else declared


def _product(folder: Path, now: Snapshot) -> Product:
    document = now.file(FILE)
    if document is None:
        written = (folder / FILE).is_file()
        raise MalformedSource(
            f"there is no {FILE} in {folder}" + (" that was committed" if written else ""),
            why="it says what the product promises",
            repair=f"commit {FILE}"
            if written
            else "write one with [product] owner and name, and commit it; docs/how-to tells how",
        )
    return parse_product(document)


def _declared(snapshot: Snapshot) -> Product | None:
    document = snapshot.file(FILE)
    try:
        return parse_product(document) if document is not None else None
    except MalformedSource:
        return None


def _warnings(subject: Subject, asked: Asked) -> list[str]:
    found = list(unheeded(subject, asked))
    if subject.repository.is_shallow:
        found.append("this clone holds a part of the history; tags may be missing")
    if subject.releases.unread:
        found.append(f"no number of a release, left out: {', '.join(subject.releases.unread)}")
    if subject.releases.respelled:
        told = ", ".join(f"{tag} as {_numbered(subject, tag)}" for tag in subject.releases.respelled)
        found.append(f"read as it is meant: {told}")
    days = subject.former and (subject.repository.made(subject.now.commit) - subject.former.made) // _DAY
    if days and days > _LONGEST_DAYS and "polyaxon" in subject.product.profiles:
        found.append(f"{days} days lie behind the last release; two weeks to a month are usual (PLX-14)")
    if subject.then is not None and not subject.then.whole:
        count = len(subject.then.leaves)
        found.append(f"{subject.former and subject.former.number} is recorded in part: its {count} files were compared")
    if subject.former is None:
        found.append("there is no earlier release; nothing was compared")
    return found


def _uncommitted_version(subject: Subject) -> Iterator[str]:
    """That the number in the file is another than the one that was committed."""
    try:
        written = parse_product((subject.repository.folder / FILE).read_bytes()).version
    except (OSError, TrothError):
        return
    if written is not None and written != subject.product.version:
        yield f"{FILE} says {written}, but that is not committed"


def unheeded(subject: Subject, asked: Asked) -> Iterator[str]:
    """What whoever releases may think is judged, and is not: edits that are not committed, and files that are no notes."""
    product, folder = subject.product, subject.product.notes_path
    if asked.commit == "HEAD" and (count := subject.repository.uncommitted):
        yield f"{count} file{'s are' if count > 1 else ' is'} not committed, and not judged"
        yield from _uncommitted_version(subject)
    if product.notes != "fragments":
        return
    if not subject.now.below(folder) and not (subject.repository.folder / folder).is_dir():
        yield f"there is no {folder}, where [notes] says that change notes lie"
    yield from note_warnings(new_fragments(product, subject.then, subject.now))


def _numbered(subject: Subject, tag: str) -> ReleaseNumber:
    return next(one.number for one in subject.releases.releases if one.tag == tag)


def as_json(subject: Subject, verdict: ReleaseVerdict) -> dict[str, Any]:
    """The verdict with the product and what it was compared with."""
    return {
        "product": subject.product.subject,
        "commit": subject.now.commit,
        "base": subject.then.commit if subject.then else None,
        "base_tag": subject.former.tag if subject.former else None,
        **verdict.as_dict(),
    }
