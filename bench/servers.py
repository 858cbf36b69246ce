"""Servers for the measurements: each a process of its own on 127.0.0.1, stopped by its process id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
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
TROTH, HANDROLLED = "troth", "hand-rolled"
FASTAPI, FASTAPI_DEF, FASTAPI_UNANNOTATED = "FastAPI async def", "FastAPI def", "FastAPI async def, unannotated"
#: Settings of a server that runs a version in one worker however many calls wait, as what it is compared with does.
ONE_WORKER = {"version_workers": "1"}
#: What is kept from run to run: packages of algorithms, environments of peers.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "troth-bench"
#: Seconds that a server may take to start.
_PATIENCE = 60.0
ROOT = Path(__file__).parents[1]
#: as long as one of troth's keys
_KEY = "simHANDROLLED0123456789abcdefghijkl"
_FASTAPI = {FASTAPI: "/echo", FASTAPI_DEF: "/echo_def", FASTAPI_UNANNOTATED: "/echo_unannotated"}
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
    """A server that answers one kind of request: what to send it, and its process id."""

    name: str
    target: Target
    process_id: int


@contextmanager
def troth_server(settings: Mapping[str, str] | None = None, folder: Path | None = None) -> Iterator[TrothServer]:
    """`troth up` with default settings but for those given, until the block ends. Raises DidNotStart.

    Its home is new, or that of a server that ran in `folder` before.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="troth-bench-") as name, troth_server(settings, Path(name)) as server:
            yield server
        return
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TROTH_")}
    environment |= {"XDG_CONFIG_HOME": str(folder), "TROTH_PACKAGE_CACHE": str(_package_cache(folder))}
    environment |= {f"TROTH_{key.upper()}": value for key, value in (settings or {}).items()}
    command = [sys.executable, "-m", "troth", "up", "--home", str(folder / "home"), "--port", "0"]
    with running([*command, "--owner", OWNER, "--json"], folder, environment, ending="}\n") as (process, said):
        key = (folder / "home" / "owner.key").read_text().strip()
        yield TrothServer(json.loads(said)["address"], key, process, folder)


@contextmanager
def troth_echo() -> Iterator[EchoServer]:
    """troth with one isolated worker that echoes JSON, published through the SDK."""
    with troth_server(ONE_WORKER) as server:
        yield published(server, "echo")


def published(
    server: TrothServer,
    name: str,
    source: str = ECHO,
    requirements: str = "",
    *,
    body: bytes = BODY,
    result: bytes | None = None,
) -> EchoServer:
    """An algorithm of this source as a version on a server: a call with this body answers `result`, else the body."""
    with server.client() as client:
        project = write_project(server.folder, name, source, requirements)
        version = client.publish(f"{OWNER}/{name}", client.compile(project)["hash"], bump="minor")["version"]
    headers = {**_JSON, "Authorization": f"Simple {server.key}"}
    expected = b'{"result":' + (body if result is None else result) + b","
    path = f"/v1/algo/{OWNER}/{name}/{version}"
    return EchoServer(TROTH, Target(_port(server.address), path, headers, body, expected), server.process_id)


@contextmanager
def fastapi_echo(*names: str, body: bytes = BODY) -> Iterator[list[EchoServer]]:
    """The same function inside a FastAPI process on uvicorn with uvloop and httptools, in these ways of writing it."""
    with running([sys.executable, "-m", "bench.fastapi_echo"], ROOT, dict(os.environ), ending="\n") as (process, said):
        yield [EchoServer(name, Target(_port(said), _FASTAPI[name], _JSON, body, body), process) for name in names]


@contextmanager
def handrolled_echo() -> Iterator[EchoServer]:
    """The same worker behind a server written by hand for this one purpose (`bench/handrolled.py`)."""
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        project = write_project(Path(name), "echo")
        command = [sys.executable, "-m", "bench.handrolled", _KEY, str(project)]
        with running(command, ROOT, dict(os.environ), ending="\n") as (process, said):
            headers = {**_JSON, "Authorization": f"Simple {_KEY}"}
            expected = b'{"result":' + BODY + b","
            target = Target(_port(said), "/v1/algo/bench/echo/0.1.0", headers, BODY, expected)
            yield EchoServer(HANDROLLED, target, process)


def write_project(
    folder: Path, name: str, source: str = ECHO, requirements: str = "", *, pipeline: bool = False
) -> Path:
    """A new folder with an algorithm; one that echoes and needs no libraries, if nothing else is said. With `pipeline` it
    may call others."""
    project = folder / name
    (project / "src").mkdir(parents=True)
    (project / "troth.toml").write_text(f'[algorithm]\nowner = "{OWNER}"\nname = "{name}"\n')
    if pipeline:
        with (project / "troth.toml").open("a") as file:
            file.write("[permissions]\npipeline_enabled = true\n")
    (project / "src" / f"{name}.py").write_text(source)
    if requirements:
        (project / "requirements.txt").write_text(requirements)
    return project


def _package_cache(folder: Path) -> Path:
    """Downloaded packages, kept from run to run where they can be linked into the server's environments."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return (CACHE if CACHE.stat().st_dev == folder.stat().st_dev else folder) / "packages"


def _port(address: str) -> int:
    return urlsplit(address.strip()).port or 0


@contextmanager
def running(
    command: Sequence[str], folder: Path, environment: dict[str, str], *, ending: str
) -> Iterator[tuple[int, str]]:
    """Runs a command until the block ends: its process id, and what it printed up to the first line that ends with `ending`."""
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
        if process.stdout is not None:
            process.stdout.close()


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
