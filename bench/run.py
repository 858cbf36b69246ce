"""Measures what troth costs on this machine: `python -m bench.run`, or `make bench`.

The figures are printed and never judged by the exit code; that is 1 where an answer was wrong or something did not start.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators
from rich.console import Console

from bench import (
    against_peers,
    check,
    children,
    cold,
    commands,
    data,
    echo,
    gateway,
    large,
    lines,
    memory,
    overload,
    predict,
    publish,
    pushes,
    queries,
    releases,
    resolution,
    sites,
    transport,
)
from bench.load import LoadFailed, generator
from bench.section import Findings, Options, Section
from bench.servers import DidNotStart
from bench.table import Table, machine

SECTIONS: dict[str, Section] = {
    "echo": echo.measure,
    "large": large.measure,
    "children": children.measure,
    "commands": commands.measure,
    "data": data.measure,
    "predict": predict.measure,
    "cold": cold.measure,
    "memory": memory.measure,
    "overload": overload.measure,
    "resolution": resolution.measure,
    "queries": queries.measure,
    "publish": publish.measure,
    "check": check.measure,
    "pushes": pushes.measure,
    "transport": transport.measure,
    "sites": sites.measure,
    "releases": releases.measure,
    "gateway": gateway.measure,
    "lines": lines.measure,
    "peers": against_peers.measure,
}
#: Run only where they are asked for by name: they set up hundreds of megabytes of other people's software.
ON_REQUEST = frozenset(["peers"])

app = App(name="bench", help="Measures what troth costs on this machine.", help_format="plaintext")


@app.default
def measure(
    *,
    rounds: Annotated[int, Parameter(validator=validators.Number(gte=1), help="Rounds of what is compared.")] = 5,
    seconds: Annotated[float, Parameter(validator=validators.Number(gt=0, lte=60), help="Seconds of each load.")] = 2.0,
    only: Annotated[str, Parameter(help=f"Sections, with commas: {', '.join(SECTIONS)}.")] = ",".join(
        name for name in SECTIONS if name not in ON_REQUEST
    ),
    load_generator: Annotated[
        Literal["own", "wrk"], Parameter(name="--generator", help="What makes the load.")
    ] = "own",
    markdown: Annotated[bool, Parameter(negative="", help="Print Markdown instead of tables.")] = False,
) -> int:
    """Prints the figures. The load is bounded and goes to 127.0.0.1 only."""
    asked = only.split(",")
    if unknown := [section for section in asked if section not in SECTIONS]:
        raise SystemExit(f"there is no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    talk = Console(stderr=True)
    options = Options(rounds, seconds, generator(load_generator), load_generator, talk.print)
    busy = [os.getloadavg()[0]]
    found = []
    for section in asked:
        found.append(_findings(section, options))
        busy.append(os.getloadavg()[0])
    tables = [table for findings in found for table in findings.tables]
    _show(tables, f"load average while measuring: {min(busy):.1f} to {max(busy):.1f}", markdown=markdown)
    wrong = sum(findings.wrong for findings in found)
    failures = [failure for findings in found for failure in findings.failures]
    for line in [*([f"{wrong} answers were wrong"] if wrong else []), *failures]:
        talk.print(line)
    return 1 if wrong or failures else 0


def _findings(section: str, options: Options) -> Findings:
    """What a section found; where it failed, why, so that the others are still measured and shown."""
    try:
        return SECTIONS[section](options)
    except (LoadFailed, DidNotStart) as error:
        return Findings([], 0, [f"{section} was not measured: {error}"])


def _show(tables: Sequence[Table], busy: str, *, markdown: bool) -> None:
    if markdown:
        print("\n".join([f"Measured on {machine()}; {busy}.", "", *(table.markdown() for table in tables)]))
        return
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(f"{machine()}; {busy}\n")
    for table in tables:
        table.show(console)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the servers are stopped, too
    try:
        sys.exit(app(result_action="return_value"))
    except LoadFailed as error:
        raise SystemExit(f"nothing was measured: {error}") from None


if __name__ == "__main__":
    main()
