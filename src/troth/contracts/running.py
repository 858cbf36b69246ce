"""`[runtime]` of a troth.toml: how a version wants to be run. It promises nothing to callers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from troth.errors import MalformedSource

_MOST_WORKERS = 64
_LEAST_MEMORY = 32
STARTS = ("auto", "spawn", "call")


@dataclass(frozen=True, slots=True)
class Running:
    """How a version wants to be run; what it leaves open, the machine decides."""

    #: workers at most
    workers: int | None = None
    #: seconds without a call after which a worker is stopped
    idle_seconds: float | None = None
    #: bytes of memory for one worker
    memory_bytes: int | None = None
    #: whether that many bytes have to be a wall around all of it, and not only a limit of the address space
    hard_memory: bool = False
    #: `auto` forks workers of a loaded process where that is safe; `spawn` loads for each worker; `call` forks for each call
    start: str = "auto"
    #: threads of the libraries that compute in parallel; with more than one, a version that uses them is not forked
    threads: int = 1


def _count(value: Any) -> int:
    if type(value) is int and 1 <= value <= _MOST_WORKERS:
        return value
    raise ValueError(f"it is a number from 1 to {_MOST_WORKERS}")


def _seconds(value: Any) -> float:
    if type(value) in (int, float) and 0 < value <= 86400 * 30:
        return float(value)
    raise ValueError("it is a number of seconds")


def _mebibytes(value: Any) -> int:
    if type(value) is int and _LEAST_MEMORY <= value <= 1 << 20:
        return value << 20
    raise ValueError(f"it is a number of MiB, at least {_LEAST_MEMORY}")


def _truth(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise ValueError("it is true or false")


def _start(value: Any) -> str:
    if value in STARTS:
        return str(value)
    raise ValueError(f"it is one of {', '.join(STARTS)}")


#: keys of the table: the field that each sets, and what reads its value
_KEYS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "workers": ("workers", _count),
    "idle_seconds": ("idle_seconds", _seconds),
    "memory": ("memory_bytes", _mebibytes),
    "hard_memory": ("hard_memory", _truth),
    "start": ("start", _start),
    "threads": ("threads", _count),
}


def running_of(table: Any) -> Running:
    """What the table says. Raises MalformedSource naming the key."""
    if not isinstance(table, dict):
        raise _wrong("runtime is not a table", "it is [runtime] with keys and values", "write [runtime]")
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise _wrong(f"[runtime] has no key {key!r}", f"its keys are {', '.join(_KEYS)}", f"take {key} out")
        field, read = _KEYS[key]
        try:
            found[field] = read(value)
        except ValueError as error:
            raise _wrong(f"[runtime] {key} cannot be {value!r}", str(error), f"change {key}") from None
    if found.get("hard_memory") and "memory_bytes" not in found:
        raise _wrong("[runtime] hard_memory is true without memory", "a wall has a size", "write memory = 512")
    return Running(**found)


def _wrong(what: str, why: str, repair: str) -> MalformedSource:
    return MalformedSource(f"troth.toml: {what[:200]}", why=why, repair=repair)
