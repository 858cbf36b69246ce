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


def spread(values: Sequence[float], digits: int = 3) -> list[str]:
    """Median, least and most."""
    return [f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))]


def each(values: Sequence[float], digits: int = 2) -> list[str]:
    """The value of every round, then the median."""
    return [f"{value:,.{digits}f}" for value in (*values, statistics.median(values))]


def rounds_of(number: int) -> list[str]:
    """The heads of the columns that `each` fills."""
    return [*(f"round {index + 1}" for index in range(number)), "median"]


def met(is_met: bool) -> str:
    """Whether a target was reached, as a cell."""
    return "met" if is_met else "not met"
