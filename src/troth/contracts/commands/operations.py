"""Up-conversions that are declared: a list of operations, each a row here, done in their order.

An operation on a place that a payload does not have does nothing, because properties may be optional; that the result fits the
next version is checked elsewhere.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from troth.contracts.commands.pointers import ABSENT, at, parse
from troth.errors import Malformed, Refused

_MOST = 200


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of an up-conversion: what is done, where, and with what."""

    name: str
    place: tuple[str, ...]
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One row: the keys beside the operation's own, their types, and what it does to a payload."""

    keys: Mapping[str, type | None]
    apply: Callable[[Any, Operation], Any]


def parse_operations(declared: Any) -> tuple[Operation, ...]:
    """The operations of a declared list. Raises Malformed for the first that is none."""
    if not isinstance(declared, list) or len(declared) > _MOST:
        raise Malformed("the operations of an up-conversion are a list", why=f"of at most {_MOST}")
    return tuple(_parsed(one, number) for number, one in enumerate(declared, 1))


def applied(operations: Sequence[Operation], payload: Any) -> Any:
    """The payload after all operations; the one that was given stays as it is."""
    payload = copy.deepcopy(payload)
    for operation in operations:
        payload = _KINDS[operation.name].apply(payload, operation)
    return payload


def _parsed(one: Any, number: int) -> Operation:
    names = [name for name in _KINDS if isinstance(one, dict) and name in one]
    if len(names) != 1:
        raise _malformed(number, f"it names one of {', '.join(_KINDS)}")
    (name,) = names
    wanted = _KINDS[name].keys
    given = {key: value for key, value in one.items() if key != name}
    if given.keys() != wanted.keys():
        raise _malformed(number, f"beside {name} it has {' and '.join(wanted)}")
    for key, kind in wanted.items():
        if kind is not None and not isinstance(given[key], kind):
            raise _malformed(number, f"its {key} is text")
        if kind is str and not given[key].strip():
            raise _malformed(number, f"its {key} says something")
    if not isinstance(one[name], str):
        raise _malformed(number, "its place is a JSON Pointer")
    place = parse(one[name])
    if not place and name != "wrap":
        raise _malformed(number, f"to {name} the whole payload leaves nothing to do it in; only wrap can")
    return Operation(name, place, given)


def _malformed(number: int, why: str) -> Malformed:
    return Malformed(
        f"operation {number} of the up-conversion is none", why=why, repair="see docs/commands-and-queue.md"
    )


def _holder(payload: Any, operation: Operation) -> dict[str, Any] | None:
    """The object that holds the place of an operation."""
    found = at(payload, operation.place[:-1])
    return found if isinstance(found, dict) else None


def _taken(payload: Any, operation: Operation) -> Any:
    """What was at the place, which is gone from there."""
    holder = _holder(payload, operation)
    return ABSENT if holder is None else holder.pop(operation.place[-1], ABSENT)


def _put(payload: Any, steps: tuple[str, ...], value: Any, operation: Operation) -> None:
    """Puts a value at a place where nothing is, with the objects on the way."""
    for step in steps[:-1]:
        if not isinstance(payload, dict):
            raise _collides(operation)
        payload = payload.setdefault(step, {})
    if not isinstance(payload, dict) or steps[-1] in payload:
        raise _collides(operation)
    payload[steps[-1]] = value


def _collides(operation: Operation) -> Refused:
    return Refused(
        f"the up-conversion cannot {operation.name} /{'/'.join(operation.place)}: its goal is taken",
        why="an up-conversion overwrites nothing",
        repair="drop what is there first, with a reason",
    )


def _rename(payload: Any, operation: Operation) -> Any:
    value = _taken(payload, operation)
    if value is not ABSENT:
        _put(payload, (*operation.place[:-1], operation.given["to"]), value, operation)
    return payload


def _move(payload: Any, operation: Operation) -> Any:
    goal = parse(operation.given["to"])
    if not goal:
        raise _collides(operation)
    value = _taken(payload, operation)
    if value is not ABSENT:
        _put(payload, goal, value, operation)
    return payload


def _default(payload: Any, operation: Operation) -> Any:
    holder = _holder(payload, operation)
    if holder is not None:
        holder.setdefault(operation.place[-1], copy.deepcopy(operation.given["value"]))
    return payload


def _wrap(payload: Any, operation: Operation) -> Any:
    key = operation.given["in"]
    if not operation.place:
        return {key: payload}
    holder = _holder(payload, operation)
    if holder is not None and operation.place[-1] in holder:
        holder[operation.place[-1]] = {key: holder[operation.place[-1]]}
    return payload


def _drop(payload: Any, operation: Operation) -> Any:
    _taken(payload, operation)
    return payload


_KINDS: Final[dict[str, _Kind]] = {
    "rename": _Kind({"to": str}, _rename),
    "default": _Kind({"value": None}, _default),
    "wrap": _Kind({"in": str}, _wrap),
    "move": _Kind({"to": str}, _move),
    "drop": _Kind({"reason": str}, _drop),
}
