"""The commands of waivers: somebody asks, another approves, anybody of the owner takes it back.

Who asks for an algorithm is here, who asks for a release of a product in `troth.commands.waiving_releases`, and who asks for
a change of an API in `troth.commands.waiving_apis`; the rest is the same for every kind of subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor, relations, require
from troth.clock import stamp
from troth.commands.algorithms import existing, publishable, require_for
from troth.commands.bus import Handler, Moved, Transaction
from troth.commands.formats import Payload
from troth.commands.judging import Judging, Snapshot
from troth.errors import Malformed, NotFound, Refused
from troth.registry import accounts, catalog, waivers
from troth.registry.waivers import Subject
from troth.signing import SigningKey
from troth.versions.numbers import Number
from troth.versions.waivers import LONGEST_DAYS, WAIVABLE, Considered, Waiver


def waiver_handlers(judging: Judging, key: SigningKey) -> dict[str, Handler]:
    """The commands of waivers by their names."""
    return {
        "request_waiver": RequestWaiver(judging),
        "approve_waiver": ApproveWaiver(key),
        "revoke_waiver": RevokeWaiver(),
    }


class RequestWaiver:
    """Keeps the question whether a build may have a number that the comparing clauses refuse."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("request_waiver", connection, actor, payload["algorithm"])

    async def prepare(self, actor: Actor, payload: Payload) -> Snapshot:
        return await self._judging.snapshot(actor, _publication(payload))

    def handle(self, transaction: Transaction, payload: Payload, prepared: Snapshot) -> dict[str, Any]:
        connection = transaction.connection
        number = Number.parse(payload["number"])
        clauses = waivable("algorithm", payload["clauses"])
        algorithm = existing(connection, payload["algorithm"])
        build = publishable(connection, algorithm, payload["hash"])
        history = catalog.history_of(connection, algorithm.id)
        if history.numbers() != prepared.numbers:
            raise Moved
        verdict, _ = self._judging.verdict(_publication(payload), build, history, prepared.judged)
        left = {one.clause: one.text for one in verdict.findings if one.clause not in clauses}
        check_that_it_helps("algorithm", clauses, verdict.as_dict(), left)
        subject = Subject("algorithm", algorithm.id, algorithm.subject, algorithm.owner_id)
        return asked(transaction, subject, str(number), build.hash, clauses, payload, verdict.as_dict())


class ApproveWaiver:
    """Signs a waiver: another of the owner's than who asks, where there is one."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        _require_on("approve_waiver", connection, actor, payload["waiver"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        connection, actor, moment = transaction.connection, transaction.actor, transaction.now
        row = _existing(connection, payload["waiver"])
        _require_state(row, moment, "approved", {"requested"})
        if actor.id == row.requested_by_id:
            _require_alone(connection, row)
        waiver = row.approved(actor.name, moment, self._key.identity)
        signed = replace(waiver, signature=self._key.sign(waiver.statement()))
        waivers.approve(connection, signed, actor.id)
        return _existing(connection, row.id).as_dict(moment)


class RevokeWaiver:
    """Takes back a waiver by which nothing was published yet, approved or not."""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        _require_on("revoke_waiver", connection, actor, payload["waiver"])

    async def prepare(self, actor: Actor, payload: Payload) -> None:
        return None

    def handle(self, transaction: Transaction, payload: Payload, prepared: None) -> dict[str, Any]:
        row = _existing(transaction.connection, payload["waiver"])
        _require_state(row, transaction.now, "revoked", {"requested", "approved", "expired"})
        reason = payload.get("reason", "")
        waivers.revoke(transaction.connection, row.id, reason, transaction.actor.id, transaction.now)
        return _existing(transaction.connection, row.id).as_dict(transaction.now)


def _publication(payload: Payload) -> Payload:
    """The publication that a waiver is asked for. A change of permissions is judged when it is published."""
    return {"algorithm": payload["algorithm"], "hash": payload["hash"], "number": payload["number"]}


def asked(
    transaction: Transaction,
    subject: Subject,
    number: str,
    commit: str,
    clauses: list[str],
    payload: Payload,
    verdict: Mapping[str, Any],
) -> dict[str, Any]:
    """Keeps what is asked for, with the verdict without it. Raises Malformed for a wrong expiry, Refused where there is one."""
    connection, moment = transaction.connection, transaction.now
    expires_at = _expiry(payload["expires_at"], moment)
    _check_new(connection, subject, number, commit, clauses, moment)
    row = waivers.add(
        connection,
        subject,
        number=number,
        commit=commit,
        clauses=clauses,
        reason=payload["reason"].strip(),
        verdict=dict(verdict),
        expires_at=expires_at,
        actor_id=transaction.actor.id,
        now=moment,
    )
    return row.as_dict(moment)


#: what can be waived, and what cannot, in words
_LIMITS = {
    "algorithm": "what compares versions, and never what a version is, who may reach it, or that it stays as it is",
    "product": "what compares releases, and never what a release is, that who upgrades gets there, or what must be there",
    "api": "what compares contracts, and never the states of a version, or that what is deprecated stays as it is",
    "line": "who still uses it, and never the notice that callers were given, or that complete numbers run on",
}


def waivable(kind: str, clauses: list[str]) -> list[str]:
    """The clauses, each once. Raises Refused where one of them cannot be waived for this kind of subject."""
    legal = WAIVABLE[kind]
    for clause in clauses:
        if clause not in legal:
            article = "an" if kind[0] in "aeiou" else "a"
            raise Refused(
                f"{clause} cannot be waived",
                why=f"for {article} {kind} only {', '.join(legal)} can: {_LIMITS[kind]}",
                repair="publish under a number that this clause allows",
                asked=clause,
                found=list(legal),
            )
    return list(dict.fromkeys(clauses))


def supposed(kind: str, subject: str, number: str, commit: str, clauses: list[str]) -> Considered:
    """The waiver that is asked for, as if it held already."""
    texts = dict.fromkeys(("id", "reason", "requested_by", "approved_by", "approved_at", "expires_at", "key"), "")
    return Considered(
        Waiver(subject=subject, number=number, hash=commit, clauses=tuple(clauses), kind=kind, **texts),
    )


def _expiry(text: str, moment: str) -> str:
    """The moment, as the registry keeps moments. Raises Malformed for one that is past, far, or none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    begins = datetime.fromisoformat(moment)
    if when is not None and when.tzinfo is not None and begins < when <= begins + timedelta(days=LONGEST_DAYS):
        return stamp(when)
    raise Malformed(
        f"a waiver cannot expire at {text[:60]!r}",
        why=f"it takes a moment with its time zone that is to come, within {LONGEST_DAYS} days",
        repair="give one like 2027-01-31T00:00:00Z",
        asked=text[:60],
    )


def check_that_it_helps(kind: str, clauses: list[str], verdict: Mapping[str, Any], left: Mapping[str, str]) -> None:
    """Raises Refused where nothing objects, or where something else would object all the same.

    `verdict` is the one without the waiver; `left` has the clauses that would object in spite of it, and to what.
    """
    objecting, number = verdict["clauses"], verdict["number"]
    idle = [clause for clause in clauses if clause not in objecting]
    others = list(left)
    if not idle and not others:
        return
    if idle:
        what = f"{idle[0]} does not object to {number}, so there is nothing to waive"
        why = f"what objects is {', '.join(objecting)}" if objecting else "it is allowed as it is"
        repair = "ask for what objects" if objecting else "publish it"
    else:
        what = f"a waiver of {', '.join(clauses)} would not help: {others[0]} objects to {number} too"
        why = left[others[0]]
        can = others[0] in WAIVABLE[kind] and others[0] not in clauses
        least = f", or publish as {verdict['least']}" if verdict["least"] else ""
        repair = f"ask for {others[0]} as well" if can else f"mend that, which cannot be waived{least}"
    raise Refused(what, why=why, repair=repair, clauses=objecting, asked=clauses, found=list(objecting))


def _check_new(
    connection: Connection, subject: Subject, number: str, commit: str, clauses: list[str], moment: str
) -> None:
    """Raises Refused where one is open or approved for the same already."""
    for row in waivers.of_subject(connection, subject.id):
        same = (row.number, row.hash) == (number, commit) and set(row.clauses) & set(clauses)
        if same and row.state(moment) in ("requested", "approved"):
            raise Refused(
                f"there is a waiver of {', '.join(row.clauses)} for {number} already: {row.id}",
                why=f"it is {row.state(moment)}, and one at a time is enough",
                repair="use that one, or revoke it first",
                asked=clauses,
                found=row.id,
            )


def _require_on(action: str, connection: Connection, actor: Actor, identity: str) -> None:
    """Raises Forbidden unless the actor may do this; a waiver that does not exist is refused like one of strangers."""
    row = waivers.find(connection, identity)
    if row is None:
        require(action, relations(actor), identity)
        return
    owner_id = row.subject.owner_id
    require(action, relations(actor, owner_id, accounts.role_of(connection, owner_id, actor.id)), identity)


def _existing(connection: Connection, identity: str) -> waivers.WaiverRow:
    if row := waivers.find(connection, identity):
        return row
    raise NotFound(
        f"there is no waiver {identity}",
        repair="troth waiver list OWNER/NAME shows those that there are",
        asked=identity,
    )


def _require_state(row: waivers.WaiverRow, moment: str, verb: str, legal: set[str]) -> None:
    state = row.state(moment)
    if state not in legal:
        ending = {"used": f"{row.subject.name}/{row.number} rests on it, and stays"}
        raise Refused(
            f"the waiver cannot be {verb}: it is {state}",
            why=ending.get(state, f"only what is {' or '.join(sorted(legal))} can be {verb}"),
            repair="" if state == "used" else "ask for another",
            asked=verb,
            found=state,
        )


def _require_alone(connection: Connection, row: waivers.WaiverRow) -> None:
    """Raises Refused where another than who asked could approve it."""
    owner_id = row.subject.owner_id
    admins = [member for member, role in accounts.members_of(connection, owner_id) if role == "admin"]
    if not set(admins) - {row.requested_by_id}:
        return
    raise Refused(
        "who asked for a waiver does not approve it",
        why=f"{row.subject.name.split('/')[0]} has another admin, and four eyes see more than two",
        repair="ask another admin of the organisation",
        asked=row.requested_by,
        found=row.requested_by,
    )
