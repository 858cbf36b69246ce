"""What is judged of a release on the server: its evidence, beside what is recorded and what is waived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from troth.clock import now, stamp
from troth.commands.api_duties import retired_pages
from troth.commands.bus import Moved
from troth.commands.checking import Checking, declared_in
from troth.commands.excusing import Excusing
from troth.commands.formats import Payload
from troth.commands.staged_files import StagedFiles
from troth.contracts.product import Product
from troth.contracts.release_document import LARGEST_DOCUMENT, ReleaseDocument, release_document
from troth.contracts.release_findings import Compared, Records, findings, situation_of
from troth.errors import Malformed, Refused
from troth.registry import products
from troth.registry.database import Database
from troth.versions.releases.judging import judge
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.verdict import ReleaseVerdict
from troth.versions.waivers import Considered

_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Beside:
    """What a release is judged beside: what is recorded of its product and its APIs, and the waivers that somebody may mean."""

    records: Records
    waivers: tuple[Considered, ...]
    #: where the documentation has nothing, because the API that was told there is retired (PDB-39)
    retired: tuple[str, ...] = ()


class ReleaseJudging:
    """Reads evidence, and judges it. Judging may take long, because strangers declare what is judged."""

    def __init__(
        self, database: Database, files: StagedFiles, excusing: Excusing, seconds_now: Callable[[], float],
        judging_seconds: float,
    ) -> None:  # fmt: skip
        self._database = database
        self._files = files
        self._checking = Checking(files, judging_seconds)
        self._excusing = excusing
        self._seconds_now = seconds_now

    def claimed(self, digest: str) -> ReleaseDocument:
        """The evidence with this digest, as its client wrote it. Raises NotFound, TooLarge, or MalformedSource."""
        return release_document(self._files.read(digest, "evidence", LARGEST_DOCUMENT))

    def counted(self, document: ReleaseDocument) -> ReleaseDocument:
        """The evidence with what its records of tests count, as it was found in them. Raises NotFound, or TooLarge."""
        return msgspec.structs.replace(document, infrastructures=self._checking.counted(document.infrastructures))

    def compared(self, document: ReleaseDocument, product: Product, records: Records) -> Compared:
        """What became of the contracts since the former release. Raises NotFound, TooLarge or Malformed."""
        former = self._checking.former(records.former.evidence) if records.former else None
        return self._checking.compared(document, product, former)

    def uncompared(self, records: Records) -> Compared:
        """What is believed of contracts, beside what was declared at the former release."""
        return Compared(then=declared_in(self._checking.former(records.former.evidence)) if records.former else None)

    def beside(self, subject: str, commit: str, number: ReleaseNumber) -> Beside:
        """What a release of this product is judged beside now. Raises NotFound."""
        with self._database.read() as connection:
            row = products.existing(connection, subject)
            records = products.records_of(connection, row.id, number)
            found = self._waivers(connection, row.id, commit, number, stamp(now()))
            return Beside(records, found, tuple(retired_pages(connection, row.id, number)))

    def check_still(
        self, connection: Connection, beside: Beside, product_id: str, commit: str, number: ReleaseNumber, moment: str
    ) -> None:
        """Raises Moved where a release came meanwhile, a waiver came, ended or was taken back, or an API was retired."""
        if products.numbers_of(connection, product_id) != set(beside.records.numbers):
            raise Moved
        if self._waivers(connection, product_id, commit, number, moment) != beside.waivers:
            raise Moved
        if set(retired_pages(connection, product_id, number)) != set(beside.retired):
            raise Moved

    def verdict(
        self,
        document: ReleaseDocument,
        product: Product,
        beside: Beside,
        compared: Compared,
        number: ReleaseNumber,
        *,
        documented: bool,
        complete: bool = True,
    ) -> ReleaseVerdict:
        """The verdict on the release; as on a whole one, unless `complete` says otherwise."""
        records = beside.records
        situation = situation_of(document, product, records, number, complete=complete)
        state = products.state_of(document.migrations)
        facts = findings(document, product, records, number, compared, documented=documented, state=state)
        warnings = []
        if document.committed_at > self._seconds_now() + _SKEW_SECONDS:
            warnings.append("the commit was made in the future, by this server's clock; one of the clocks is wrong")
        return judge(facts, situation, number, warnings, beside.waivers)

    def _waivers(
        self, connection: Connection, product_id: str, commit: str, number: ReleaseNumber, moment: str
    ) -> tuple[Considered, ...]:
        return self._excusing.waivers(connection, product_id, commit, products.precedence(number), moment)


def check_declared(document: ReleaseDocument, product: Product, payload: Payload, number: ReleaseNumber) -> None:
    """Raises Malformed where the evidence is of something else than what is cut."""
    declared, version = product.subject, product.version
    if declared != payload["product"]:
        raise Malformed(
            f"the evidence is of {declared}, not of {payload['product']}", repair="cut it for its own product"
        )
    if document.commit != payload["commit"]:
        raise Malformed("the evidence is of another commit", repair="cut again; troth release cut names both")
    if version is not None and version != number and (not number.is_prerelease or version != number.finished):
        raise Refused(
            f"troth.toml says version {version} at this commit, and {number} is cut",
            why="a release says which one it is (SemVer 3)",
            repair=f'write version = "{number.finished}" in [product], commit it, and cut again',
            clauses=["PDB-05"],
            asked=str(number),
            found=str(version),
        )


def check_base(document: ReleaseDocument, records: Records, number: ReleaseNumber) -> None:
    """Raises Refused where the evidence was gathered beside another release than the one before (PDB-05)."""
    former = records.former
    if former is None or number in records.numbers:
        return
    if document.base != str(former.number):
        compared = f"with {document.base}" if document.base else "with nothing"
        raise Refused(
            f"the evidence compares {compared}, and {former.number} is the release before {number}",
            why="what changed is told since the release before; another may have been cut meanwhile",
            repair=f"fetch the tags (git fetch --tags), or name it: --base {former.number}",
            clauses=["PDB-05"],
            asked=document.base,
            found=str(former.number),
        )
    if document.base_commit != former.commit:
        raise Refused(
            f"the tag of {former.number} lies on another commit than the one that was released",
            why=f"{former.commit[:12]} was released; a release is one commit, and never changes (SemVer 3)",
            repair="put the tag back where it was",
            clauses=["PDB-05"],
            asked=document.base_commit,
            found=former.commit,
        )
