"""Payloads on their way from the version in which they came to the newest, one step each."""

from __future__ import annotations

from typing import Any

from troth.access.scopes import Scope
from troth.commands.queued.book import Definition
from troth.commands.queued.handlers import CallAlgorithm, Definer, check_handler
from troth.commands.queued.jsonata import Jsonata
from troth.contracts.commands.operations import applied, parse_operations
from troth.contracts.commands.wire_format import WireFormat
from troth.errors import Malformed, Refused, TrothError

_LONGEST_EXPRESSION = 20_000


class Converting:
    """Runs up-conversions: operations here, JSONata in its process, algorithms in the sandbox and without a key."""

    def __init__(self, jsonata: Jsonata, call: CallAlgorithm, *, seconds: float) -> None:
        self._jsonata = jsonata
        self._call = call
        self._seconds = seconds

    async def newest(self, definition: Definition, version: int, value: Any) -> Any:
        """A payload of a version in the form of the newest. Raises Refused, which names the step."""
        for number in range(version + 1, definition.newest.version + 1):
            row = definition.versions[number]
            by = Definer(row.handler_by, Scope.from_dict(row.handler_scope))
            try:
                value = await self.step(row.up_conversion, by, definition.format(number), value)
            except TrothError as error:
                raise Refused(
                    f"the up-conversion from version {number - 1} to {number} failed: {error.what}",
                    why=error.why,
                    repair="publish the version again with an up-conversion that works, and retry the command",
                ) from error
        return value

    async def step(self, declared: Any, by: Definer, goal: WireFormat, value: Any) -> Any:
        """A payload after one up-conversion. Raises a TrothError where it fails or does not fit the goal."""
        found = await self._converted(declared, by, value)
        if fault := goal.fault(found):
            raise Refused(
                "what the up-conversion gives does not fit the wire format of its version",
                why=f"at {fault[0] or 'the top'}: {fault[1]}",
                repair="mend the up-conversion",
                found=found,
            )
        return found

    async def _converted(self, declared: Any, by: Definer, value: Any) -> Any:
        (kind,) = declared
        if kind == "operations":
            return applied(parse_operations(declared[kind]), value)
        if kind == "jsonata":
            return await self._jsonata.evaluate(declared[kind], value)
        return await self._call(declared[kind], by, value, seconds=self._seconds, keyed=False)


def check_declared(declared: Any) -> None:
    """Raises Malformed unless an up-conversion is declared in one of the three ways."""
    if (
        not isinstance(declared, dict)
        or len(declared) != 1
        or not declared.keys() <= {"operations", "jsonata", "algorithm"}
    ):
        raise Malformed(
            "an up-conversion is declared in one way",
            why="it has operations, a jsonata expression, or an algorithm",
            repair="give one of them",
        )
    (kind,) = declared
    if kind == "operations":
        parse_operations(declared[kind])
    elif not isinstance(declared[kind], str) or len(declared[kind]) > _LONGEST_EXPRESSION:
        raise Malformed(f"the {kind} of an up-conversion is text of at most {_LONGEST_EXPRESSION} characters")
    elif kind == "algorithm":
        check_handler(declared[kind])
