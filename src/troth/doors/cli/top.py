"""`troth top`: what is called and what runs, now and again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Annotated, Any

from cyclopts import Parameter
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from troth.doors.cli.output import Remote, console, show_json
from troth.errors import ServerUnreachable
from troth.observe.latency import BUCKETS, quantile
from troth.observe.metrics import BUILD
from troth.sdk import Client

_HASH_LENGTH = 40
#: lines of a terminal that the table's head and foot take
_AROUND = 5
#: columns, and how wide a terminal is that shows them
_COLUMNS = {
    "algorithm": 0, "version": 0, "calls/s": 0, "failed/s": 100, "p50": 0, "p99": 0, "busy": 0, "waiting": 0, "memory": 0,
    "state": 100, "start": 120, "last crash": 120,
}  # fmt: skip
_RIGHT = {"calls/s", "failed/s", "p50", "p99", "busy", "waiting", "memory"}


@dataclass(slots=True)
class Row:
    """One version between two looks. Rates are per second, latencies in seconds, None where nothing was called."""

    algorithm: str
    version: str
    rate: float = 0.0
    failed_rate: float = 0.0
    p50: float | None = None
    p99: float | None = None
    workers: int = 0
    busy: int = 0
    waiting: int = 0
    memory_bytes: int = 0
    #: hot with workers, warm with what was loaded to start them from, else cold
    state: str = ""
    #: how workers are started: fork, spawn or call
    start: str = ""
    last_crash: str = ""


def top(
    *,
    every: Annotated[float, Parameter(help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, Parameter(negative="", help="Print one table and end.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Shows versions with their rates, latencies, workers, queues and memory until you end it. For administrators.

    Where the output is no terminal, and with --json, one look is printed.
    """
    every = max(every, 0.1)
    with remote.client() as client:
        screen = console()
        if remote.json or once or not screen.is_terminal:
            (rows,) = _looks(client, every, 1)
            if remote.json:
                show_json({"seconds": every, "versions": [asdict(row) for row in rows]})
            else:
                screen.print(_table(rows, screen.width, screen.height if screen.is_terminal else 0))
            return 0
        try:
            with Live(console=screen, screen=True, auto_refresh=False) as live:
                for rows in _looks(client, every):
                    live.update(_table(rows, screen.width, screen.height), refresh=True)
        except KeyboardInterrupt:
            pass
    return 0


def between(before: dict[str, Any], after: dict[str, Any]) -> list[Row]:
    """What went on between two answers of `GET /api/v1/engine`, what is called most first."""
    seconds = max(after["at"] - before["at"], 1e-3)
    earlier = {_label(called): called for called in before["called"]}
    rows: dict[tuple[str, str], Row] = {}
    for called in after["called"]:
        label = _label(called)
        row = rows[label] = Row(*label)
        outcomes, latency = _grown(called, earlier.get(label))
        calls = sum(outcomes.values())
        row.rate, row.failed_rate = calls / seconds, (calls - outcomes.get("ok", 0)) / seconds
        row.p50, row.p99 = quantile(latency, 0.5), quantile(latency, 0.99)
    for state in after["versions"]:
        _add_state(rows.setdefault(_label(state), Row(*_label(state))), state)
    shown = [row for row in rows.values() if row.rate or row.workers or row.waiting or row.memory_bytes]
    return sorted(shown, key=lambda row: (-row.rate, -row.waiting, row.algorithm, row.version))


def _looks(client: Client, every: float, count: int | None = None) -> Iterator[list[Row]]:
    """As many looks, or one after the other; while the server does not answer, the last one is shown on."""
    before = client.engine()
    while count is None or count > 0:
        time.sleep(every)
        try:
            after = client.engine()
        except ServerUnreachable:
            if count is not None:
                raise
            continue
        yield between(before, after)
        before, count = after, None if count is None else count - 1


def _label(found: dict[str, Any]) -> tuple[str, str]:
    version = found["version"]
    return found["algorithm"], BUILD if len(version) == _HASH_LENGTH else version


def _grown(called: dict[str, Any], earlier: dict[str, Any] | None) -> tuple[dict[str, int], list[int]]:
    """Calls by outcome and by bucket since the earlier look; all of them where the server was started anew meanwhile."""
    was: dict[str, int] = earlier["outcomes"] if earlier else {}
    outcomes = {word: count - was.get(word, 0) for word, count in called["outcomes"].items()}
    if min(outcomes.values(), default=0) < 0 or was.keys() - outcomes.keys():
        return called["outcomes"], called["latency"]
    buckets = earlier["latency"] if earlier else [0] * BUCKETS
    return outcomes, [now - then for now, then in zip(called["latency"], buckets, strict=True)]


def _add_state(row: Row, state: dict[str, Any]) -> None:
    row.busy += state["workers"]["busy"]
    row.workers += sum(state["workers"].values())
    row.waiting += state["waiting"]
    row.memory_bytes += state["memory_bytes"]
    for name in ("state", "start", "last_crash"):
        setattr(row, name, state[name] or getattr(row, name))


def _table(rows: list[Row], width: int, height: int) -> Table:
    most = max(height - _AROUND, 1) if height else len(rows)
    calls, waiting = sum(row.rate for row in rows), sum(row.waiting for row in rows)
    memory = _size(sum(row.memory_bytes for row in rows))
    hidden = f", {len(rows) - most} more versions" if len(rows) > most else ""
    title = f"{_number(calls)} calls/s, {waiting} waiting, {memory} in workers{hidden}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    shown = [width >= least for least in _COLUMNS.values()]
    for column in compress(_COLUMNS, shown):
        table.add_column(column, justify="right" if column in _RIGHT else "left", no_wrap=column != "last crash")
    for row in rows[:most]:
        table.add_row(*(escape(cell) for cell in compress(_cells(row), shown)))
    return table


def _cells(row: Row) -> Iterable[str]:
    yield from (row.algorithm, row.version, _number(row.rate), _number(row.failed_rate) if row.failed_rate else "")
    yield from (_time(row.p50), _time(row.p99))
    yield f"{row.busy}/{row.workers}" if row.workers else ""
    yield from (str(row.waiting or ""), _size(row.memory_bytes) if row.memory_bytes else "")
    yield from (row.state, row.start, row.last_crash)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.{0 if seconds >= 0.01 else 1}f} ms"


def _size(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
