"""`make clause-mutants`: breaks the code of every enforced clause, one mutant at a time, and sees whether its tests notice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tests.mutants.mutant import Mutant
from tests.mutants.table import MUTANTS
from troth.versions.clauses import policy

_PARTS = (
    "life_cycles", "replies", "histories", "api_check", "publishing", "lines", "contracts", "resolution", "data", "releases", "products",
    "documentation", "commands", "queries", "random_lives",
)  # fmt: skip
_FOLDER = Path("tests/clauses")
#: Runs at a time; each has a server of its own.
_PARALLEL = 2


@dataclass(frozen=True)
class Trial:
    """What became of one mutant under the tests of one clause."""

    clause: str
    mutant: Mutant
    killed_by: str
    seconds: float
    words: str


def main() -> int:
    """0 if every enforced clause has mutants and each of them was noticed by a test marked with the clause."""
    talk = Console(soft_wrap=True, highlight=False)
    started = time.monotonic()
    enforced = [row.id for row in policy().clauses.values() if row.status == "enforced"]
    missing = [clause for clause in enforced if not MUTANTS.get(clause)]
    pairs = [(clause, mutant) for clause in enforced for mutant in MUTANTS.get(clause, [])]
    survivors = []
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for trial in pool.map(lambda pair: _try(*pair), pairs):
            talk.print(line_of(trial))
            if not trial.killed_by:
                survivors.append(trial)
                talk.print(trial.words, markup=False)
    for clause in missing:
        talk.print(f"{clause} [bold red]has no mutant[/]")
    talk.print(
        f"{len(pairs) - len(survivors)} of {len(pairs)} mutants killed, {len(enforced)} enforced clauses,"
        f" {time.monotonic() - started:.0f} s"
    )
    return 1 if survivors or missing else 0


def line_of(trial: Trial) -> str:
    """What is printed of a trial, in Rich's markup; names of tests hold square brackets of their own."""
    verdict = "[green]killed[/]" if trial.killed_by else "[bold red]SURVIVED[/]"
    return f"{trial.clause} {trial.mutant.name:24} {verdict} {trial.seconds:5.1f} s  {escape(trial.killed_by)}"


def first_failure(printed: str) -> str:
    """The test that pytest's summary names first as failed, or "".

    Not an error on the way to a test: a mutant that breaks the fixtures proves nothing.
    """
    failed = re.search(r"^FAILED (\S+?(?:\[.*?\])?)(?: - |$)", printed, re.MULTILINE)
    return failed[1] if failed else ""


def _try(clause: str, mutant: Mutant) -> Trial:
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", "-p", "no:randomly"]
    command += ["--clause", clause, "--mutant", mutant.name]
    command += [f"tests/clauses/test_{part}.py" for part in _parts_of(clause)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    killed_by = first_failure(done.stdout) if done.returncode == 1 else ""
    return Trial(clause, mutant, killed_by, time.monotonic() - started, done.stdout[-2000:] + done.stderr[-2000:])


def _parts_of(clause: str) -> list[str]:
    """The files that name the clause. The examples first: the random lives take long to shrink what they find."""
    return [part for part in _PARTS if f'"{clause}"' in (_FOLDER / f"test_{part}.py").read_text()]


if __name__ == "__main__":
    sys.exit(main())
