"""Ten thousand clients that are there and ask for nothing."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults import idle_clients
from tests.faults.wire import author_of, wait_for
from tests.server import running_server
from troth.doors.server import protocol

_CLIENTS = 10_000
#: bytes of the server for each of them
_EACH = 16 << 10


@pytest.fixture
def _many_files() -> Iterator[None]:
    """As many descriptors as the machine gives."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < _CLIENTS + 1000:
        pytest.skip(f"a process may have {before[1]} files open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_many_files")
def test_ten_thousand_idle_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are served all the while, each costs little, and nothing of them is left when they are gone."""
    monkeypatch.setattr(
        protocol.CorkedProtocol, "head_seconds", 3600.0
    )  # however long it takes until the last has come
    with running_server(tmp_path / "home") as server, author_of(server, tmp_path) as author:
        reference = author.publish()
        assert author.call(reference, 1) == 1
        address = urlsplit(server.address)
        before, files = _proportional(), _files()
        command = [sys.executable, idle_clients.__file__, str(address.hostname), str(address.port), str(_CLIENTS)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
            assert clients.stdin is not None
            assert clients.stdout is not None
            assert clients.stdout.readline() == "open\n"
            wait_for(lambda: _files() >= files + _CLIENTS, "the last of them")
            for number in range(10):
                assert author.call(reference, number) == number
            assert _proportional() - before < _CLIENTS * _EACH
            print("how many?", file=clients.stdin, flush=True)
            assert clients.stdout.readline() == f"{_CLIENTS}\n"
            print("enough", file=clients.stdin, flush=True)
        wait_for(lambda: _files() <= files + 8, "the end of all of them")
        assert author.call(reference, "after") == "after"


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _proportional() -> int:
    """Bytes of this process; what it shares with others counts by its share."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
