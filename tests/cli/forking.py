"""Commands of troth in processes that are forked from one which has imported the verbs.

A short command spends most of its time on imports. Everything else is as in a process that begins from nothing: channels, variables,
the folder, signals, threads, the exit code and what runs at the end are its own. That verbs also begin from nothing is tested by
`test_cli` and the sessions of the documentation.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]
#: bytes of a request at most; Linux gives this much to one message
_LARGEST = 100_000


class Forking:
    """The process that commands are forked from, and its end of the channel to it."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forking", str(theirs.fileno())],
            cwd=_ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()

    def run(
        self, tokens: list[str], *, folder: Path, variables: Mapping[str, str], given: str | None, seconds: float
    ) -> subprocess.CompletedProcess[str]:
        """What `troth` with these tokens printed and exited with; `given` is its input."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with (
            ours, theirs, tempfile.TemporaryFile() as read, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err
        ):  # fmt: skip
            read.write((given or "").encode())
            read.seek(0)
            request = json.dumps({"tokens": tokens, "folder": str(folder), "variables": dict(variables)}).encode()
            socket.send_fds(self._channel, [request], [read.fileno(), out.fileno(), err.fileno(), theirs.fileno()])
            theirs.close()
            ours.settimeout(seconds)
            code = int(ours.recv(100) or b"-1")
            return subprocess.CompletedProcess(["troth", *tokens], code, _text(out), _text(err))

    def close(self) -> None:
        """Ends every process of it."""
        self._channel.close()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@functools.cache
def _forking() -> Forking:
    started = Forking()
    atexit.register(started.close)
    return started


def forked(
    tokens: Sequence[str], *, folder: Path, variables: Mapping[str, str], given: str | None = None, seconds: float
) -> subprocess.CompletedProcess[str]:
    """What `troth` with these tokens printed and exited with; `given` is its input."""
    return _forking().run(list(tokens), folder=folder, variables=variables, given=given, seconds=seconds)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


def _serve(channel: socket.socket) -> None:
    """Forks for each request. Returns in the process that is to run the command, whose tokens are in sys.argv then."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, _LARGEST, 4)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            channel.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if (command := os.fork()) == 0:
                _become(json.loads(request), descriptors)
                return
            for number in descriptors[:3]:
                os.close(number)
            _, status = os.waitpid(command, 0)
            os.write(descriptors[3], str(os.waitstatus_to_exitcode(status)).encode())
            os._exit(0)
        for number in descriptors:
            os.close(number)


def _become(request: dict[str, object], descriptors: list[int]) -> None:
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    folder, variables, tokens = request["folder"], request["variables"], request["tokens"]
    assert isinstance(folder, str)
    assert isinstance(variables, dict)
    assert isinstance(tokens, list)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[0] = folder
    sys.argv = ["troth", *tokens]


def _reap(*_: object) -> None:
    """Takes in what ended, so that its processor time is counted to the tests'."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _main() -> None:
    from troth.doors.cli import main

    for place in {place.partition(":")[0] for place in main._VERBS.values()}:
        importlib.import_module(f"troth.doors.cli.{place}")
    signal.signal(signal.SIGCHLD, _reap)
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    main.run()


if __name__ == "__main__":
    _main()
