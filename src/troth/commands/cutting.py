"""The command that releases: what was uploaded is read and verified first, then judged and recorded in one step."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.artifacts.blobs import BlobStore
from troth.commands.algorithms import require_for
from troth.commands.api_duties import check_overdue, retired_pages
from troth.commands.bus import Moved, Transaction
from troth.commands.formats import Payload
from troth.contracts.product import Product, parse_product
from troth.contracts.release_document import LARGEST_DOCUMENT, ReleaseDocument, release_document
from troth.contracts.release_findings import Records, findings, situation_of
from troth.errors import Malformed, NotFound, Refused, TooLarge
from troth.registry import planned_releases, products
from troth.registry.database import Database
from troth.registry.products import Artifact, ProductRow
from troth.sites.making import Made
from troth.sites.store import Sites
from troth.versions.releases.judging import judge
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.rendering import headline
from troth.versions.releases.verdict import ReleaseVerdict
from troth.versions.verdict import Outcome

_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Staged:
    """Everything that a release needs, read and whole."""

    document: ReleaseDocument
    product: Product
    site: Made | None
    artifacts: tuple[Artifact, ...]
    #: what the release was judged beside, and what came of it
    records: Records
    verdict: ReleaseVerdict


class CutRelease:
    """Of two who cut one number, one wins: both are staged, and the transactions come one after the other.

    It is judged outside the transaction, because what strangers declare may take long to judge; and once more where
    another release came meanwhile.
    """

    def __init__(self, database: Database, files: BlobStore, sites: Sites, seconds_now: Callable[[], float]) -> None:
        self._database = database
        self._files = files
        self._sites = sites
        self._seconds_now = seconds_now

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("cut_release", connection, actor, payload["product"])

    async def prepare(self, actor: Actor, payload: Payload) -> Staged:
        return await asyncio.to_thread(self._staged, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Staged) -> dict[str, Any]:
        connection, number = transaction.connection, ReleaseNumber.parse(payload["number"])
        row = products.existing(connection, payload["product"])
        _check_declared(prepared, payload, number)
        if products.numbers_of(connection, row.id) != set(prepared.records.numbers):
            raise Moved
        _check_base(prepared.document, prepared.records, number)
        check_overdue(connection, row.id, number)
        verdict = prepared.verdict
        if verdict.outcome is not Outcome.ALLOWED:
            raise _refusal(verdict, row, number)
        values = _values(prepared, verdict, payload)
        values |= {"product_id": row.id, "cut_by": transaction.actor.id, "cut_at": transaction.now}
        products.add_release(connection, values, prepared.artifacts)
        planned_releases.fulfil(connection, row.id, number)
        release = products.get_release(connection, row, number)
        return {"product": row.subject, **release.as_dict(), "verdict": verdict.as_dict()}

    # --- before the transaction

    def _staged(self, payload: Payload) -> Staged:
        document = release_document(self._evidence(payload["evidence"]))
        product = parse_product(document.declared.encode())
        artifacts = tuple(self._artifacts(payload))
        number = ReleaseNumber.parse(payload["number"])
        with self._database.read() as connection:
            row = products.existing(connection, payload["product"])
            records = products.records_of(connection, row.id, number)
            retired = (*product.documentation_retired, *retired_pages(connection, row.id, number))
        site = self._site(payload["documentation"], retired) if "documentation" in payload else None
        verdict = self._verdict(document, product, site, records, number)
        return Staged(document, product, site, artifacts, records, verdict)

    def _verdict(
        self,
        document: ReleaseDocument,
        product: Product,
        site: Made | None,
        records: Records,
        number: ReleaseNumber,
    ) -> ReleaseVerdict:
        situation = situation_of(document, product, records, number)
        state = products.state_of(document.migrations)
        facts = findings(document, product, records, number, documented=site is not None, state=state)
        warnings = []
        if document.committed_at > self._seconds_now() + _SKEW_SECONDS:
            warnings.append("the commit was made in the future, by this server's clock; one of the clocks is wrong")
        return judge(facts, situation, number, warnings)

    def _evidence(self, digest: str) -> bytes:
        with os.fdopen(self._open(digest, "evidence"), "rb") as file:
            content = file.read(LARGEST_DOCUMENT + 1)
        if len(content) > LARGEST_DOCUMENT:
            raise TooLarge(
                "the evidence is too large",
                why=f"it has at most {LARGEST_DOCUMENT >> 20} MiB",
                repair="release in smaller steps",
            )
        return content

    def _site(self, digest: str, retired: Sequence[str]) -> Made:
        """The documentation as it will be served. Raises Refused where it has pages of what is retired (PDB-39)."""
        try:
            made = self._sites.ready(digest)
        except FileNotFoundError:
            raise _missing("documentation") from None
        kept = self._sites.matching(digest, retired)
        if kept:
            raise Refused(
                f"the documentation has pages of what is retired: {', '.join(path[:100] for path in kept)}",
                why="at retirement the documentation is removed; that of earlier releases stays",
                repair="take them out, and what leads to them, and build it again",
                clauses=["PDB-39"],
                asked=list(retired),
                found=kept,
            )
        return made

    def _artifacts(self, payload: Payload) -> list[Artifact]:
        listed = payload.get("artifacts", [])
        if len({one["name"].casefold() for one in listed}) < len(listed):
            raise Malformed("two files of the release have one name", repair="give each a name of its own")
        found = []
        for one in listed:
            blob = self._files.find(one["digest"])
            if blob is None:
                raise _missing(one["name"])
            found.append(Artifact(one["name"], blob.digest, blob.size))
        return found

    def _open(self, digest: str, what: str) -> int:
        try:
            return self._files.open(digest)
        except FileNotFoundError:
            raise _missing(what) from None


def _missing(what: str) -> NotFound:
    return NotFound(
        f"{what} was not uploaded whole",
        why="a release is cut when everything that belongs to it is there",
        repair="upload it (PUT /api/v1/release-files/DIGEST), and cut again",
        asked=what,
    )


def _check_declared(staged: Staged, payload: Payload, number: ReleaseNumber) -> None:
    """Raises Malformed where the evidence is of something else than what is cut."""
    declared, version = staged.product.subject, staged.product.version
    if declared != payload["product"]:
        raise Malformed(
            f"the evidence is of {declared}, not of {payload['product']}", repair="cut it for its own product"
        )
    if staged.document.commit != payload["commit"]:
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


def _check_base(document: ReleaseDocument, records: Records, number: ReleaseNumber) -> None:
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


def _refusal(verdict: ReleaseVerdict, row: ProductRow, number: ReleaseNumber) -> Refused:
    told = verdict.as_dict()
    gaps = "; ".join(one.question for one in verdict.gaps)
    reasons = [one.text for one in verdict.objections]
    reasons += [f"{one['facts'][0]['words'].rstrip('.')}: {one['purpose']}" for one in told["asked"] if one["refuses"]]
    repairs = [one.repair for one in verdict.objections]
    repairs += [fact["repair"] for one in told["asked"] if one["refuses"] for fact in one["facts"] if "repair" in fact]
    least = f"release it as {verdict.least}" if verdict.least and verdict.least != number else ""
    return Refused(
        f"{row.subject}: {headline(told)}",
        why=" ".join(reasons[:3]) or gaps,
        repair=", or ".join([*dict.fromkeys(repairs[:3]), *([least] if least else [])])
        or "decide, and write it into [[decisions]]",
        clauses=verdict.clauses if verdict.outcome is Outcome.REFUSED else ["PDB-04"],
        asked=str(number),
        least=str(verdict.least) if verdict.least else None,
        found=told,
    )


def _values(staged: Staged, verdict: ReleaseVerdict, payload: Payload) -> dict[str, Any]:
    """The row of the release."""
    document, product, number = staged.document, staged.product, verdict.number
    assert number is not None
    told = {
        "profiles": list(product.profiles),
        "components": {one.name: one.maturity.value if one.maturity else "" for one in product.components},
        "facts": [fact.as_dict() for fact in verdict.facts],
        "notes": msgspec.to_builtins(document.notes),
        "paths": msgspec.to_builtins(document.paths),
        "infrastructures": msgspec.to_builtins(document.infrastructures),
        "warnings": list(verdict.warnings),
    }
    return {
        "number": str(number),
        "precedence": products.precedence(number),
        "prerelease": number.is_prerelease,
        "former": str(verdict.former) if verdict.former else None,
        "commit": payload["commit"],
        "tag": payload["tag"],
        "occasion": product.occasion,
        "policy_revision": verdict.policy_revision,
        "verdict": json.dumps(verdict.as_dict(), sort_keys=True),
        "evidence_digest": payload["evidence"],
        "docs_digest": payload.get("documentation"),
        "state": products.state_of(document.migrations),
        "told": json.dumps(told, sort_keys=True),
        "migrations": json.dumps(msgspec.to_builtins(document.migrations)),
        "settings": json.dumps(msgspec.to_builtins(document.settings)),
    }
