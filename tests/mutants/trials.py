"""Tries mutants, each in a process of its own.

The processes are forked from one that has imported libraries and the product, which takes longer than most of the tests do. Tests
are not imported in it: each process breaks the product first, and imports them then.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.databases import migrated_file
from tests.mutants.mutant import Mutant

_FORK = multiprocessing.get_context("fork")
#: the one plugin of pytest that tests of clauses need
_PLUGIN = "hypothesispytest"
#: Plain assertions: what is imported already cannot be rewritten, and only what a failure prints depends on it.
_OPTIONS = ("-q", "-x", "--tb=line", "--assert=plain", "--disable-plugin-autoload", "-p", _PLUGIN)
#: That there is a counterexample is all that is asked for, and not the smallest one.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
#: seconds after which a trial is ended, and proves nothing
_LONGEST = 900.0
_SAID = 4000


@dataclass(frozen=True)
class Pair:
    """A mutant, and the clause whose tests have to notice it: those of these files that are marked with it."""

    clause: str
    mutant: Mutant
    files: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """What became of one mutant under the tests of one clause. `killed_by` is "" if none of them failed."""

    clause: str
    mutant: Mutant
    killed_by: str
    seconds: float
    words: str


def warm() -> None:
    """Imports what trials need before the mutant, as pytest itself would: its plugin, and the product with the shared fixtures.

    Also makes the registry that those of servers are copies of: migrations are frozen, so no mutant is one of them.
    """
    for plugin in entry_points(group="pytest11", name=_PLUGIN):
        plugin.load()
    for name in ("tests.conftest", "tests.clauses.conftest"):
        import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        migrated_file(Path(folder) / "registry.sqlite")
    settings.register_profile("mutants", settings.get_profile("troth"), phases=_PHASES)
    settings.load_profile("mutants")
    gc.collect()
    gc.freeze()


def tried(pairs: Sequence[Pair], at_a_time: int) -> Iterator[Trial]:
    """The trials, in the order of the pairs, each as soon as it and those before it are over. `warm` has to be called before."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        waiting = list(enumerate(pairs))[::-1]
        running: dict[int, _Running] = {}
        over: dict[int, Trial] = {}
        for number in range(len(pairs)):
            while number not in over:
                while waiting and len(running) < at_a_time:
                    place, pair = waiting.pop()
                    running[place] = _Running(pair, Path(folder) / str(place))
                wait([one.process.sentinel for one in running.values()], min(one.left for one in running.values()))
                over |= {place: one.end() for place, one in running.items() if one.is_over}
                running = {place: one for place, one in running.items() if place not in over}
            yield over.pop(number)


class _Running:
    """A mutant that is being tried."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        assert threading.active_count() == 1, "a process with threads must not be forked"
        folder.mkdir()
        self._pair = pair
        self._folder = folder
        self._began = time.monotonic()
        self.process: ForkProcess = _FORK.Process(target=_try, args=(pair, folder))
        self.process.start()

    @property
    def left(self) -> float:
        """Seconds until it has taken too long."""
        return max(0.0, self._began + _LONGEST - time.monotonic())

    @property
    def is_over(self) -> bool:
        return self.process.exitcode is not None or not self.left

    def end(self) -> Trial:
        """What became of it. Only where pytest came to its end, and ended as it does when a test failed, can it have been killed."""
        took = time.monotonic() - self._began
        self.process.kill()
        self.process.join()
        words = (self._folder / "printed").read_text(errors="replace")[-_SAID:]
        named, code = self._folder / "failed", self.process.exitcode
        killed_by = named.read_text() if named.exists() and code == pytest.ExitCode.TESTS_FAILED else ""
        if not named.exists() or code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            words += f"\nthe process ended with {code} after {took:.0f} s\n"
        return Trial(self._pair.clause, self._pair.mutant, killed_by, took, words)


@dataclass
class _Failures:
    """A plugin of pytest that takes down which tests failed.

    Not an error on the way to a test: a mutant that breaks the fixtures proves nothing.
    """

    names: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One step of a test: "setup", "call" or "teardown"."""
        if report.when == "call" and report.failed:
            self.names.append(report.nodeid)


def _try(pair: Pair, folder: Path) -> None:
    """Breaks the product in this process, runs the tests in it, and ends it."""
    printed = os.open(folder / "printed", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    pair.mutant.apply()
    failures = _Failures()
    arguments = [*_OPTIONS, f"--basetemp={folder / 't'}", "--clause", pair.clause, *pair.files]
    code = pytest.main(arguments, plugins=[failures])
    (folder / "failed").write_text(next(iter(failures.names), ""))
    sys.exit(int(code))
