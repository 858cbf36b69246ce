"""What a server checks of a release by itself: its contracts beside those that were kept, and its records of tests.

Both are strangers' files. They are read in a process of its own that is ended after a while (decision 0051); what it did not
come to was not proved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

import msgspec

from troth.commands.answering import whole_lines
from troth.commands.staged_files import StagedFiles
from troth.contracts.contract_facts import KeptFiles, contracts_of, promised_by
from troth.contracts.junit import Counts
from troth.contracts.product import Product, Promised, parse_product
from troth.contracts.release_document import (
    LARGEST_CONTRACTS,
    LARGEST_DOCUMENT,
    LARGEST_RECORDS,
    MOST_RECORDS,
    ReleaseDocument,
    ToldFact,
    ToldInfrastructure,
    ToldRecord,
    ToldUnkept,
    contract_texts,
    release_document,
)
from troth.contracts.release_findings import Compared
from troth.contracts.unfolding import unfolded
from troth.errors import Malformed, TooLarge, TrothError
from troth.versions.releases.evidence import Fact, Kind

_UNPROVED: Final = "comparing it took longer than is spent on it, so nothing was proved"
_UNCOUNTED: Final = "counting it took longer than is spent on it"
_PROCESS: Final = "troth.commands.checking_process"


class Checking:
    """Checks what is told of releases. `seconds` is how long one comparison of all contracts may take."""

    def __init__(self, files: StagedFiles, seconds: float) -> None:
        self._files = files
        self._seconds = seconds

    def former(self, digest: str) -> ReleaseDocument | None:
        """What was told of the release before; None where it is not there, or cannot be read, any more."""
        try:
            return release_document(self._files.read(digest, "the evidence of the release before", LARGEST_DOCUMENT))
        except TrothError:
            return None

    def compared(self, document: ReleaseDocument, product: Product, former: ReleaseDocument | None) -> Compared:
        """What became of the contracts since the former release, as far as both sides are kept.

        Raises NotFound, TooLarge or Malformed for files of contracts that are not what they are said to be.
        """
        new = self._texts(document)
        then = declared_in(former)
        old = self._kept(former)
        if former is None or then is None or old is None:
            why = (
                "the release before is not recorded here" if former is None else "no contracts were kept of the former"
            )
            return Compared(believed=tuple(ToldUnkept(one.path, why) for one in product.contracts), then=then)
        unkept = {one.path: one for side in (former, document) for one in side.unkept}
        pair = KeptFiles(old), KeptFiles(new)
        listed = [one for one in contracts_of(product, then) if one.path not in unkept]
        now, before = (unfolded(one, *pair) for one in (product, then))
        known = {one.path for one in listed}
        kept = [one for one in contracts_of(now, before) if _is_among(one.path, known)]
        differing = [one for one in kept if _differs(one, now, before, *pair)]
        question = {"declared": document.declared, "then": former.declared, "old": old, "new": new}
        facts = self._answered(
            {**question, "contracts": [[one.kind, one.path] for one in differing]}, differing, now, before
        )
        return Compared(
            tuple(facts),
            frozenset(one.path for one in kept),
            tuple(unkept[path] for path in sorted(unkept)),
            then,
        )

    def counted(self, infrastructures: Sequence[ToldInfrastructure]) -> tuple[ToldInfrastructure, ...]:
        """The same infrastructures with what each of their records counts, as it was found in its file."""
        records = [record for one in infrastructures for record in one.records]
        sizes = [self._files.find(record.digest, record.path).size for record in records]
        if len(records) > MOST_RECORDS or sum(sizes) > LARGEST_RECORDS:
            raise TooLarge(
                "there are too many records of tests",
                why=f"{len(records)} with {sum(sizes)} bytes; {MOST_RECORDS} with {LARGEST_RECORDS} are counted",
                repair="name fewer files in [infrastructures]",
            )
        with ExitStack() as opened:
            descriptors = []
            for record in records:
                descriptor = self._files.open(record.digest, record.path)
                opened.callback(os.close, descriptor)
                descriptors.append(descriptor)
            answers = self._asked({"records": descriptors}, descriptors) if records else []
        counts = [msgspec.convert(json.loads(line), Counts) for line in answers[: len(records)]]
        counts += [Counts(fault=_UNCOUNTED)] * (len(records) - len(counts))
        told = iter([_told(record, found) for record, found in zip(records, counts, strict=True)])
        return tuple(
            msgspec.structs.replace(one, records=tuple(next(told) for _ in one.records)) for one in infrastructures
        )

    def _texts(self, document: ReleaseDocument) -> dict[str, str]:
        if not document.contracts:
            return {}
        return contract_texts(self._files.read(document.contracts, "the files of its contracts", LARGEST_CONTRACTS))

    def _kept(self, former: ReleaseDocument | None) -> dict[str, str] | None:
        """The contracts of the release before; None where it was recorded without them."""
        if former is None or not (former.contracts or not _has_contracts(former)):
            return None
        try:
            return self._texts(former)
        except TrothError:
            return None

    def _answered(
        self, question: Mapping[str, Any], differing: Sequence[Promised], product: Product, then: Product
    ) -> Iterator[Fact]:
        """The facts that a process finds, contract by contract; what it did not come to is undecided."""
        answers = self._asked(question, ()) if differing else []
        for line in answers[: len(differing)]:
            told = json.loads(line)
            if "fault" in told:
                what, why, repair = told["fault"]
                raise Malformed(what, why=why, repair=repair)
            for fact in msgspec.convert(told["facts"], list[ToldFact]):
                yield fact.fact()
        for one in differing[len(answers) :]:
            yield Fact(Kind.CONTRACT_UNDECIDED, one.path, _UNPROVED, component=promised_by(one, product, then))

    def _asked(self, question: Mapping[str, Any], descriptors: Sequence[int]) -> list[bytes]:
        """The whole lines that the process answers before its time is over."""
        return whole_lines(_PROCESS, json.dumps(question).encode(), self._seconds, descriptors)


def declared_in(document: ReleaseDocument | None) -> Product | None:
    """What the product declared then; None where it cannot be read today."""
    try:
        return parse_product(document.declared.encode()) if document is not None else None
    except TrothError:
        return None


def _has_contracts(document: ReleaseDocument) -> bool:
    declared = declared_in(document)
    return declared is None or bool(declared.contracts)


def _is_among(path: str, contracts: Collection[str]) -> bool:
    """Whether a contract is one of those, or a document in the folder of one."""
    return any(path == one or path.startswith(f"{one}/") for one in contracts)


def _differs(promised: Promised, product: Product, then: Product, old: KeptFiles, new: KeptFiles) -> bool:
    both = [
        any((one.kind, one.path) == (promised.kind, promised.path) for one in side.contracts)
        for side in (then, product)
    ]
    identities = [[(path, files.identity(path)) for path in sorted(files.below(promised.path))] for files in (old, new)]
    return both != [True, True] or identities[0] != identities[1] or not identities[1]


def _told(record: ToldRecord, counts: Counts) -> ToldRecord:
    return msgspec.structs.replace(
        record, tests=counts.tests, skipped=counts.skipped, failed=counts.failed, fault=counts.fault
    )
