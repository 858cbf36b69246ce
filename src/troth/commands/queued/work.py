"""One accepted command, processed: brought to the newest version and handed to its handler."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from troth.access.roles import Actor
from troth.access.scopes import Scope
from troth.commands.bus import Bus, Envelope
from troth.commands.queued.book import CommandBook
from troth.commands.queued.converting import Converting
from troth.commands.queued.handlers import OWN, CallAlgorithm, Definer
from troth.contracts.commands.wire_format import decoded
from troth.errors import NotFound, Refused
from troth.registry.queue import Leased

#: what is kept of a handler's result
_LARGEST_RESULT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Work:
    """A leased command, and its sender as an actor; None where the account is gone."""

    leased: Leased
    sender: Actor | None

    @property
    def key(self) -> str:
        """The idempotency key: the same for every attempt of this command, and of no other."""
        return f"{self.leased.actor_id}:{self.leased.uuid}"


class Working:
    """Processes commands. What it raises says what becomes of them (`troth.commands.queued.processing`)."""

    def __init__(
        self, book: CommandBook, bus: Bus, converting: Converting, call: CallAlgorithm, *, seconds: float
    ) -> None:
        self._book = book
        self._bus = bus
        self._converting = converting
        self._call = call
        self._seconds = seconds

    async def done(self, work: Work) -> Any:
        """The handler's result. Raises a TrothError."""
        leased = work.leased
        if "/" not in leased.command:
            return await self._own(work, leased.command, leased.version, leased.payload)
        definition = self._book.known(leased.command) or await asyncio.to_thread(self._book.find, leased.command)
        if definition is None or leased.version not in definition.versions:
            raise NotFound(f"version {leased.version} of {leased.command} is gone")
        value = decoded(leased.payload, leased.serialisation)
        value = await self._converting.newest(definition, leased.version, value)
        newest = definition.newest
        by = Definer(newest.handler_by, Scope.from_dict(newest.handler_scope))
        if newest.handler.startswith(OWN):
            name, payload = newest.handler.removeprefix(OWN), msgspec.json.encode(value)
            await self._check_definer(by, work, name, payload)
            return await self._own(work, name, self._bus.newest(name), payload)
        given = self._given(work, newest.version, value)
        result = await self._call(newest.handler, by, given, seconds=self._seconds, keyed=True)
        return kept(result)

    async def _check_definer(self, by: Definer, work: Work, name: str, payload: bytes) -> None:
        """Raises Forbidden unless who made it a handler may do this too: what is done is theirs to word, in the sender's name."""
        sender = work.sender
        if sender is not None and by.account_id == sender.id and by.scope.covers(sender.scope):
            return
        definer = await asyncio.to_thread(self._book.actor, by.account_id, by.scope)
        if definer is None:
            raise Refused("the account that made it a handler is gone", repair="publish the version again")
        await self._bus.admit(Envelope(name, self._bus.newest(name), payload, definer, work.leased.uuid))

    async def _own(self, work: Work, name: str, version: int, payload: bytes) -> Any:
        if work.sender is None:
            raise Refused("the sender's account is gone", why="a command of troth's own is done in its sender's name")
        envelope = Envelope(name, version, payload, work.sender, work.leased.uuid)
        return await self._bus.process(envelope, again=work.leased.attempts > 1)

    @staticmethod
    def _given(work: Work, version: int, value: Any) -> dict[str, Any]:
        leased = work.leased
        return given_of(
            value,
            command=leased.command,
            version=version,
            sent_version=leased.version,
            uuid=leased.uuid,
            idempotency_key=work.key,
            attempt=leased.attempts,
            accepted_at=leased.accepted_at,
            submitted_by=work.sender.name if work.sender else None,
            trial=False,
        )


def given_of(payload: Any, **circumstances: Any) -> dict[str, Any]:
    """What a handler gets: the payload in the newest version's form, and the circumstances of the command."""
    return {"payload": payload, **circumstances}


def kept(result: Any) -> Any:
    """The result, or what is kept of one that is too large."""
    try:
        encoded = msgspec.json.encode(result)
        size, result = len(encoded), msgspec.json.decode(encoded)  # as it can be sent: NaN is no JSON
    except (msgspec.EncodeError, TypeError, ValueError, RecursionError, OverflowError):
        raise Refused("the handler answered garbage", why="its result is not JSON", repair="return JSON") from None
    return result if size <= _LARGEST_RESULT else {"omitted": f"a result of {size} bytes"}
