"""The command that releases: what was uploaded is read and verified first, then judged and recorded in one step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.algorithms import require_for
from troth.commands.api_duties import check_overdue
from troth.commands.bus import Transaction
from troth.commands.cuts import Cuts
from troth.commands.formats import Payload
from troth.commands.release_judging import Beside, ReleaseJudging, check_base, check_declared
from troth.commands.release_room import ReleaseRoom
from troth.commands.staged_files import StagedFiles, missing_file
from troth.contracts.product import Product, parse_product
from troth.contracts.release_document import ReleaseDocument
from troth.contracts.release_findings import Compared
from troth.contracts.release_trust import believed, checked
from troth.errors import Malformed, Refused
from troth.registry import planned_releases, products, release_files, waivers
from troth.registry.products import Artifact, ProductRow
from troth.sites.making import Made
from troth.sites.store import Sites
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.rendering import can_be_waived, headline, waiver_lines
from troth.versions.releases.verdict import ReleaseVerdict
from troth.versions.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Staged:
    """Everything that a release needs, read and whole."""

    document: ReleaseDocument
    product: Product
    site: Made | None
    artifacts: tuple[Artifact, ...]
    #: bytes, by digest, of what it rests on: evidence, documentation, contracts, records of tests
    files: dict[str, int]
    #: what the release was judged beside, and what came of it
    beside: Beside
    compared: Compared
    verdict: ReleaseVerdict


class CutRelease:
    """Of two who cut one number, one wins: both are staged, and the transactions come one after the other.

    It is judged outside the transaction, because what strangers declare may take long to judge; and once more where
    another release came meanwhile.
    """

    def __init__(
        self, judging: ReleaseJudging, files: StagedFiles, sites: Sites, room: ReleaseRoom, cuts: Cuts
    ) -> None:
        self._judging = judging
        self._cuts = cuts
        self._files = files
        self._room = room
        self._sites = sites

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("cut_release", connection, actor, payload["product"])

    async def prepare(self, actor: Actor, payload: Payload) -> Staged:
        return await self._cuts.run(actor.id, self._staged, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Staged) -> dict[str, Any]:
        connection, number = transaction.connection, ReleaseNumber.parse(payload["number"])
        row = products.existing(connection, payload["product"])
        check_declared(prepared.document, prepared.product, payload, number)
        self._judging.check_still(connection, prepared.beside, row.id, payload["commit"], number, transaction.now)
        check_base(prepared.document, prepared.beside.records, number)
        verdict = prepared.verdict
        check_overdue(connection, row.id, number, verdict.former)
        if verdict.outcome is not Outcome.ALLOWED:
            raise _refusal(verdict, row, number)
        values = _values(prepared, verdict, payload)
        values |= {"product_id": row.id, "cut_by": transaction.actor.id, "cut_at": transaction.now}
        files = prepared.files | {one.digest: one.size for one in prepared.artifacts}
        self._room.check(connection, row.owner_id, files)
        identity = products.add_release(connection, values, prepared.artifacts)
        release_files.add_evidence(connection, identity, prepared.files)
        release_files.forget_uploads(connection, files)
        planned_releases.fulfil(connection, row.id, number)
        waivers.use(connection, verdict.used, transaction.now)
        release = products.get_release(connection, row, number)
        return {"product": row.subject, **release.as_dict(), "verdict": verdict.as_dict()}

    # --- before the transaction

    def _staged(self, payload: Payload) -> Staged:
        document = self._judging.counted(self._judging.claimed(payload["evidence"]))
        product = parse_product(document.declared.encode())
        artifacts = tuple(self._artifacts(payload))
        number = ReleaseNumber.parse(payload["number"])
        beside = self._judging.beside(payload["product"], payload["commit"], number)
        retired = (*product.documentation_retired, *beside.retired)
        site = self._site(payload["documentation"], retired) if "documentation" in payload else None
        compared = self._judging.compared(document, product, beside.records)
        verdict = self._judging.verdict(document, product, beside, compared, number, documented=site is not None)
        files = dict(self._sizes(payload, document))
        return Staged(document, product, site, artifacts, files, beside, compared, verdict)

    def _sizes(self, payload: Payload, document: ReleaseDocument) -> Iterator[tuple[str, int]]:
        named = [(payload["evidence"], "evidence"), (payload.get("documentation"), "documentation")]
        named += [(document.contracts, "the files of its contracts")]
        named += [(record.digest, record.path) for one in document.infrastructures for record in one.records]
        yield from ((digest, self._files.find(digest, what).size) for digest, what in named if digest)

    def _site(self, digest: str, retired: Sequence[str]) -> Made:
        """The documentation as it will be served. Raises Refused where it has pages of what is retired (PDB-39)."""
        try:
            made = self._sites.ready(digest)
        except FileNotFoundError:
            raise missing_file("documentation") from None
        self._sites.refuse_retired(digest, retired)
        return made

    def _artifacts(self, payload: Payload) -> list[Artifact]:
        listed = payload.get("artifacts", [])
        if len({one["name"].casefold() for one in listed}) < len(listed):
            raise Malformed("two files of the release have one name", repair="give each a name of its own")
        found = []
        for one in listed:
            blob = self._files.find(one["digest"], one["name"])
            found.append(Artifact(one["name"], blob.digest, blob.size))
        return found


def _refusal(verdict: ReleaseVerdict, row: ProductRow, number: ReleaseNumber) -> Refused:
    told = verdict.as_dict()
    gaps = "; ".join(one.question for one in verdict.gaps)
    reasons = [one.text for one in verdict.objections]
    reasons += [f"{one['facts'][0]['words'].rstrip('.')}: {one['purpose']}" for one in told["asked"] if one["refuses"]]
    repairs = [one.repair for one in verdict.objections]
    repairs += [fact["repair"] for one in told["asked"] if one["refuses"] for fact in one["facts"] if "repair" in fact]
    ways = [f"release it as {verdict.least}"] if verdict.least and verdict.least != number else []
    ways += [f"ask for a waiver (troth release request-waiver {number})"] if can_be_waived(told) else []
    return Refused(
        f"{row.subject}: {headline(told)}",
        why="; ".join([" ".join(reasons[:3]), *waiver_lines(told)]).strip("; ") or gaps,
        repair=", or ".join([*dict.fromkeys(repairs[:3]), *ways]) or "decide, and write it into [[decisions]]",
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
        "checked": checked(document, staged.compared, staged.beside.records, documented=staged.site is not None),
        "believed": believed(document, staged.compared, staged.beside.records),
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
