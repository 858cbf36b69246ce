"""Figures as tables, on a terminal or as Markdown."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from rich.console import Console
from rich.table import Table as TerminalTable

from bench import echo, publish, pushes, resolution, transport
from bench.processes import processor_model


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a title, the heads of its columns, its rows, and a sentence to read it by."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str

    def show(self, console: Console) -> None:
        """Prints it for a reader at a terminal."""
        table = TerminalTable(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        console.print(self.note + "\n")

    def markdown(self) -> str:
        """It as Markdown, under a heading of the third level."""
        alignment = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = ["| " + " | ".join(cells) + " |" for cells in (self.columns, alignment, *self.rows)]
        return "\n".join([f"### {self.title}", "", *lines, "", self.note, ""])


def machine() -> str:
    """The machine and the versions of what was measured, in one line."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("uvicorn", "uvloop", "httptools", "fastapi"))
    return (
        f"{os.cpu_count()} cores of {processor_model()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; troth {metadata.version('troth')}, {versions}"
    )


def echo_tables(rounds: Sequence[echo.Round], generator: str) -> list[Table]:
    """Ratios, then each server's own figures."""
    return [_ratios(rounds), _servers(rounds, generator)]


def resolution_table(found: resolution.Resolutions) -> Table:
    """Microseconds a resolution, and the table's size."""
    rows = [[kind, *(f"{value:.2f}" for value in values)] for kind, values in found.microseconds.items()]
    met = _met(found.microseconds["mix"][0] < resolution.TARGET_MICROSECONDS)
    return Table(
        f"Resolution among {found.versions:,} versions, µs",
        ["reference", "median", "least", "most"],
        rows,
        f"Target: under {resolution.TARGET_MICROSECONDS:g} µs for the mix: {met}. The table takes "
        f"{found.table_bytes / 1e6:,.0f} MB and {found.build_seconds:.0f} s to build; {found.checked:,} answers "
        f"checked, {found.wrong} wrong.",
    )


def publish_table(found: Sequence[publish.FirstAnswer]) -> Table:
    """Seconds from a folder to the first answer."""
    rows = [
        _spread("compile", [one.compile for one in found]),
        _spread("publish", [one.publish for one in found]),
        _spread("first call", [one.call for one in found]),
        _spread("together", [one.total for one in found]),
    ]
    met = _met(statistics.median(one.total for one in found) <= publish.TARGET_SECONDS)
    return Table(
        "From a folder to the first answer, seconds",
        ["step", "median", "least", "most"],
        rows,
        f"Target: at most {publish.TARGET_SECONDS:g} s together: {met}. {len(found)} new algorithms without "
        f"dependencies, {sum(not one.right for one in found)} wrong answers.",
    )


def pushes_table(found: pushes.Pushes) -> Table:
    """Seconds from a push to the first answer by the commit's hash, and the disk of twenty versions."""
    rows = []
    for kind, target in pushes.TARGETS.items():
        those = [push for push in found.pushes if push.kind == kind]
        seconds = [push.callable for push in those]
        answered = f"{statistics.median(push.seconds for push in those):.3f}"
        rows.append([*_spread(kind, seconds), f"{target:g}", _met(statistics.median(seconds) <= target), answered])
    used = found.environment_bytes / (1 << 20)
    return Table(
        "From `git push` to a build that can be called by its hash, seconds",
        ["what", "median", "least", "most", "target", "met", "first answer"],
        rows,
        f"The environments of {pushes.VERSIONS} versions with the same dependencies took {used:.1f} MiB beyond the package "
        f"cache, target {pushes.TARGET_BYTES >> 20}: {_met(found.environment_bytes <= pushes.TARGET_BYTES)}. "
        f"{sum(not push.right for push in found.pushes)} wrong answers.",
    )


def transport_table(found: Sequence[transport.Transfer]) -> Table:
    """Seconds of pushes and clones beside a plain CGI server."""
    rows = []
    for kind in (transport.PUSH, transport.CLONE):
        those = [one for one in found if one.kind == kind]
        ratio = statistics.median(one.ratio for one in those)
        seconds = [statistics.median(values) for values in zip(*((one.troth, one.plain) for one in those), strict=True)]
        rows.append(
            [kind, *(f"{value:.2f}" for value in seconds), f"{ratio:.2f}", _met(ratio <= transport.TARGET_RATIO)]
        )
    return Table(
        f"Git over HTTP, {transport.BYTES >> 20} MiB of noise, seconds",
        ["what", "troth", "plain CGI", "ratio", "target met"],
        rows,
        f"Target: at most {transport.TARGET_RATIO:g} times `git http-backend` behind a plain CGI server; medians of "
        f"{len(found) // 2} interleaved rounds. {sum(not one.right for one in found)} wrong.",
    )


def _ratios(rounds: Sequence[echo.Round]) -> Table:
    rows = []
    for connections in echo.CONNECTIONS:
        found = echo.ratios(rounds, connections)
        middle = statistics.median(found)
        met = _met(middle >= echo.TARGET_RATIO) if connections in echo.TARGET_CONNECTIONS else "-"
        cost = statistics.median(echo.cost_ratios(rounds, connections))
        rows.append([str(connections), *(f"{ratio:.2f}" for ratio in found), f"{middle:.2f}", met, f"{cost:.2f}"])
    columns = ["connections", *(f"round {number + 1}" for number in range(len(rounds))), "median", "target", "by CPU"]
    others = echo.others(rounds)
    return Table(
        "Echo of 100 bytes of JSON: requests a second of troth over those of FastAPI",
        columns,
        rows,
        f"Target: at least {echo.TARGET_RATIO:g} at {' and '.join(map(str, echo.TARGET_CONNECTIONS))} connections. "
        "By CPU: processor time a request of FastAPI over that of troth and its worker, median. "
        f"{echo.wrong_answers(rounds)} wrong answers. Everything else on the machine kept "
        f"{statistics.median(others):.1f} cores busy (median; at most {max(others):.1f}).",
    )


def _servers(rounds: Sequence[echo.Round], generator: str) -> Table:
    rows = [
        _figures(rounds, server, connections) for connections in echo.CONNECTIONS for server in ("troth", "FastAPI")
    ]
    return Table(
        f"Echo of 100 bytes of JSON: medians of {len(rounds)} round{'s' * (len(rounds) > 1)}",
        ["server, connections", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "server", "worker", "generator"],
        rows,
        "troth: one isolated worker; FastAPI: the function inside the server's process. CPU is that of server and worker; "
        f"the load generator ({generator}) took the last column beside it, on the same cores.",
    )


def _figures(rounds: Sequence[echo.Round], server: str, connections: int) -> list[str]:
    def middle(value: echo.Value) -> float:
        return echo.median(rounds, server, connections, value)

    return [
        f"{server}, {connections}",
        f"{middle(lambda sample: sample.load.rate):,.0f}",
        f"{middle(lambda sample: sample.load.p50) / 1e3:.2f}",
        f"{middle(lambda sample: sample.load.p99) / 1e3:.2f}",
        f"{middle(lambda sample: sample.cost):.0f}",
        f"{middle(lambda sample: sample.server_time):.0f}",
        f"{middle(lambda sample: sample.worker_time):.0f}",
        f"{middle(lambda sample: sample.generator_time):.0f}",
    ]


def _spread(name: str, seconds: Sequence[float]) -> list[str]:
    return [name, *(f"{value:.3f}" for value in (statistics.median(seconds), min(seconds), max(seconds)))]


def _met(met: bool) -> str:
    return "met" if met else "not met"
