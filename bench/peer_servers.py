"""The peers: how each is set up, started, asked and stopped.

Each has a virtual environment of its own below the cache, made by uv from its hash-locked file in `bench/peers` when it is
first asked for, and made anew when that file changes. The locks are for Python 3.11 on Linux.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import LoadFailed, Target, own
from bench.own_network import inside_network_of, possible
from bench.processes import below
from bench.servers import BODY, CACHE, ROOT, DidNotStart, EchoServer

_SERVICES = Path(__file__).with_name("peers")
_SPACED = json.dumps(json.loads(BODY)).encode()
#: Seconds that a peer may take to its first right answer, and to end.
_PATIENCE, _FAREWELL = 180.0, 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """A peer with one worker or replica and its defaults.

    `command` is made from the port and the environment's folder, `expected` is in every right answer, `targets` are how
    many times as many requests a second troth shall answer at so many connections.
    """

    name: str
    package: str
    command: Callable[[int, Path], Sequence[str]]
    path: str
    body: bytes
    expected: bytes
    targets: Mapping[int, float]
    environment: Callable[[int], Mapping[str, str]] = lambda port: {}
    #: what is made once, in the environment's folder
    prepared: Sequence[str] = ()
    #: listens on every address, and so has a network to itself
    everywhere: bool = False

    @property
    def lock(self) -> Path:
        """The file with its packages and their hashes."""
        return _SERVICES / f"{self.package}.txt"

    @property
    def version(self) -> str:
        """The version that the lock names."""
        lines = self.lock.read_text().splitlines()
        pins = [line.split("==")[1] for line in lines if line.partition("[")[0].startswith(f"{self.package}==")
                or line.startswith(f"{self.package}[")]  # fmt: skip
        return pins[0].split()[0]


def _mlserver(port: int) -> dict[str, str]:
    return {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": str(_free_port()),
        "MLSERVER_METRICS_PORT": str(_free_port()),
        "MLSERVER_DEBUG": "false",
        "MLSERVER_PARALLEL_WORKERS": "1",
    }


_TENSOR = {
    "name": "value",
    "shape": [1],
    "datatype": "BYTES",
    "data": [BODY.decode()],
    "parameters": {"content_type": "str"},
}
_MODEL = "model"
_HERE = ["--host", "127.0.0.1", "--port"]

PEERS = (
    Peer(
        "LitServe",
        "litserve",
        lambda port, folder: ["python", str(_SERVICES / "litserve_echo.py"), str(port)],
        "/echo",
        BODY,
        BODY,
        {16: 12.0, 64: 16.0},
    ),
    Peer(
        "MLServer",
        "mlserver",
        lambda port, folder: ["mlserver", "start", str(_SERVICES / "mlserver")],
        "/v2/models/echo/infer",
        json.dumps({"inputs": [_TENSOR]}).encode(),
        json.dumps(_SPACED.decode()).encode(),
        {16: 18.0, 64: 25.0},
        _mlserver,
    ),
    Peer(
        "mlflow models serve",
        "mlflow",
        lambda port, folder: [
            *["mlflow", "models", "serve", "-m", str(folder / _MODEL), "--env-manager", "local"],
            *[*_HERE, str(port), "--workers", "1"],
        ],
        "/invocations",
        b'{"inputs":' + BODY + b"}",
        b'{"predictions": ' + _SPACED + b"}",
        {16: 18.0, 64: 25.0},
        lambda port: {"MLFLOW_DISABLE_TELEMETRY": "true"},
        ["python", str(_SERVICES / "mlflow_echo.py"), _MODEL],
    ),
    Peer(
        "BentoML",
        "bentoml",
        lambda port, folder: ["bentoml", "serve", "bentoml_echo:Echo", *_HERE, str(port)],
        "/echo",
        b'{"data":' + BODY + b"}",
        _SPACED,
        {16: 30.0, 64: 35.0},
        lambda port: {"BENTOML_DO_NOT_TRACK": "true"},
    ),
    Peer(
        "Ray Serve",
        "ray",
        lambda port, folder: ["python", str(_SERVICES / "ray_echo.py"), str(port)],
        "/echo",
        BODY,
        BODY,
        {16: 60.0, 64: 60.0},
        # its workers would run at nice 15
        lambda port: {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"},
        everywhere=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Started:
    """A peer that runs, and the seconds from its start to its first right answer."""

    server: EchoServer
    seconds: float
    everywhere: bool = field(default=False)

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Where this thread can load it."""
        with inside_network_of(self.server.process_id) if self.everywhere else nullcontext():
            yield


def set_up(peer: Peer, say: Callable[[str], None]) -> Path:
    """The folder of a peer's environment, made if it is not there. Raises DidNotStart."""
    if peer.everywhere and not possible():
        raise DidNotStart(f"{peer.name} listens on every address and needs a network to itself, which takes root")
    digest = hashlib.sha256(peer.lock.read_bytes()).hexdigest()[:12]
    folder = CACHE / "peers" / f"{peer.package}-{digest}"
    if (folder / "ready").exists():
        return folder
    say(f"peers: setting up {peer.name} {peer.version} in {folder}")
    uv = str(Path(sys.executable).with_name("uv"))
    try:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--compile-bytecode",
            "--python",
            str(folder / "bin" / "python"),
        ]
        subprocess.run([*install, "-r", str(peer.lock)], check=True)
        if peer.prepared:
            command = [str(folder / "bin" / peer.prepared[0]), *peer.prepared[1:]]
            subprocess.run(command, cwd=folder, env=_environment(peer, folder, 0), capture_output=True, check=True)
    except subprocess.CalledProcessError as error:
        raise DidNotStart(f"{peer.name} could not be set up: {error}: {(error.stderr or b'')[-2000:]!r}") from None
    (folder / "ready").touch()
    return folder


@contextmanager
def running_peer(peer: Peer, folder: Path) -> Iterator[Started]:
    """A peer that has given its first right answer, until the block ends. Raises DidNotStart."""
    port = _free_port()
    command = [str(folder / "bin" / peer.command(port, folder)[0]), *peer.command(port, folder)[1:]]
    if peer.everywhere:
        command = [sys.executable, str(ROOT / "bench" / "own_network.py"), *command]
    target = Target(port, peer.path, {"Content-Type": "application/json"}, peer.body, peer.expected)
    began = time.monotonic()
    # some leave files where they run
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name, (folder / "log").open("w") as log:
        environment = _environment(peer, folder, port)
        process = subprocess.Popen(command, cwd=name, env=environment, stdout=log, stderr=log)
        started = Started(EchoServer(peer.name, target, process.pid), 0.0, peer.everywhere)
        try:
            while not _answers(started):
                if process.poll() is not None or time.monotonic() - began > _PATIENCE:
                    raise DidNotStart(f"{peer.name} gave no right answer; see {log.name}")
                time.sleep(0.05)
            yield Started(started.server, time.monotonic() - began, peer.everywhere)
        finally:
            _stop(process)


def _answers(started: Started) -> bool:
    with suppress(OSError, LoadFailed), started.reached():
        return own(started.server.target, 1, 0.0).wrong == 0
    return False


def _environment(peer: Peer, folder: Path, port: int) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in ("HOME", "LANG", "TMPDIR")}
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    return {
        **kept,
        "PATH": path,
        "PYTHONPATH": str(_SERVICES),
        "PYTHONDONTWRITEBYTECODE": "1",
        **peer.environment(port),
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a peer, politely at first, then what is left of the processes that it started."""
    started = below(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_FAREWELL)
    for process_id in started:
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)
    process.kill()
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
