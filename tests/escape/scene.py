"""Sets up what must not be got at, launches the hostile program in one confinement, and prints what it could do.

Run as `python -m tests.escape.scene WAY BUBBLEWRAP WORKER_UID`; the answer is one line of JSON. It is a program of its own so that it can
be run as an ordinary user as well as root.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.escape import attempts, table
from troth.sandbox.isolation import measure
from troth.sandbox.launcher import Confinement, Launcher, Limits
from troth.sandbox.plan import Method

_INSIDE, _OWN_SOURCE = "/troth/attempts.py", "/algorithm"
#: not below /tmp, which a private one covers
_PLACE = "/var/tmp"
_SECRET = "troth-escape-secret"
_PROCESSES, _MEMORY, _TEMPORARY = 24, 96 << 20, 8 << 20
_ADDRESS_SPACE = 1 << 30

#: A way to confine: whether with bubblewrap, and with groups.
WAYS = {"bubblewrap+groups": (True, True), "bubblewrap": (True, False), "landlock": (False, True)}


@contextmanager
def targets() -> Iterator[dict[str, Any]]:
    """A home with secrets, a process with a secret, and listeners of every kind."""
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="troth-home-", dir=_PLACE)))
        os.chmod(home, 0o711)
        files = {"other_version": "trees/b/algorithm.py", "registry": "registry.db", "owner_key": "owner.key"}
        for name in files.values():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(_SECRET)
            (home / name).chmod(0o600)
        (home / files["other_version"]).chmod(0o644)
        own = home / "trees" / "a"
        own.mkdir()
        (own / "algorithm.py").write_text("def apply(input): return input\n")
        public = opened.enter_context(tempfile.TemporaryDirectory(prefix="troth-public-", dir=_PLACE))
        os.chmod(public, 0o777)
        Path(public, "file").write_text(_SECRET)
        leaked = os.open(home / files["owner_key"], os.O_RDONLY)
        os.set_inheritable(leaked, True)
        opened.callback(os.close, leaked)
        command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(300)", _SECRET]
        sibling = subprocess.Popen(command, env={"SECRET": _SECRET})
        opened.callback(sibling.wait)
        opened.callback(sibling.kill)
        yield {
            "home": str(home),
            "own": str(own),
            "public_tmp": f"{public}/file",
            "pid": sibling.pid,
            "server": os.getpid(),
            "shared_memory": _shared_memory(opened),
            **{name: str(home / path) for name, path in files.items()},
            **_listeners(opened, public),
        }


def _listeners(opened: ExitStack, folder: str) -> dict[str, Any]:
    abstract = f"troth-escape-{os.getpid()}"
    udp = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    udp.bind(("127.0.0.1", 0))
    path, datagrams = f"{folder}/stream", f"{folder}/datagrams"
    for address, kind in (
        (path, socket.SOCK_STREAM),
        ("\0" + abstract, socket.SOCK_STREAM),
        (datagrams, socket.SOCK_DGRAM),
    ):
        listener = opened.enter_context(socket.socket(socket.AF_UNIX, kind))
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        if address[0] != "\0":
            os.chmod(address, 0o777)
    found = {"udp": udp.getsockname()[1], "path": path, "abstract": abstract, "datagrams": datagrams}
    for name, family, host in (("tcp", socket.AF_INET, "127.0.0.1"), ("tcp6", socket.AF_INET6, "::1")):
        listener = opened.enter_context(socket.create_server((host, 0), family=family))
        found[name] = listener.getsockname()[1]
    return found


def _shared_memory(opened: ExitStack) -> int:
    """The key of a piece of System V memory that everybody may read, with the secret in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    key = 0x7707 + os.getpid()
    piece = libc.shmget(key, 4096, 0o1000 | 0o666)
    assert piece >= 0, os.strerror(ctypes.get_errno())
    opened.callback(libc.shmctl, piece, 0, None)
    ctypes.memmove(libc.shmat(piece, None, 0), _SECRET.encode(), len(_SECRET))
    return key


class Scene:
    """One launcher, and the hostile program in it."""

    def __init__(self, launcher: Launcher, where: dict[str, Any]) -> None:
        self._launcher = launcher
        self._where = where
        # as ordinary user without name spaces the limit counts every process of the user
        self._own_count = launcher.root or launcher.method is Method.BUBBLEWRAP

    def run(self, bomb: str = "", most: int = 0) -> dict[str, Any]:
        """What it answered and how it ended."""
        ours, theirs = socket.socketpair()
        output = os.memfd_create("said")
        code = attempts.__file__
        limits = {"RLIMIT_AS": _ADDRESS_SPACE, **({"RLIMIT_NPROC": _PROCESSES} if self._own_count else {})}
        asked = {"targets": self._where, "limits": limits, "bomb": bomb, "most": most, "only": []}
        script = self._launcher.seen(code, _INSIDE)
        confinement = Confinement(
            argv=[self._launcher.interpreter, "-I", "-S", "-B", script, str(theirs.fileno()), json.dumps(asked)],
            binds=[(code, _INSIDE), (self._where["own"], _OWN_SOURCE)],
            files=[theirs.fileno()],
            limits=Limits(
                memory_bytes=_ADDRESS_SPACE, total_bytes=_MEMORY, processes=_PROCESSES, temporary_bytes=_TEMPORARY
            ),
            identity="version-a",
        )
        process = self._launcher.launch(confinement, output=output)
        theirs.close()
        answer = self.until_end(ours)
        running = process.memory()
        time.sleep(0.1)
        process.kill()
        status = process.wait(20)
        said = os.pread(output, 4000, 0).decode(errors="replace")
        os.close(output)
        process.release()
        return {
            "answer": answer, "status": status, "said": said, "out_of_memory": process.out_of_memory,
            "left": self._left(script), "memory": running, "layers": process.layers,
        }  # fmt: skip

    @staticmethod
    def until_end(link: socket.socket) -> str:
        link.settimeout(30)
        answer = b""
        with link:
            try:
                while chunk := link.recv(65536):
                    answer += chunk
            except ConnectionResetError:
                pass
        return answer.decode()

    @staticmethod
    def _left(script: str) -> int:
        """Processes of the hostile program that outlived it, after a moment."""
        deadline = time.monotonic() + 3
        while (found := _with_argument(script)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found


def _with_argument(words: str) -> int:
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            arguments = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found += words.encode() in arguments and b"escape" in b"".join(arguments[5:])
    return found


def _unconfined(where: dict[str, Any]) -> dict[str, Any]:
    """What the program can do without any sandbox, of what harms nobody."""
    ours, theirs = socket.socketpair()
    asked = {"targets": where, "limits": {}, "bomb": "", "only": table.HARMLESS}
    command = [sys.executable, "-I", "-S", "-B", attempts.__file__, str(theirs.fileno()), json.dumps(asked)]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        answer = Scene.until_end(ours)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(answer)
    return found


def main() -> None:
    way, bubblewrap, worker_uid = sys.argv[1:]
    with_bubblewrap, groups = WAYS[way]
    launcher = Launcher(
        worker_uid=int(worker_uid), worker_uids=40, bubblewrap=bubblewrap if with_bubblewrap else None, groups=groups
    )
    with targets() as where:
        isolation = measure(launcher, Path(where["home"]))
        scene = Scene(launcher, where)
        found = {
            "isolation": isolation.as_dict(),
            "method": launcher.method,
            "unconfined": _unconfined(where),
            "tried": scene.run(),
            "forks": scene.run("forks", 200),
            "memory": scene.run("memory", 400 << 20),
            "disk": scene.run("disk", 64 << 20),
            "shared": scene.run("shared", 64 << 20),
        }
    launcher.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
