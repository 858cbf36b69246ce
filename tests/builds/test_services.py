"""Confined runs: bounded in time and in what they print, and never left behind."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

import pytest

from troth.builds.services import Ended, handed, run
from troth.errors import IsolationUnavailable
from troth.sandbox.launcher import Confinement, Launcher


def python(launcher: Launcher, code: str, *, given: bytes = b"", seconds: float = 20.0, most: int = 1 << 20) -> Ended:
    argv = [launcher.interpreter, "-I", "-S", "-c", code]
    return run(launcher, Confinement(argv, service=True), given=given, seconds=seconds, most_output=most)


def test_what_is_given_and_what_is_printed(launcher: Launcher) -> None:
    code = "import sys; print(sys.stdin.read()[::-1]); print('no', file=sys.stderr); sys.exit(3)"
    assert python(launcher, code, given=b"x" * 300_000 + b"y") == Ended(3, b"y" + b"x" * 300_000 + b"\n", b"no\n")


def test_what_is_printed_beyond_the_bound_is_read_and_left_out(launcher: Launcher) -> None:
    ended = python(launcher, "import sys; sys.stdout.write('x' * 10_000_000); sys.stderr.write('y' * 9)", most=1000)
    assert ended == Ended(0, b"x" * 1000, b"y" * 9)


@pytest.mark.parametrize(
    "code",
    [
        "import time; print('begun', flush=True); time.sleep(60)",
        "import os, time; print('begun', flush=True); os.close(1); os.close(2); time.sleep(60)",
        "import os, time; print('begun', flush=True); os.fork() or time.sleep(60); os.setsid(); time.sleep(60)",
    ],
)
def test_what_takes_too_long_is_ended_with_all_its_children(launcher: Launcher, code: str) -> None:
    mark = f"# {time.time_ns()}"
    ended = python(launcher, code + mark, seconds=4.0)
    assert ended.late
    assert not ended.succeeded
    assert ended.output == b"begun\n"
    deadline = time.monotonic() + 60
    while any(mark.encode() in line for line in _arguments()):
        assert time.monotonic() < deadline


def _arguments() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return found


def test_services_are_another_user_than_workers_and_have_no_network_unless_asked(launcher: Launcher) -> None:
    code = "import os, socket; print(os.getuid()); socket.create_connection(('127.0.0.1', 9))"
    ended = python(launcher, code)
    if os.geteuid() == 0:
        assert ended.output == b"60000\n"
    assert b"PermissionError" in ended.errors


def test_no_descriptor_is_left_open(launcher: Launcher) -> None:
    before = _descriptors()
    python(launcher, "print(1)")
    python(launcher, "import time; time.sleep(60)", seconds=0.2)
    with handed(b"x") as descriptor:
        assert os.read(descriptor, 9) == b"x"
    if os.geteuid() == 0:
        with pytest.raises(IsolationUnavailable):
            python(Launcher(worker_uid=60001, bubblewrap=None), "print(1)")
    assert _descriptors() <= before


def _descriptors() -> set[tuple[str, str]]:
    """What is open, once the garbage of earlier tests, which holds descriptors too, is gone."""
    gc.collect()
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add((name, os.readlink(f"/proc/self/fd/{name}")))
        except FileNotFoundError:
            continue  # that of the listing itself
    return found
