"""Measures what troth costs on this machine: `python -m bench.run`, or `make bench`.

The figures are printed and never judged by the exit code; that is 1 where an answer was wrong.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators
from rich.console import Console

from bench import echo, publish, pushes, report, resolution, transport
from bench.load import LoadFailed, generator
from bench.report import Table
from bench.servers import DidNotStart

_SECTIONS = ("echo", "resolution", "publish", "pushes", "transport")
_PUBLICATIONS, _PUSHES = 9, 5

app = App(name="bench", help="Measures what troth costs on this machine.", help_format="plaintext")


@app.default
def measure(
    *,
    rounds: Annotated[int, Parameter(validator=validators.Number(gte=1), help="Rounds of the echo.")] = 5,
    seconds: Annotated[float, Parameter(validator=validators.Number(gt=0, lte=60), help="Seconds of each load.")] = 2.0,
    only: Annotated[
        str, Parameter(help="Sections, with commas: echo, resolution, publish, pushes, transport.")
    ] = ",".join(_SECTIONS),
    load_generator: Annotated[
        Literal["own", "wrk"], Parameter(name="--generator", help="What makes the load.")
    ] = "own",
    markdown: Annotated[bool, Parameter(negative="", help="Print Markdown instead of tables.")] = False,
) -> int:
    """Prints the figures. The load is bounded and goes to 127.0.0.1 only."""
    asked = only.split(",")
    if unknown := [section for section in asked if section not in _SECTIONS]:
        raise SystemExit(f"there is no section {unknown[0]!r}; there are {', '.join(_SECTIONS)}")
    talk = Console(stderr=True)
    tables: list[Table] = []
    wrong = 0
    busy = [os.getloadavg()[0]]
    for section in asked:
        measured, bad = _measured(section, rounds, seconds, load_generator, talk.print)
        tables += measured
        wrong += bad
        busy.append(os.getloadavg()[0])
    _show(tables, f"load average while measuring: {min(busy):.1f} to {max(busy):.1f}", markdown=markdown)
    if wrong:
        talk.print(f"{wrong} answers were wrong")
    return 1 if wrong else 0


def _measured(
    section: str, rounds: int, seconds: float, generator_name: str, say: Callable[[str], None]
) -> tuple[list[Table], int]:
    """A section's tables and the number of wrong answers in it."""
    if section == "echo":
        echoes = echo.measure(rounds, seconds, generator(generator_name), say)
        return report.echo_tables(echoes, generator_name), echo.wrong_answers(echoes)
    if section == "resolution":
        found = resolution.measure(say)
        return [report.resolution_table(found)], found.wrong
    if section == "pushes":
        pushed = pushes.measure(_PUSHES, say)
        return [report.pushes_table(pushed)], sum(not push.right for push in pushed.pushes)
    if section == "transport":
        moved = transport.measure(_PUSHES, say)
        return [report.transport_table(moved)], sum(not one.right for one in moved)
    answers = publish.measure(_PUBLICATIONS, say)
    return [report.publish_table(answers)], sum(not answer.right for answer in answers)


def _show(tables: list[Table], busy: str, *, markdown: bool) -> None:
    if markdown:
        print("\n".join([f"Measured on {report.machine()}; {busy}.", "", *(table.markdown() for table in tables)]))
        return
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(f"{report.machine()}; {busy}\n")
    for table in tables:
        table.show(console)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the servers are stopped, too
    try:
        sys.exit(app(result_action="return_value"))
    except (LoadFailed, DidNotStart) as error:
        raise SystemExit(f"nothing was measured: {error}") from None


if __name__ == "__main__":
    main()
