"""Runs a client in sandboxes of each network, on a machine with neighbours, and prints what it reached.

Run as `python -m tests.sandbox.network_scene HOSTS BUBBLEWRAP WORKER_UID` in network and mount name spaces of its own, with
the power to configure them; `HOSTS` is the content of a hosts file. The other machine is a second network name space. It
answers at a public address (of those kept for documentation), at a private one, and where clouds have their metadata.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.sandbox import neighbour, network_client
from troth.errors import TrothError
from troth.sandbox.confinement import API_SOCKET
from troth.sandbox.egress import EgressRules
from troth.sandbox.launcher import Confinement, Launcher, Network

PORT = 8080
OURS = ("203.0.113.1/24", "10.77.0.1/24", "10.78.0.1/24", "2001:db8::1/64")
THEIRS = ("203.0.113.2/24", "10.77.0.2/24", "10.78.0.2/24", "169.254.169.254/32", "2001:db8::2/64")


def _do(line: str) -> None:
    subprocess.run(line.split(), check=True)


def meet_neighbour(opened: ExitStack) -> None:
    """Makes the other machine."""
    _do("ip link set lo up")
    _do("ip link add troth0 type veth peer name troth1")
    address = "ip address add {} dev {} {}"
    lines = [address.format(one, "troth1", "nodad" if ":" in one else "") for one in THEIRS]
    lines = ["ip link set lo up", "ip link set troth1 up", *lines, "ip route add 10.77.0.0/16 dev troth1"]
    command = ["unshare", "--net", sys.executable, "-I", "-S", neighbour.__file__, str(PORT), *lines]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    opened.callback(other.wait)
    opened.callback(other.kill)
    while os.readlink(f"/proc/{other.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        pass
    _do(f"ip link set troth1 netns {other.pid}")
    _do("ip link set troth0 up")
    for one in OURS:
        _do(address.format(one, "troth0", "nodad" if ":" in one else ""))
    _do("ip route add 169.254.169.254/32 dev troth0")
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "ready\n"


def _give_up_power() -> None:
    """Keeps the power that made the neighbour from what is started now, where this is an ordinary user."""
    if os.geteuid() != 0:
        clear_ambient = (47, 4, 0, 0, 0)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL
        assert ctypes.CDLL(None).prctl(*clear_ambient) == 0


def api(opened: ExitStack, folder: str) -> Path:
    """A server's socket for its workers; it says hello."""
    path = Path(folder, "api.sock")
    listener = opened.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(str(path))
    listener.listen()
    os.chmod(path, 0o666)

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            with taken:
                taken.sendall(b"hello from the server")

    threading.Thread(target=serve, daemon=True).start()
    return path


def run(launcher: Launcher, network: Network, targets: dict[str, Any]) -> dict[str, Any]:
    """What the client reached from a sandbox of this network."""
    output = os.memfd_create("said")
    script = launcher.seen(network_client.__file__, "/troth/network_client.py")
    confinement = Confinement(
        argv=[launcher.interpreter, "-I", "-S", "-B", script, json.dumps(targets)],
        binds=[(network_client.__file__, "/troth/network_client.py")],
        network=network,
        identity=f"network-{network}",
    )
    try:
        process = launcher.launch(confinement, output=output)
        status = process.wait(60)
        process.release()
    except TrothError as error:
        return {"refused": str(error), "repair": error.repair}
    said = os.pread(output, 1 << 20, 0).decode()
    os.close(output)
    assert status == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def crowd(launcher: Launcher) -> dict[str, int]:
    """How many of its connections one version got of 66 that it wants, what another got meanwhile, and what the first got when it
    ended one."""
    assert launcher.egress is not None
    with ExitStack() as opened:
        first, second = (launcher.egress.path(launcher, name, opened) for name in ("first", "second"))
        wanted = {_asking(opened, first) for _ in range(66)}
        got: set[socket.socket] = set()
        while len(got) < 64:
            got |= _granted(wanted - got)
        other = _granted({_asking(opened, second)})
        early = select.select(list(wanted - got), [], [], 0)[0]
        got.pop().close()
        later = _granted(wanted - got - {one for one in wanted if one.fileno() < 0})
        return {"got": 64 + len(early), "other": len(other), "later": len(later)}


def _asking(opened: ExitStack, path: Path) -> socket.socket:
    """A client of the broker who has said where to."""
    found = opened.enter_context(socket.socket(socket.AF_UNIX))
    found.connect(str(path))
    found.sendall(json.dumps({"host": "203.0.113.2", "port": PORT}).encode() + b"\n")
    return found


def _granted(waiting: set[socket.socket]) -> set[socket.socket]:
    """Those of them that are connected, once there is one."""
    ready = select.select(list(waiting), [], [], 60)[0]
    assert ready, "waited in vain for the broker"
    assert all(one.recv(1024) == b'{"error": ""}\n' for one in ready)
    return set(ready)


def listens() -> dict[str, Any]:
    """Servers of this machine, which must not be reached; their port."""
    server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    threading.Thread(target=_accept, args=(server,), daemon=True).start()
    return {"own_port": server.getsockname()[1]}


def _accept(server: socket.socket) -> None:
    while True:
        taken, _ = server.accept()
        taken.close()


def main() -> None:
    hosts, bubblewrap, worker_uid = sys.argv[1:]
    with ExitStack() as opened:
        meet_neighbour(opened)
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        Path(folder, "hosts").write_text(hosts)
        _do(f"mount --bind {folder}/hosts /etc/hosts")
        targets = {**listens(), "port": PORT, "api": API_SOCKET}
        with (
            socket.create_connection(("169.254.169.254", PORT), timeout=5),
            socket.create_connection(("10.78.0.2", PORT)),
        ):
            pass  # they are there
        _give_up_power()
        rules = EgressRules(allow=("10.78.0.0/16",), deny=("203.0.113.200/32",))
        launcher = Launcher(worker_uid=int(worker_uid), worker_uids=20, bubblewrap=bubblewrap, egress=rules)
        opened.callback(launcher.close)
        launcher.api_socket = api(opened, folder)
        found = {str(network): run(launcher, network, targets) for network in (Network.NONE, Network.API, Network.FULL)}
        assert launcher.egress is not None
        found["crowd"] = crowd(launcher)
        launcher.egress.stop()
        found["again"] = run(launcher, Network.FULL, targets)
        without = Launcher(worker_uid=int(worker_uid), worker_uids=20, bubblewrap=None)
        opened.callback(without.close)
        found["without bubblewrap"] = run(without, Network.FULL, targets)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
