"""What the validation of one instance has found so far, so that a schema that is reached on many ways is asked once.

Ways through references double with each schema on them; schemas and values do not. So results are kept by both, for one
instance at a time, and each that is worked out is a step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeAlias

from troth.contracts.schema.answers import Json
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.texts import Matcher, NotUnderstood
from troth.contracts.schema.values import key

Check: TypeAlias = Callable[[Json], bool]
#: As many steps of a pattern are one step here.
PATTERN_STEPS = 2


class Remembering:
    """The results of one instance, and the steps of all. Values are known by where they are in memory."""

    def __init__(self, steps: Steps | None = None) -> None:
        self.steps = steps or Steps()
        self._said: dict[tuple[int, int], bool] = {}
        self._keys: dict[int, tuple[Hashable, int]] = {}
        self._checks = 0

    def begin(self) -> None:
        """Another instance: what was found of the one before is void."""
        self._said.clear()
        self._keys.clear()

    def remembered(self, check: Check) -> Check:
        """The same check, which works each value out once."""
        self._checks += 1
        number = self._checks

        def asked(value: Json) -> bool:
            name = (number, id(value))
            said = self._said.get(name)
            if said is None:
                self.steps.take()
                said = self._said[name] = check(value)
            return said

        return asked

    def counted(self, check: Check) -> Check:
        """The same check, each time a step."""

        def asked(value: Json) -> bool:
            self.steps.take()
            return check(value)

        return asked

    def key(self, value: Json) -> Hashable:
        """The key of a value, as `values.key` gives it."""
        if not isinstance(value, list | dict):
            return key(value)
        if id(value) not in self._keys:
            self._keys[id(value)] = (key(value), weight(value))
        found, heavy = self._keys[id(value)]
        self.steps.take(1 + heavy // 8)
        return found

    def matches(self, pattern: Matcher, text: str) -> bool:
        """Whether a text matches a pattern. Raises NotUnderstood."""
        said, cost = pattern.told(text)
        self.steps.take(1 + cost // PATTERN_STEPS)
        if said is None:
            raise NotUnderstood
        return said


def weight(value: Json) -> int:
    """How many values there are in a value, itself included."""
    count, waiting = 0, [value]
    while waiting:
        current = waiting.pop()
        count += 1
        if isinstance(current, list | dict):
            waiting += current if isinstance(current, list) else current.values()
    return count
