"""Push and clone of 40 MiB through troth, beside `git http-backend` behind a plain CGI server (`bench/cgi_server.py`)."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.pushes import git
from bench.section import Findings, Options
from bench.servers import OWNER, TrothServer, troth_server
from bench.table import Table, met

BYTES = 40 << 20
TARGET_RATIO = 1.3
_ROUNDS = 5
PUSH, CLONE = "push", "clone"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Seconds of one push or clone through each of the two, and whether what came is what went."""

    kind: str
    troth: float
    plain: float
    right: bool

    @property
    def ratio(self) -> float:
        return self.troth / self.plain


def measure(options: Options) -> Findings:
    """Five pushes of new data to new repositories, and clones of them, in alternating order."""
    options.say(f"transport: {_ROUNDS} rounds of {BYTES >> 20} MiB")
    with troth_server() as server, _plain_server(server.folder / "plain") as plain, server.client() as client:
        found: list[Transfer] = []
        for number in range(_ROUNDS):
            client.command("create_algorithm", algorithm=f"{OWNER}/data{number}")
            subprocess.run(
                [
                    "git",
                    "init",
                    "--quiet",
                    "--bare",
                    "-b",
                    "master",
                    str(server.folder / "plain" / f"data{number}.git"),
                ],
                check=True,
            )
            addresses = [f"{server.address}/git/{OWNER}/data{number}.git", f"{plain}/data{number}.git"]
            found += _round(server, addresses, number)
    return Findings([_table(found)], sum(not one.right for one in found))


def _table(found: Sequence[Transfer]) -> Table:
    """Seconds of pushes and clones beside a plain CGI server."""
    rows = []
    for kind in (PUSH, CLONE):
        those = [one for one in found if one.kind == kind]
        ratio = statistics.median(one.ratio for one in those)
        seconds = [statistics.median(values) for values in zip(*((one.troth, one.plain) for one in those), strict=True)]
        rows.append([kind, *(f"{value:.2f}" for value in seconds), f"{ratio:.2f}", met(ratio <= TARGET_RATIO)])
    return Table(
        f"Git over HTTP, {BYTES >> 20} MiB of noise, seconds",
        ["what", "troth", "plain CGI", "ratio", "target met"],
        rows,
        f"Target: at most {TARGET_RATIO:g} times `git http-backend` behind a plain CGI server; medians of "
        f"{len(found) // 2} interleaved rounds. {sum(not one.right for one in found)} wrong.",
    )


def _round(server: TrothServer, addresses: list[str], number: int) -> Iterator[Transfer]:
    source = server.folder / "sources" / str(number)
    git(server, source.parent, "clone", "--quiet", addresses[0], str(source))
    (source / "data").write_bytes(os.urandom(BYTES))
    git(server, source, "add", "data")
    git(server, source, "commit", "--quiet", "-m", "data")
    head = git(server, source, "rev-parse", "HEAD")
    order = addresses if number % 2 == 0 else addresses[::-1]
    pushes = {address: _timed(server, source, "push", "--quiet", address, "master") for address in order}
    yield Transfer(PUSH, pushes[addresses[0]], pushes[addresses[1]], True)
    folders = {address: server.folder / "clones" / f"{number}-{index}" for index, address in enumerate(addresses)}
    clones = {a: _timed(server, source, "clone", "--quiet", a, str(folders[a])) for a in order}
    right = all(git(server, folder, "rev-parse", "HEAD") == head for folder in folders.values())
    yield Transfer(CLONE, clones[addresses[0]], clones[addresses[1]], right)


def _timed(server: TrothServer, folder: Path, *arguments: str) -> float:
    started = time.perf_counter()
    git(server, folder, *arguments)
    return time.perf_counter() - started


@contextmanager
def _plain_server(root: Path) -> Iterator[str]:
    root.mkdir()
    script = str(Path(__file__).with_name("cgi_server.py"))
    process = subprocess.Popen([sys.executable, script, str(root)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
