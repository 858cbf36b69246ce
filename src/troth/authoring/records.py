"""Objects with known keys: dataclasses, TypedDicts and the arguments of a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from troth.authoring.definitions import Definitions, Schema
from troth.authoring.mismatch import InputError, mismatch, shown
from troth.authoring.shapes import Shape


@dataclass(frozen=True)
class Member:
    """One key: its type, whether an input may have it and has to, and whether a result always has it."""

    shape: Shape
    required: bool = True
    in_input: bool = True
    always_in_result: bool = True


class Record(Shape):
    """An object whose keys are those of `members`; `kind` is the type whose name it has in the definitions.

    The members are given later, because a type can contain itself.
    """

    def __init__(self, make: Callable[[dict[str, Any]], Any], kind: type | None = None) -> None:
        self._make = make
        self._kind = kind
        self._members: dict[str, Member] = {}
        self._inputs: dict[str, Member] = {}
        self._needed: list[str] = []
        self.expected = f"an object ({kind.__name__})" if kind else "an object"

    def give(self, members: Mapping[str, Member]) -> None:
        """Completes it."""
        self._members = dict(members)
        self._inputs = {name: member for name, member in members.items() if member.in_input}
        self._needed = [name for name, member in self._inputs.items() if member.required]

    def convert(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise mismatch(self.expected, value)
        found = {name: self._member(name, item) for name, item in value.items()}
        for name in self._needed:
            if name not in found:
                expected = self._inputs[name].shape.expected
                raise InputError(f"expected {expected}, got nothing: this key is required", (name,))
        try:
            return self._make(found)
        except ValueError as error:  # what the author's own code says of the values, in __post_init__
            raise InputError(f"expected {self.expected}: {error}") from error

    def _member(self, name: str, value: Any) -> Any:
        member = self._inputs.get(name)
        if member is None:
            known = ", ".join(self._inputs) or "none"
            raise InputError(f"expected no such key, got {shown(value)}: known are {known}", (name,))
        try:
            return member.shape.convert(value)
        except InputError as error:
            raise error.within(name) from None

    def schema(self, definitions: Definitions) -> Schema:
        if self._kind is None:
            return self._described(definitions)
        return definitions.reference(self._kind, lambda: self._described(definitions))

    def _described(self, definitions: Definitions) -> Schema:
        members, needed = self._inputs, self._needed
        if definitions.result:
            members = self._members
            needed = [name for name, member in members.items() if member.always_in_result]
        return {
            "type": "object",
            "properties": {name: member.shape.schema(definitions) for name, member in members.items()},
            **({"required": needed} if needed else {}),
            "additionalProperties": False,
        }
