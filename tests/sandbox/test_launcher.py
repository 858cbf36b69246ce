"""What a launch gives, and what it refuses."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.conftest import Make
from troth.errors import IsolationUnavailable
from troth.sandbox.confined import Confined
from troth.sandbox.isolation import Level, measure
from troth.sandbox.launcher import Confinement, Launcher, Limits, Network
from troth.sandbox.plan import Method

ROOT = os.geteuid() == 0


def start(launcher: Launcher, code: str, output: int, **options: object) -> Confined:
    argv = [launcher.interpreter, "-I", "-S", "-c", code]
    return launcher.launch(replace(Confinement(argv), **options), output=output)  # type: ignore[arg-type]


def said(launcher: Launcher, code: str, **options: object) -> str:
    """What a confined program prints."""
    output = os.memfd_create("said")
    process = start(launcher, code, output, **options)
    process.wait(30)
    process.release()
    with os.fdopen(output, "rb") as file:
        return os.pread(file.fileno(), 1 << 16, 0).decode()


def test_a_confined_process_ends_as_it_ends(make: Make, tmp_path: Path) -> None:
    with open(tmp_path / "said", "wb") as output:
        process = start(make(), "import sys, time; time.sleep(1); sys.exit(7)", output.fileno())
        assert process.poll() is None
        deadline = time.monotonic() + 10
        while not process.memory():
            assert time.monotonic() < deadline
        with pytest.raises(TimeoutError):
            process.wait(0.01)
        assert process.wait(30) == process.poll() == 7
        assert process.memory() is None
        assert not process.out_of_memory
        process.kill()
        process.release()
        process.release()
        assert not process.out_of_memory


@pytest.mark.parametrize("groups", [True, False])
def test_kill_ends_what_left_its_session(make: Make, tmp_path: Path, groups: bool) -> None:
    mark = f"mark-{time.time_ns()}"
    code = f"import os, time\nos.fork() or os.setsid()\nos.fork()\nprint('{mark}', flush=True)\ntime.sleep(60)"
    path = tmp_path / "said"
    with open(path, "wb") as output:
        process = start(make(groups=groups), code, output.fileno())
    deadline = time.monotonic() + 20
    while path.read_text().count(mark) < 4:
        assert time.monotonic() < deadline
    assert len(having(mark)) >= 4
    process.kill()
    process.wait(10)
    process.release()
    while having(mark):
        assert time.monotonic() < deadline


def having(words: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] * (words.encode() in path.read_bytes())
        except OSError:
            continue
    return found


def test_nothing_of_the_server_s_is_kept_for_what_is_gone(make: Make) -> None:
    launcher = make()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(8):
        said(launcher, "import os; os.fork()", identity=str(number))
    deadline = time.monotonic() + 10
    while True:  # the last user is free when another is asked for
        said(launcher, "", identity="last")
        if len(os.listdir("/proc/self/fd")) <= before + 1:
            break
        assert time.monotonic() < deadline


def test_the_api_s_socket_is_there_for_who_may_reach_it(make: Make) -> None:
    launcher = make()
    code = "import os; print(os.path.exists('/troth/api.sock'))"
    with pytest.raises(IsolationUnavailable, match="no socket"):
        said(launcher, code, network=Network.API)
    launcher.api_socket = Path("/dev/null")
    assert said(launcher, code, network=Network.API) == "True\n"
    assert said(launcher, code) == "False\n"


@pytest.mark.parametrize(
    ("options", "asked", "words"),
    [
        ({}, Confinement([], network=Network.MACHINE), "not given to algorithms"),
        ({"egress": None}, Confinement([], network=Network.FULL), "turned off"),
        ({"filter_calls": False}, Confinement([], network=Network.FULL), "system call filter"),
        ({"bubblewrap": None}, Confinement([], network=Network.FULL), "connected to anything"),
        ({"bubblewrap": None}, Confinement([], network=Network.API), "connected to anything"),
        ({"groups": False}, Confinement([], limits=Limits(hard_memory=True)), "hard limit of memory"),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    make: Make, options: dict[str, object], asked: Confinement, words: str
) -> None:
    with pytest.raises(IsolationUnavailable, match=words) as refused:
        make(**options).launch(asked, output=2)
    assert refused.value.repair


def test_bubblewrap_that_does_not_work_is_put_aside_and_named(make: Make, tmp_path: Path) -> None:
    launcher = make(bubblewrap="/bin/false")
    found = measure(launcher, tmp_path)
    assert launcher.method is not Method.BUBBLEWRAP
    assert found.level is (Level.PARTIAL if ROOT else Level.NONE)
    assert any("bubblewrap does not work here" in one for one in found.missing)


def test_without_a_filter_the_level_is_low(make: Make, tmp_path: Path) -> None:
    found = measure(make(filter_calls=False), tmp_path)
    assert found.level is (Level.PROCESS if ROOT else Level.NONE)
    assert any("system call filter" in one for one in found.missing)
    assert found.system_calls == "none"


def test_nothing_is_left_in_the_home(make: Make, tmp_path: Path) -> None:
    measure(make(), tmp_path)
    assert list(tmp_path.iterdir()) == []
