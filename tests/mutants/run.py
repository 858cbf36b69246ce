"""`make clause-mutants`: breaks the code of every enforced clause, one mutant at a time, and sees whether its tests notice.

`ARGS="ALG-10 PDB-47"` tries the mutants of these clauses only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tests.mutants.table import MUTANTS
from tests.mutants.trials import Pair, Trial, tried, warm
from troth.versions.clauses import policy

_PARTS = (
    "life_cycles", "replies", "histories", "queries", "api_check", "publishing", "lines", "contracts", "resolution", "data", "releases",
    "products", "documentation", "commands", "the_past", "random_lives",
)  # fmt: skip
_FOLDER = Path("tests/clauses")
#: Trials at a time; each has a server of its own.
_AT_A_TIME = 2


def main() -> int:
    """0 if every enforced clause has mutants and each of them was noticed by a test marked with the clause."""
    talk = Console(soft_wrap=True, highlight=False)
    started = time.monotonic()
    enforced = _chosen([row.id for row in policy().clauses.values() if row.status == "enforced"])
    missing = [clause for clause in enforced if not MUTANTS.get(clause)]
    pairs = [Pair(clause, mutant, files_of(clause)) for clause in enforced for mutant in MUTANTS.get(clause, [])]
    survivors = 0
    warm()
    for trial in tried(pairs, _AT_A_TIME):
        talk.print(line_of(trial))
        if not trial.killed_by:
            survivors += 1
            talk.print(trial.words, markup=False)
    for clause in missing:
        talk.print(f"{clause} [bold red]has no mutant[/]")
    spent = os.times()
    talk.print(
        f"{len(pairs) - survivors} of {len(pairs)} mutants killed, {len(enforced)} enforced clauses,"
        f" {time.monotonic() - started:.0f} s, {sum(spent[:4]):.0f} s of processors"
    )
    return 1 if survivors or missing else 0


def _chosen(enforced: list[str]) -> list[str]:
    """The clauses that are named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="make clause-mutants", description="Tries the mutants of enforced clauses.")
    parser.add_argument("clauses", nargs="*", metavar="CLAUSE", help="such as ALG-10; all unless told otherwise")
    named = parser.parse_args().clauses
    if unknown := set(named) - set(enforced):
        parser.error(f"no enforced clause: {', '.join(sorted(unknown))}")
    return [clause for clause in enforced if clause in named] or enforced


def line_of(trial: Trial) -> str:
    """What is printed of a trial, in Rich's markup; names of tests hold square brackets of their own."""
    verdict = "[green]killed[/]" if trial.killed_by else "[bold red]SURVIVED[/]"
    return f"{trial.clause} {trial.mutant.name:24} {verdict} {trial.seconds:5.1f} s  {escape(trial.killed_by)}"


def files_of(clause: str) -> tuple[str, ...]:
    """The files that name the clause. The examples first: the random lives take long to shrink what they find."""
    files = (_FOLDER / f"test_{part}.py" for part in _PARTS)
    return tuple(str(file) for file in files if f'"{clause}"' in file.read_text())


if __name__ == "__main__":
    sys.exit(main())
