"""Processor time of a server and of the processes below it, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds that a server itself and the processes below it (its workers) have run, in user code and in the kernel."""

    server: float
    below: float


def processor_time(process_id: int) -> ProcessorTime:
    """What the server with this process id and everything below it have used so far."""
    parents: dict[int, list[int]] = defaultdict(list)
    spent: dict[int, float] = {}
    for process, parent, ticks in _processes():
        parents[parent].append(process)
        spent[process] = ticks / _TICKS
    below = sum(spent[process] for process in _descendants(process_id, parents))
    return ProcessorTime(spent[process_id], below)


def below(process_id: int) -> list[int]:
    """The processes below this one: its children, theirs, and so on."""
    parents: dict[int, list[int]] = defaultdict(list)
    for process, parent, _ in _processes():
        parents[parent].append(process)
    return list(_descendants(process_id, parents))


def proportional_bytes(processes: Iterable[int]) -> int:
    """Bytes of memory that these processes hold (PSS): what several of them share counts once, spread over those that do."""
    return sum(_proportional(process) for process in processes)


def _proportional(process_id: int) -> int:
    try:
        lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it ended meanwhile
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) << 10


def busy_time() -> float:
    """Seconds that all processors of this machine together have not been idle."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / _TICKS


def generator_time() -> float:
    """Seconds of processor time of this process and of the processes that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def resident_bytes() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def processor_model() -> str:
    """What the processors of this machine are called."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def _processes() -> Iterator[tuple[int, int, int]]:
    """(process, its parent, clock ticks) of everything that runs."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            yield int(name), int(fields[1]), int(fields[11]) + int(fields[12])


def _descendants(process_id: int, parents: dict[int, list[int]]) -> Iterator[int]:
    for child in parents[process_id]:
        yield child
        yield from _descendants(child, parents)
