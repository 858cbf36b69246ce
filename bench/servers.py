"""Servers for the measurements: each a process of its own on 127.0.0.1, stopped by its process id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.load import Target
from troth.sdk import Client

#: 100 bytes of JSON, in the form in which both servers write it.
BODY = b'{"name":"Ada Lovelace","id":12345,"tags":["x","y","z"],"score":0.98765,"ok":true,"t":"abcdefghijkl"}'
ECHO = "def apply(input):\n    return input\n"
OWNER = "bench"
#: Seconds that a server may take to start.
_PATIENCE = 60.0
_ROOT = Path(__file__).parents[1]
#: as long as one of troth's keys
_KEY = "simHANDROLLED0123456789abcdefghijkl"
_JSON = {"Content-Type": "application/json"}


class DidNotStart(Exception):
    """A server that ended, or took more than a minute, instead of telling its address."""


@dataclass(frozen=True, slots=True)
class TrothServer:
    """A `troth up` that runs, with its owner's key."""

    address: str
    key: str
    process_id: int
    folder: Path

    def client(self) -> Client:
        """A new client that acts for the owner."""
        return Client(self.address, self.key)


@dataclass(frozen=True, slots=True)
class EchoServer:
    """A server that answers an echo: what to send it, and its process id."""

    name: str
    target: Target
    process_id: int


@contextmanager
def troth_server() -> Iterator[TrothServer]:
    """`troth up` with default settings over a new home, until the block ends. Raises DidNotStart."""
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        folder = Path(name)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TROTH_")}
        environment["XDG_CONFIG_HOME"] = name
        command = [sys.executable, "-m", "troth", "up", "--home", str(folder / "home"), "--port", "0"]
        with _running([*command, "--owner", OWNER, "--json"], folder, environment, ending="}\n") as (process, said):
            found = json.loads(said)
            yield TrothServer(found["address"], found["owner_key"], process, folder)


@contextmanager
def troth_echo() -> Iterator[EchoServer]:
    """troth with one isolated worker that echoes JSON, published through the SDK."""
    with troth_server() as server, server.client() as client:
        project = write_project(server.folder, "echo")
        version = client.publish(f"{OWNER}/echo", client.compile(project)["hash"], bump="minor")["version"]
        path = f"/v1/algo/{OWNER}/echo/{version}"
        headers = {**_JSON, "Authorization": f"Simple {server.key}"}
        expected = b'{"result":' + BODY + b","
        yield EchoServer("troth", Target(_port(server.address), path, headers, BODY, expected), server.process_id)


@contextmanager
def fastapi_echo() -> Iterator[EchoServer]:
    """The same function inside a FastAPI process on uvicorn with uvloop and httptools."""
    with _running([sys.executable, "-m", "bench.fastapi_echo"], _ROOT, dict(os.environ), ending="\n") as (
        process,
        said,
    ):
        yield EchoServer("FastAPI", Target(_port(said), "/echo", _JSON, BODY, BODY), process)


@contextmanager
def handrolled_echo() -> Iterator[EchoServer]:
    """The same worker behind a server written by hand for this one purpose (`bench/handrolled.py`)."""
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        project = write_project(Path(name), "echo")
        command = [sys.executable, "-m", "bench.handrolled", _KEY, str(project)]
        with _running(command, _ROOT, dict(os.environ), ending="\n") as (process, said):
            headers = {**_JSON, "Authorization": f"Simple {_KEY}"}
            expected = b'{"result":' + BODY + b","
            target = Target(_port(said), "/v1/algo/bench/echo/0.1.0", headers, BODY, expected)
            yield EchoServer("hand-rolled", target, process)


def write_project(folder: Path, name: str) -> Path:
    """A new folder with an algorithm that echoes and needs no libraries."""
    project = folder / name
    (project / "src").mkdir(parents=True)
    (project / "troth.toml").write_text(f'[algorithm]\nowner = "{OWNER}"\nname = "{name}"\n')
    (project / "src" / f"{name}.py").write_text(ECHO)
    return project


def _port(address: str) -> int:
    return urlsplit(address.strip()).port or 0


@contextmanager
def _running(
    command: Sequence[str], folder: Path, environment: dict[str, str], *, ending: str
) -> Iterator[tuple[int, str]]:
    """Process id of the command, and what it printed up to the first line that ends with `ending`."""
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process.pid, _first_words(process, ending)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_words(process: subprocess.Popen[str], ending: str) -> str:
    assert process.stdout is not None
    said = ""
    patience = threading.Timer(_PATIENCE, process.kill)
    patience.start()
    try:
        for line in process.stdout:
            said += line
            if line.endswith(ending):
                return said
    finally:
        patience.cancel()
    raise DidNotStart(f"{process.args!r} ended with code {process.wait()}")
