"""Waivers as they were asked for, approved, revoked and used. A row stays for good."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, String, Table, Text, or_, select, update

from troth.registry.column_types import MOMENT, UUID
from troth.registry.tables import accounts, metadata
from troth.versions.waivers import Waiver

waivers = Table(
    "waivers",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("kind", String(16), nullable=False),  # of its subject: a key of troth.versions.waivers.WAIVABLE
    Column("subject_id", UUID, nullable=False, index=True),  # in the table of that kind
    Column("subject", String(130), nullable=False),  # its name, as it is signed
    Column("owner_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("number", String(128), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("clauses", Text, nullable=False),  # JSON list
    Column("reason", Text, nullable=False),
    Column("verdict", Text, nullable=False),  # JSON: what the policy said without it
    Column("requested_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("requested_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("approved_by", UUID, ForeignKey("accounts.id")),
    Column("approved_at", MOMENT),
    Column("signed", Text),  # JSON: the waiver as it was signed, which decides
    Column("revoked_by", UUID, ForeignKey("accounts.id")),
    Column("revoked_at", MOMENT),
    Column("revocation", Text),  # why it was revoked
    Column("used_at", MOMENT),
)

_REQUESTER, _APPROVER, _REVOKER = accounts.alias(), accounts.alias(), accounts.alias()
_WAIVER = (
    select(
        waivers,
        _REQUESTER.c.name.label("requester"),
        _APPROVER.c.name.label("approver"),
        _REVOKER.c.name.label("revoker"),
    )
    .join(_REQUESTER, _REQUESTER.c.id == waivers.c.requested_by)
    .join(_APPROVER, _APPROVER.c.id == waivers.c.approved_by, isouter=True)
    .join(_REVOKER, _REVOKER.c.id == waivers.c.revoked_by, isouter=True)
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a waiver is about: the kind, the id in the table of that kind, the name OWNER/NAME, and the account that owns it."""

    kind: str
    id: str
    name: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """One waiver and what became of it; moments that did not come are None."""

    id: str
    subject: Subject
    number: str
    hash: str
    clauses: tuple[str, ...]
    reason: str
    verdict: dict[str, Any]
    requested_by_id: str
    requested_by: str
    requested_at: str
    expires_at: str
    approved_by: str | None
    approved_at: str | None
    signed: Waiver | None
    revoked_by: str | None
    revoked_at: str | None
    revocation: str | None
    used_at: str | None

    def approved(self, by: str, at: str, key: str) -> Waiver:
        """The waiver as this account approves it, not signed yet."""
        return Waiver(
            self.id, self.subject.name, self.number, self.hash, self.clauses, self.reason,
            self.requested_by, by, at, self.expires_at, key, kind=self.subject.kind,
        )  # fmt: skip

    def state(self, moment: str) -> str:
        """`used`, `revoked`, `expired`, `approved` or `requested`."""
        if self.used_at is not None:
            return "used"
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= moment:
            return "expired"
        return "approved" if self.approved_at is not None else "requested"

    def as_dict(self, moment: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.subject.kind,
            self.subject.kind: self.subject.name,
            "number": self.number,
            "hash": self.hash,
            "clauses": list(self.clauses),
            "reason": self.reason,
            "state": self.state(moment),
            "requested_by": self.requested_by,
            "requested_at": self.requested_at,
            "expires_at": self.expires_at,
            "approved_by": self.approved_by,
            "approved_at": self.approved_at,
            "self_approved": bool(self.signed and self.signed.self_approved),
            "revoked_by": self.revoked_by,
            "revoked_at": self.revoked_at,
            "revocation": self.revocation,
            "used_at": self.used_at,
            "waiver": self.signed.as_dict() if self.signed else None,
            "verdict": self.verdict,
        }


def add(
    connection: Connection,
    subject: Subject,
    *,
    number: str,
    commit: str,
    clauses: Sequence[str],
    reason: str,
    verdict: dict[str, Any],
    expires_at: str,
    actor_id: str,
    now: str,
) -> WaiverRow:
    """Keeps what somebody asks for."""
    identity = str(uuid.uuid4())
    connection.execute(
        waivers.insert().values(
            id=identity,
            kind=subject.kind,
            subject_id=subject.id,
            subject=subject.name,
            owner_id=subject.owner_id,
            number=number,
            hash=commit,
            clauses=json.dumps(list(clauses)),
            reason=reason,
            verdict=json.dumps(verdict, sort_keys=True),
            requested_by=actor_id,
            requested_at=now,
            expires_at=expires_at,
        )
    )
    row = find(connection, identity)
    assert row is not None
    return row


def find(connection: Connection, identity: str) -> WaiverRow | None:
    """The waiver with this id."""
    row = connection.execute(_WAIVER.where(waivers.c.id == identity)).first()
    return _row(row) if row else None


def of_subject(connection: Connection, subject_id: str) -> list[WaiverRow]:
    """Every waiver of a subject, the newest first."""
    rows = _WAIVER.where(waivers.c.subject_id == subject_id).order_by(waivers.c.requested_at.desc())
    return [_row(row) for row in connection.execute(rows)]


def approved_for(connection: Connection, subject_id: str, commit: str, number: str | None) -> list[WaiverRow]:
    """The approved waivers that name this commit or this number, the newest first; not those that were used."""
    named = waivers.c.hash == commit if number is None else or_(waivers.c.hash == commit, waivers.c.number == number)
    rows = _WAIVER.where(
        waivers.c.subject_id == subject_id, named, waivers.c.approved_at.is_not(None), waivers.c.used_at.is_(None)
    ).order_by(waivers.c.approved_at.desc())
    return [_row(row) for row in connection.execute(rows)]


def approve(connection: Connection, waiver: Waiver, actor_id: str) -> None:
    """Keeps who approved it, and what was signed."""
    values = {"approved_by": actor_id, "approved_at": waiver.approved_at, "signed": json.dumps(waiver.as_dict())}
    connection.execute(update(waivers).where(waivers.c.id == waiver.id).values(**values))


def revoke(connection: Connection, identity: str, reason: str, actor_id: str, now: str) -> None:
    """Ends it from now on."""
    values = {"revoked_by": actor_id, "revoked_at": now, "revocation": reason}
    connection.execute(update(waivers).where(waivers.c.id == identity).values(**values))


def use(connection: Connection, identities: Collection[str], now: str) -> None:
    """Notes that something was published by them."""
    if identities:
        connection.execute(update(waivers).where(waivers.c.id.in_(identities)).values(used_at=now))


def _row(row: Any) -> WaiverRow:
    return WaiverRow(
        row.id, Subject(row.kind, row.subject_id, row.subject, row.owner_id), row.number, row.hash, tuple(json.loads(row.clauses)), row.reason,
        json.loads(row.verdict), row.requested_by, row.requester, row.requested_at, row.expires_at, row.approver,
        row.approved_at, Waiver.from_dict(json.loads(row.signed)) if row.signed else None, row.revoker, row.revoked_at, row.revocation, row.used_at,
    )  # fmt: skip
