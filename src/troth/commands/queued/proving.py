"""Up-conversions proved when a version is published: by what handlers make of payloads, not by schemas alone.

Handlers are called with `trial` set and without a key, so that they can say what they would do and do nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from troth.commands.formats import Formats
from troth.commands.queued.converting import Converting
from troth.commands.queued.handlers import OWN, CallAlgorithm, Definer
from troth.commands.queued.work import given_of
from troth.contracts.commands.operations import Operation, applied
from troth.contracts.commands.wire_format import WireFormat
from troth.errors import CallFailed, NotFound, Refused, TrothError

_DRAWN = 12
_SEED = 20_471
_CALL_SECONDS = 20.0
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Golden:
    """A payload in the form of a version, and what handling it has to give."""

    version: int
    payload: Any
    result: Any


@dataclass(frozen=True, slots=True)
class Former:
    """The version before: its format, its handler, its golden payloads, and how payloads come from it."""

    version: int
    wire: WireFormat
    handler: str
    handler_by: Definer
    golden: Sequence[Golden]
    up_conversion: Any
    #: what becomes of the former handler's results
    expected_change: Sequence[Operation]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The version that is to be proved: its format, and its handler, in whose name it runs."""

    subject: str
    version: int
    wire: WireFormat
    handler: str
    by: Definer


@dataclass(slots=True)
class Proof:
    """What was tried."""

    golden: int = 0
    converted: int = 0
    drawn: int = 0
    compared: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The proof as JSON."""
        return {"golden": self.golden, "converted": self.converted, "drawn": self.drawn, "compared": self.compared}


@dataclass(slots=True)
class Proving:
    """Proves versions, each within `seconds`."""

    converting: Converting
    call: CallAlgorithm
    formats: Formats
    seconds: float

    async def proof(self, candidate: Candidate, golden: Sequence[Golden], former: Former | None) -> Proof:
        """What was proved of a version. Raises Refused with the first payload on which the promise does not hold."""
        try:
            async with asyncio.timeout(self.seconds):
                return await _Trial(self, candidate).run(golden, former)
        except TimeoutError:
            raise Refused(
                f"version {candidate.version} of {candidate.subject} was not proved within {self.seconds:g} seconds",
                why="its handler or its up-conversion is slow or does not end, and was stopped",
                repair="mend it",
                clauses=["PDB-40"],
            ) from None


@dataclass(slots=True)
class _Trial:
    proving: Proving
    new: Candidate

    async def run(self, golden: Sequence[Golden], former: Former | None) -> Proof:
        proof = Proof()
        for one in golden:
            self._fits(self.new.wire, self.new.version, one.payload)
            await self._holds(one, one.payload, f"golden payload of version {self.new.version}")
            proof.golden += 1
        if former is not None:
            await self._converts(former, proof)
        return proof

    async def _converts(self, former: Former, proof: Proof) -> None:
        for one in former.golden:
            self._fits(former.wire, former.version, one.payload)
            await self._holds(one, await self._up(former, one.payload), f"golden payload of version {former.version}")
            proof.converted += 1
        drawn = await asyncio.to_thread(former.wire.drawn, _DRAWN, _SEED)
        for payload in drawn:
            converted = await self._up(former, payload)
            proof.drawn += 1
            before = await self._result(former.handler, former.handler_by, payload, former.version)
            if before is _NOTHING:
                continue
            expected = applied(former.expected_change, before)
            after = await self._result(self.new.handler, self.new.by, converted, self.new.version)
            if after is _NOTHING or after != expected:
                raise self._refused(f"a payload of version {former.version} as {former.wire.serialisation}", payload,
                                    expected, "nothing" if after is _NOTHING else after)  # fmt: skip
            proof.compared += 1

    async def _up(self, former: Former, payload: Any) -> Any:
        try:
            return await self.proving.converting.step(former.up_conversion, self.new.by, self.new.wire, payload)
        except TrothError as error:
            raise Refused(
                f"the up-conversion from version {former.version} to {self.new.version} fails on {_short(payload)}: {error.what}",
                why=error.why,
                repair=error.repair or "mend the up-conversion",
                clauses=["PDB-40"],
                asked=payload,
                found=error.found,
            ) from None

    async def _holds(self, one: Golden, payload: Any, what: str) -> None:
        """Handles a payload and compares what comes of it with what is declared."""
        if self.new.handler.startswith(OWN):
            name = self.new.handler.removeprefix(OWN)
            self.proving.formats.check(name, self.proving.formats.newest(name), payload)
            return
        found = await self._called(self.new.handler, self.new.by, payload, self.new.version)
        if found != one.result:
            raise self._refused(what, one.payload, one.result, found)

    async def _result(self, handler: str, by: Definer, payload: Any, version: int) -> Any:
        """What a handler makes of a payload; `_NOTHING` where it is none to be asked, or fails."""
        if handler.startswith(OWN):
            return _NOTHING
        try:
            return await self._called(handler, by, payload, version)
        except (CallFailed, NotFound):
            return _NOTHING

    async def _called(self, handler: str, by: Definer, payload: Any, version: int) -> Any:
        given = given_of(
            payload, command=self.new.subject, version=version, sent_version=version, uuid=_NO_UUID,
            idempotency_key=f"trial:{_NO_UUID}", attempt=1, accepted_at="", submitted_by=None, trial=True,
        )  # fmt: skip
        return await self.proving.call(handler, by, given, seconds=_CALL_SECONDS, keyed=False)

    def _fits(self, wire: WireFormat, version: int, payload: Any) -> None:
        if fault := wire.fault(payload):
            raise Refused(
                f"the golden payload {_short(payload)} does not fit version {version}",
                why=f"at {fault[0] or 'the top'}: {fault[1]}",
                repair="mend the payload or the schema",
            )

    def _refused(self, what: str, payload: Any, expected: Any, found: Any) -> Refused:
        return Refused(
            f"{self.new.handler} makes {_short(found)} of the {what} {_short(payload)}",
            why=f"declared is {_short(expected)}: what a command means to its senders would change",
            repair="mend the handler or the up-conversion, or declare the result",
            clauses=["PDB-40"],
            asked=expected,
            found=found,
        )


_NO_UUID = "00000000-0000-0000-0000-000000000000"
_NOTHING: Any = type("Nothing", (), {"__slots__": ()})()


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:200]}..."
