"""Places in a payload, as JSON Pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any, Final

from troth.errors import Malformed

#: Stands for a place that a payload does not have; null is a value.
ABSENT: Final = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__slots__": ()})()
_MOST_STEPS = 50


def parse(text: str) -> tuple[str, ...]:
    """The steps of a pointer; none for the whole payload. Raises Malformed."""
    steps = text.split("/")
    if steps[0] or len(steps) > _MOST_STEPS:
        raise Malformed(
            f"{text[:80]!r} is not a place in a payload",
            why="a place is a JSON Pointer: empty for the whole payload, else /name or /name/inner",
            repair="begin it with a slash",
            asked=text[:200],
        )
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps[1:])


def at(value: Any, steps: tuple[str, ...]) -> Any:
    """What is at a place; ABSENT where nothing is."""
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, ABSENT)
        elif (
            isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(value)
        ):
            value = value[int(step)]
        else:
            return ABSENT
    return value
