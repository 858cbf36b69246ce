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


class Egress:
    """The broker of one launcher. It is started with the first sandbox that needs it, and again should it die."""

    def __init__(self, rules: EgressRules, folder: str) -> None:
        self._rules = rules
        self._path = Path(folder, "egress.sock")
        self._listener: socket.socket | None = None
        self._broker: Confined | None = None
        self._guard = threading.Lock()

    def extended(self, launcher: Launcher, confinement: Confinement) -> Confinement:
        """The confinement with the relay before its program, and variables that name it. Starts the broker."""
        with self._guard:
            self._ensure(launcher)
        binds = [
            (egress_entry.__file__, _ENTRY_INSIDE),
            (egress_relay.__file__, _RELAY_INSIDE),
            (str(self._path), _SOCKET_INSIDE),
        ]
        entry = [launcher.interpreter, "-I", "-S", "-B", _ENTRY_INSIDE, str(_PORT), _SOCKET_INSIDE, _RELAY_INSIDE]
        return replace(
            confinement,
            argv=[*entry, *confinement.argv],
            binds=[*confinement.binds, *binds],
            environment={**_variables(), **confinement.environment},
        )

    def stop(self) -> None:
        """Ends the broker, and the connections through it. The next sandbox starts another."""
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait()
            self._broker.release()
            self._broker = None

    def close(self) -> None:
        """Ends the broker for good."""
        self.stop()
        if self._listener is not None:
            self._listener.close()

    def _ensure(self, launcher: Launcher) -> None:
        if self._broker is not None:
            if self._broker.poll() is None:
                return
            self._broker.release()
        if self._listener is None:
            self._listener = socket.socket(socket.AF_UNIX)
            sockets.bind(self._listener, self._path)
            os.chmod(self._path, 0o666)  # only sandboxes that it is bound into reach it
            self._listener.listen(128)
        rules = json.dumps({"allow": self._rules.allow, "deny": self._rules.deny})
        script = launcher.seen(egress_broker.__file__, _BROKER_INSIDE)
        asked = Confinement(
            argv=[launcher.interpreter, "-I", "-S", "-B", script, str(self._listener.fileno()), rules],
            binds=[(egress_broker.__file__, _BROKER_INSIDE)],
            files=[self._listener.fileno()],
            limits=Limits(memory_bytes=2 << 30, total_bytes=512 << 20, processes=64, open_files=2048),
            service=True,
            network=Network.MACHINE,
        )
        quiet = os.open(os.devnull, os.O_WRONLY)
        try:
            self._broker = launcher.launch(asked, output=quiet)
        finally:
            os.close(quiet)


def _variables() -> Mapping[str, str]:
    """What libraries read to find a proxy; some read the names in capitals, some the others."""
    found = {"HTTP_PROXY": _PROXY, "HTTPS_PROXY": _PROXY, "ALL_PROXY": _PROXY, "NO_PROXY": _LOCAL}
    return {**found, **{name.lower(): value for name, value in found.items()}}
