"""What counts as killed: one failed test of the clause, in a process that came to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: run apart: processes are forked from one that has no threads
_PROGRAM = """
import json, os, signal
from tests.mutants.mutant import Mutant, replace_attribute
from tests.mutants.trials import Pair, tried, warm
from tests import conftest
from tests.mutants.table import find


def no_server(*given, **more):
    raise RuntimeError("no server")


def ended(how):
    return lambda: replace_attribute(conftest, "running_server", how)


queries, histories = ("tests/clauses/test_queries.py",), ("tests/clauses/test_histories.py",)
pairs = [
    Pair("PDB-25", Mutant("fixture", "no test is reached", ended(no_server)), queries),
    Pair("PDB-25", Mutant("died", "the process ends as if a test had failed", ended(lambda *_: os._exit(1))), queries),
    Pair("PDB-25", Mutant("shot", "the process is ended", ended(lambda *_: os.kill(os.getpid(), signal.SIGKILL))), queries),
    Pair("PDB-25", Mutant("unapplied", "it cannot be applied", no_server), queries),
    Pair("PDB-12", Mutant("nothing", "nothing is wrong", lambda: None), histories),
    Pair("PDB-12", find("commands-are-nothing"), histories),
    Pair("PDB-12", Mutant("nothing", "nothing is wrong any more", lambda: None), histories),
    Pair("PDB-00", Mutant("nothing", "no test is marked with it", lambda: None), histories),
]
warm()
print(json.dumps([[one.mutant.name, one.killed_by, one.words] for one in tried(pairs, 2)]))
"""


@pytest.fixture(scope="module")
def trials() -> list[tuple[str, str, str]]:
    """(mutant, killer, words) of each."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [(name, killed_by, words) for name, killed_by, words in json.loads(done.stdout)]


def test_a_failed_test_kills_and_only_that(trials: list[tuple[str, str, str]]) -> None:
    """In the order that was asked for, and with nothing left of one mutant under the next."""
    killer = "tests/clauses/test_histories.py::test_a_command_and_an_api_leave_each_other_alone"
    assert [(name, killed_by) for name, killed_by, _ in trials] == [
        ("fixture", ""), ("died", ""), ("shot", ""), ("unapplied", ""), ("nothing", ""), ("commands-are-nothing", killer),
        ("nothing", ""), ("nothing", ""),
    ]  # fmt: skip


def test_what_kills_nothing_says_why(trials: list[tuple[str, str, str]]) -> None:
    fixture, died, shot, unapplied, nothing, *_, unmarked = [words for _, _, words in trials]
    assert "RuntimeError: no server" in fixture
    assert "the process ended with 1 after" in died
    assert "the process ended with -9 after" in shot
    assert "RuntimeError: no server" in unapplied
    assert "the process ended with 1 after" in unapplied
    assert " passed" in nothing
    assert "failed" not in nothing
    assert "the process ended with 5 after" in unmarked
