"""The way of sandboxes to other machines: a broker outside, and in each sandbox a relay that speaks to it.

A sandbox with network access keeps its empty network name space. What it reaches, it reaches through the relay at its own
loopback, by TCP, and the broker decides where to.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from troth.errors import MalformedSetting
from troth.sandbox import egress_broker, egress_entry, egress_relay, sockets
from troth.sandbox.confined import Confined
from troth.sandbox.confinement import Confinement, Limits, Network

if TYPE_CHECKING:
    from troth.sandbox.launcher import Launcher

_BROKER_INSIDE, _RELAY_INSIDE = "/troth/egress_broker.py", "/troth/egress_relay.py"
_ENTRY_INSIDE = "/troth/egress_entry.py"
_SOCKET_INSIDE = "/troth/egress.sock"
_PORT = 3128
_PROXY = f"http://127.0.0.1:{_PORT}"
_LOCAL = "localhost,127.0.0.1,::1"
#: connections of one version that wait for the broker
_WAITING = 128


@dataclass(frozen=True, slots=True)
class EgressRules:
    """What sandboxes with network access reach beyond what is public: networks as in `10.1.0.0/16`.

    `allow` are private networks; `deny` are others, such as public addresses that lead back to this server. Loopback,
    link-local addresses and this machine's own can never be allowed. Raises MalformedSetting.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in (*self.allow, *self.deny):
            try:
                ipaddress.ip_network(one)
            except ValueError as error:
                raise MalformedSetting(
                    f"{one} is no network", why=str(error), repair="write it as 10.1.0.0/16"
                ) from error


@dataclass(slots=True)
class _Door:
    """The socket by which the sandboxes of one version reach the broker, and how many have it."""

    number: int
    path: Path
    listener: socket.socket
    users: int = 0


class Egress:
    """The broker of one launcher. It is started with the first sandbox that needs it, and again should it die.

    Each version has a socket of its own, by which the broker knows whose connections it counts.
    """

    def __init__(self, rules: EgressRules, folder: str) -> None:
        self._rules = rules
        self._folder = Path(folder)
        self._link: socket.socket | None = None
        self._broker: Confined | None = None
        self._doors: dict[str, _Door] = {}
        self._made = 0
        self._guard = threading.Lock()

    def extended(self, launcher: Launcher, confinement: Confinement, undo: ExitStack) -> Confinement:
        """The confinement with the relay before its program, and variables that name it. Starts the broker.

        `undo` is to be closed when the sandbox is gone.
        """
        path = self.path(launcher, confinement.identity, undo)
        binds = [
            (egress_entry.__file__, _ENTRY_INSIDE),
            (egress_relay.__file__, _RELAY_INSIDE),
            (str(path), _SOCKET_INSIDE),
        ]
        entry = [launcher.interpreter, "-I", "-S", "-B", _ENTRY_INSIDE, str(_PORT), _SOCKET_INSIDE, _RELAY_INSIDE]
        return replace(
            confinement,
            argv=[*entry, *confinement.argv],
            binds=[*confinement.binds, *binds],
            environment={**_variables(), **confinement.environment},
        )

    def path(self, launcher: Launcher, identity: str, undo: ExitStack) -> Path:
        """The socket of one version, behind which the broker is; it is there until `undo` is closed by the last who has it."""
        with self._guard:
            self._ensure(launcher)
            door = self._doors.get(identity) or self._open(identity)
            door.users += 1
            undo.callback(self._leave, identity, door)
        return door.path

    def stop(self) -> None:
        """Ends the broker, and the connections through it. The next sandbox starts another."""
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait()
            self._broker.release()
            self._broker = None
        if self._link is not None:
            self._link.close()
            self._link = None

    def close(self) -> None:
        """Ends the broker for good."""
        self.stop()
        for door in self._doors.values():
            door.listener.close()
        self._doors = {}

    def _open(self, identity: str) -> _Door:
        self._made += 1
        listener = socket.socket(socket.AF_UNIX)
        door = self._doors[identity] = _Door(self._made, self._folder / f"egress-{self._made}.sock", listener)
        sockets.bind(listener, door.path)
        os.chmod(door.path, 0o666)  # only sandboxes that it is bound into reach it
        listener.listen(_WAITING)
        self._tell({"open": door.number}, listener)
        return door

    def _leave(self, identity: str, door: _Door) -> None:
        with self._guard:
            door.users -= 1
            if not door.users and self._doors.get(identity) is door:
                del self._doors[identity]
                door.listener.close()
                door.path.unlink(missing_ok=True)
                self._tell({"close": door.number})

    def _tell(self, order: Mapping[str, int], *listeners: socket.socket) -> None:
        """Gives the broker an order. One that does not take it is ended; the next hears of every socket."""
        if self._link is None or self._broker is None:
            return
        try:
            files = [one.fileno() for one in listeners]
            socket.send_fds(self._link, [json.dumps(order).encode()], files, socket.MSG_DONTWAIT)
        except OSError:
            self._broker.kill()

    def _ensure(self, launcher: Launcher) -> None:
        if self._broker is not None and self._broker.poll() is None:
            return
        self.stop()
        rules = json.dumps({"allow": self._rules.allow, "deny": self._rules.deny})
        script = launcher.seen(egress_broker.__file__, _BROKER_INSIDE)
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = Confinement(
            argv=[launcher.interpreter, "-I", "-S", "-B", script, str(theirs.fileno()), rules],
            binds=[(egress_broker.__file__, _BROKER_INSIDE)],
            files=[theirs.fileno()],
            limits=Limits(memory_bytes=2 << 30, total_bytes=512 << 20, processes=64, open_files=2048),
            service=True,
            network=Network.MACHINE,
        )
        quiet = os.open(os.devnull, os.O_WRONLY)
        try:
            self._broker = launcher.launch(asked, output=quiet)
        finally:
            os.close(quiet)
            theirs.close()
        for door in self._doors.values():
            self._tell({"open": door.number}, door.listener)


def _variables() -> Mapping[str, str]:
    """What libraries read to find a proxy; some read the names in capitals, some the others."""
    found = {"HTTP_PROXY": _PROXY, "HTTPS_PROXY": _PROXY, "ALL_PROXY": _PROXY, "NO_PROXY": _LOCAL}
    return {**found, **{name.lower(): value for name, value in found.items()}}
