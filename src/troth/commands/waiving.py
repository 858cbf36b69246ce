"""The commands of waivers: somebody asks, another approves, anybody of the owner takes it back."""

from __future__ import annotations

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
from troth.signing import SigningKey
from troth.versions.numbers import Number
from troth.versions.verdict import Verdict
from troth.versions.waivers import LONGEST_DAYS, WAIVABLE


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
        clauses = _waivable(payload["clauses"])
        expires_at = _expiry(payload["expires_at"], transaction.now)
        algorithm = existing(connection, payload["algorithm"])
        build = publishable(connection, algorithm, payload["hash"])
        history = catalog.history_of(connection, algorithm.id)
        if history.numbers() != prepared.numbers:
            raise Moved
        verdict, _ = self._judging.verdict(_publication(payload), build, history, prepared.judged)
        _check_that_it_helps(verdict, clauses)
        _check_new(connection, algorithm.id, str(number), build.hash, clauses, transaction.now)
        row = waivers.add(
            connection,
            algorithm,
            number=str(number),
            commit=build.hash,
            clauses=clauses,
            reason=payload["reason"].strip(),
            verdict=verdict.as_dict(),
            expires_at=expires_at,
            actor_id=transaction.actor.id,
            now=transaction.now,
        )
        return row.as_dict(transaction.now)


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
            _require_alone(connection, row, actor)
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


def _waivable(clauses: list[str]) -> list[str]:
    """The clauses, each once. Raises Refused where one of them cannot be waived."""
    legal = WAIVABLE["algorithm"]
    for clause in clauses:
        if clause not in legal:
            raise Refused(
                f"{clause} cannot be waived",
                why=f"for an algorithm only {', '.join(legal)} can: what compares versions, and never what a version is, "
                "who may reach it, or that it stays as it is",
                repair="publish under a number that this clause allows",
                asked=clause,
                found=list(legal),
            )
    return list(dict.fromkeys(clauses))


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


def _check_that_it_helps(verdict: Verdict, clauses: list[str]) -> None:
    """Raises Refused where nothing objects, or where something else would object all the same."""
    objecting = set(verdict.clauses)
    idle = [clause for clause in clauses if clause not in objecting]
    others = [clause for clause in verdict.clauses if clause not in clauses]
    if not idle and not others:
        return
    if idle:
        what = f"{idle[0]} does not object to {verdict.number}, so there is nothing to waive"
        why = f"what objects is {', '.join(verdict.clauses)}" if verdict.clauses else "it is allowed as it is"
        repair = "ask for what objects" if verdict.clauses else "publish it"
    else:
        what = f"a waiver of {', '.join(clauses)} would not help: {others[0]} objects to {verdict.number} too"
        why = next(finding.text for finding in verdict.findings if finding.clause == others[0])
        waivable = others[0] in WAIVABLE["algorithm"]
        repair = (
            f"ask for {others[0]} as well"
            if waivable
            else f"mend that, which cannot be waived, or publish as {verdict.least}"
        )
    raise Refused(what, why=why, repair=repair, clauses=verdict.clauses, asked=clauses, found=list(verdict.clauses))


def _check_new(
    connection: Connection, algorithm_id: str, number: str, commit: str, clauses: list[str], moment: str
) -> None:
    """Raises Refused where one is open or approved for the same already."""
    for row in waivers.of_algorithm(connection, algorithm_id):
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
    owner_id = catalog.get_algorithm(connection, row.algorithm_id).owner_id
    require(action, relations(actor, owner_id, accounts.role_of(connection, owner_id, actor.id)), identity)


def _existing(connection: Connection, identity: str) -> waivers.WaiverRow:
    if row := waivers.find(connection, identity):
        return row
    raise NotFound(f"there is no waiver {identity}", repair="troth waiver list shows an algorithm's", asked=identity)


def _require_state(row: waivers.WaiverRow, moment: str, verb: str, legal: set[str]) -> None:
    state = row.state(moment)
    if state not in legal:
        ending = {"used": f"{row.algorithm}/{row.number} was published by it, and stays"}
        raise Refused(
            f"the waiver cannot be {verb}: it is {state}",
            why=ending.get(state, f"only what is {' or '.join(sorted(legal))} can be {verb}"),
            repair="" if state == "used" else "ask for another",
            asked=verb,
            found=state,
        )


def _require_alone(connection: Connection, row: waivers.WaiverRow, actor: Actor) -> None:
    """Raises Refused where another than who asked could approve it."""
    owner_id = catalog.get_algorithm(connection, row.algorithm_id).owner_id
    admins = [member for member, role in accounts.members_of(connection, owner_id) if role == "admin"]
    if not set(admins) - {actor.id}:
        return
    raise Refused(
        "who asked for a waiver does not approve it",
        why=f"{row.algorithm.split('/')[0]} has another admin, and four eyes see more than two",
        repair="ask another admin of the organisation",
        asked=actor.name,
        found=row.requested_by,
    )
