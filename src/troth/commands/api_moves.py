"""Commands that move versions of APIs between their states, or change what they promise: judged, recorded, then served.

Transactions come one after the other, so of two who move one version at once the second is judged beside what the first did.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.api_comparing import documents_compared
from troth.commands.apis import CreateApi, DecideApi, OnApi, UpdateApi
from troth.commands.bus import Handler, Moved, Transaction
from troth.commands.excusing import Excusing
from troth.commands.formats import Payload
from troth.contracts.apis.digests import change_digest, contract_text
from troth.contracts.openapi.evidence import api_changes, own_versions, undescribed
from troth.errors import Malformed, Refused
from troth.registry import apis, products, waivers
from troth.registry.apis import ApiRow
from troth.registry.database import Database
from troth.versions.lifecycles.judging import judge, moved
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.rules import retires_in
from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.subject import Api, Asked, ContractChange, Move, Weight
from troth.versions.lifecycles.table import given_moment, moment, version_name
from troth.versions.lifecycles.verdict import MoveVerdict
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Compared:
    """A new contract beside the one that a version had when it was looked at."""

    beside: str | None = None
    changes: tuple[ContractChange, ...] = ()
    undescribed: tuple[str, ...] = ()
    #: places that give an operation a version or state of its own
    own: tuple[str, ...] = ()


class MoveApi(OnApi):
    """One kind of move. What it asks of a contract is found out before the transaction."""

    def __init__(self, action: str, move: Move, database: Database, excusing: Excusing) -> None:
        self.action = action
        self._move = move
        self._database = database
        self._excusing = excusing

    async def prepare(self, actor: Actor, payload: Payload) -> Compared:
        if "contract" not in payload:
            return Compared()
        return await asyncio.to_thread(self._compared, payload)

    def handle(self, transaction: Transaction, payload: Payload, prepared: Compared) -> dict[str, Any]:
        connection = transaction.connection
        row = apis.existing(connection, payload["api"])
        asked = self.asked(transaction, row, payload, prepared)
        sunset = _sunset(payload.get("sunset"), transaction.now)
        before = apis.subject_of(connection, row)
        verdict = judge(asked, before)
        if verdict.outcome is not Outcome.ALLOWED:
            raise verdict.refusal(row.subject)
        _write(transaction, row, verdict, payload, before, sunset)
        waivers.use(connection, verdict.used, transaction.now)
        transaction.changed_apis.add(row.subject)
        row = apis.existing(connection, payload["api"])
        table = apis.state_table(row, apis.versions_of(connection, row.id))
        return {"api": row.subject, "verdict": verdict.as_dict(), "states": table.as_dict()}

    def asked(self, transaction: Transaction, row: ApiRow, payload: Payload, prepared: Compared) -> Asked:
        """The move as the policy sees it. Raises Moved where the contract is another than the one that was compared."""
        connection = transaction.connection
        asked = self._described(connection, row, payload, prepared)
        if "contract" in payload and apis.contract_of(connection, row.id, asked.number)[0] != prepared.beside:
            raise Moved
        if self._move is not Move.CHANGE:
            return asked
        changed = digest_of(asked.number, payload, prepared)
        found = self._excusing.waivers(connection, row.id, changed, asked.numbered, transaction.now)
        return replace(asked, waivers=found)

    def _described(self, connection: Connection, row: ApiRow, payload: Payload, prepared: Compared) -> Asked:
        release = ReleaseNumber.parse(payload["release"])
        _check_release(connection, row, release)
        declared = tuple(ContractChange(Weight(one["weight"]), one["words"]) for one in payload.get("changes", ()))
        fix = self._move is Move.CHANGE and "reference" in payload
        return Asked(
            Move.SECURITY_FIX if fix else self._move,
            parsed(payload["api_version"]),
            release,
            state=State(payload.get("state", FIRST)),
            operation=payload.get("operation", "") or "; ".join(prepared.own[:5]),
            changes=declared + prepared.changes,
            reference=payload.get("reference", ""),
            note=payload.get("note", ""),
            reason=payload.get("reason", ""),
            until=ReleaseNumber.parse(payload["until"]) if "until" in payload else None,
            former=State(payload["former"]) if "former" in payload else None,
            undescribed=prepared.undescribed,
        )

    def _compared(self, payload: Payload) -> Compared:
        number, contract = parsed(payload["api_version"]), payload["contract"]
        with self._database.read() as connection:
            row = apis.find_api(connection, payload["api"])
            beside, text = apis.contract_of(connection, row.id, number) if row else (None, None)
        answer = documents_compared(json.loads(text) if text else contract, contract)
        if answer["verdict"] == "invalid":
            raise Malformed(
                "the contract is not an OpenAPI document that can be compared",
                why=answer["fault"],
                repair="mend that place",
            )
        changes = api_changes(answer) if text else ()
        return Compared(beside, changes, undescribed(contract), tuple(own_versions(contract, number)))


def digest_of(number: int, payload: Payload, prepared: Compared) -> str:
    """What the change that is asked for is known by."""
    return change_digest(number, prepared.beside, payload.get("contract"), payload.get("changes", ()))


def api_handlers(database: Database, excusing: Excusing) -> dict[str, Handler]:
    """Every command on APIs by its name."""
    moves = {
        "create_api_version": Move.CREATE,
        "graduate_api": Move.GRADUATE,
        "deprecate_api": Move.DEPRECATE,
        "retire_api": Move.RETIRE,
        "drop_api": Move.DROP,
        "change_api": Move.CHANGE,
        "extend_api": Move.EXTEND,
    }
    handlers: dict[str, Handler] = {name: MoveApi(name, move, database, excusing) for name, move in moves.items()}
    return {"create_api": CreateApi(), "update_api": UpdateApi(), "decide_api": DecideApi(), **handlers}


def _write(
    transaction: Transaction, row: ApiRow, verdict: MoveVerdict, payload: Payload, before: Api, sunset: str | None
) -> None:
    """The states that a move leads to, and the move itself."""
    connection, asked, now = transaction.connection, verdict.asked, transaction.now
    after = moved(before, verdict)
    for number in {asked.number, *verdict.effects}:
        standing = after.versions.get(number)
        if standing is None:
            continue
        values: dict[str, Any] = {"state": standing.state.value, "since": _text(standing.since)}
        values |= {"extended": _text(standing.extended)}
        if standing.state is State.DEPRECATED and (number in verdict.effects or asked.move is Move.EXTEND):
            values |= {"sunset": sunset} if sunset else {}
        if verdict.effects.get(number) is State.DEPRECATED:
            values |= {"deprecated_at": now}
        if standing.state in (State.EXPERIMENTAL, State.CURRENT):  # also where it came back to that
            values |= {"deprecated_at": None, "sunset": None}
        if standing.dropped or number in verdict.effects:  # what is made anew is dropped no more
            values |= {"dropped_in": str(asked.release.finished) if standing.dropped else None}
        if number == asked.number and "contract" in payload:
            values |= {"contract": contract_text(payload["contract"])}
        apis.set_version(connection, row.id, number, now, **values)
    apis.change_api(connection, row.id, now, revision=row.revision + 1, newest=_text(after.newest))
    told = {"reason": asked.reason, "reference": asked.reference, "note": asked.note or _note(verdict, after)}
    apis.add_move(
        connection,
        row.id,
        number=asked.number,
        move=asked.move.value,
        release=str(asked.release),
        verdict=json.dumps(verdict.as_dict()),
        policy_revision=verdict.policy_revision,
        moved_by=transaction.actor.id,
        moved_at=now,
        **told,
    )


def _note(verdict: MoveVerdict, after: Api) -> str:
    """What users are told where nobody wrote it: what changes, or which states are others (PDB-28)."""
    asked = verdict.asked
    lines = [f"{one.where}: {one.words}" if one.where else one.words for one in asked.changes[:50]]
    for number, state in verdict.effects.items():
        planned = retires_in(after.versions[number])
        ending = f", and is gone in {planned}" if planned else ""
        lines.append(f"{version_name(number)} is {state} from {asked.release} on{ending}")
    # what strangers' documents call their fields may hold what no database keeps
    return "\n".join(lines).replace("\0", "")


def _text(number: ReleaseNumber | None) -> str | None:
    return None if number is None else str(number)


def _sunset(text: str | None, now: str) -> str | None:
    """A day or a moment as the table has it. Raises Malformed for none, and Refused for one that has passed."""
    if text is None:
        return None
    when = text if "T" in text else f"{text}T00:00:00Z"
    if given_moment(when, "the sunset", "write --sunset 2027-01-31") <= moment(now):
        raise Refused(
            f"{text} has passed",
            why="a sunset tells users until when they have time (RFC 8594)",
            repair="name a day to come",
            asked=text,
            found=now,
        )
    return when


def _check_release(connection: Connection, row: ApiRow, release: ReleaseNumber) -> None:
    """Raises Refused for a release that the product of an API neither has nor can still get."""
    if row.product_id is None:
        return
    numbers = products.numbers_of(connection, row.product_id)
    highest = max(numbers, default=None)
    if highest is None or release in numbers or release > highest:
        return
    raise Refused(
        f"{row.product} has no release {release}, and {highest} is released already",
        why=f"{row.subject} follows the releases of {row.product}, and each move rides on one",
        repair="name a release that there is, or the next one",
        asked=str(release),
        found=str(highest),
    )
