"""What a launcher refuses, because this machine cannot honour it. Nothing is ever run with less than it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.errors import IsolationUnavailable
from troth.sandbox.confinement import Confinement, Network
from troth.sandbox.plan import Method

if TYPE_CHECKING:
    from troth.sandbox.launcher import Launcher

_BUBBLEWRAP = "install bubblewrap (make setup, or your system's package) where users may make user name spaces"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that cannot be honoured: when, and what is said then."""

    applies: Callable[[Launcher, Confinement], bool]
    what: str
    why: str
    repair: str


def _connected(confinement: Confinement) -> bool:
    return confinement.network in (Network.API, Network.FULL)


REFUSALS = (
    Refusal(
        lambda launcher, asked: asked.service and launcher.root and launcher.method is not Method.BUBBLEWRAP,
        "git and builds of environments need bubblewrap where the server is root",
        "what strangers send is never handled with root's power",
        "install bubblewrap (make setup, or your system's package), or start the server as another user",
    ),
    Refusal(
        lambda launcher, asked: asked.network is Network.MACHINE and not asked.service,
        "the network of this machine is not given to algorithms",
        "it reaches this machine's own services and its neighbours",
        "ask for network_access full, which goes through troth's egress proxy",
    ),
    Refusal(
        lambda launcher, asked: _connected(asked) and launcher.method is not Method.BUBBLEWRAP,
        "no worker can be connected to anything here",
        "without a network name space every socket is refused, so that none reaches this machine",
        _BUBBLEWRAP,
    ),
    Refusal(
        lambda launcher, asked: asked.network is Network.FULL and not launcher.filters_calls,
        "network_access full needs a system call filter, and there is none for this machine",
        "without it a worker could make sockets that the egress proxy does not carry",
        "run troth on x86-64 or arm64",
    ),
    Refusal(
        lambda launcher, asked: asked.network is Network.FULL and launcher.egress is None,
        "network_access full is turned off on this server",
        "its operator gives no algorithm a network",
        "publish with network_access isolated, or ask the operator",
    ),
    Refusal(
        lambda launcher, asked: asked.network is Network.API and launcher.api_socket is None,
        "this server has no socket for its workers to reach it by",
        "the server was started without one",
        "publish with network access none, or start the server with a socket for workers",
    ),
    Refusal(
        lambda launcher, asked: asked.limits.hard_memory and "memory" not in launcher.groups.abilities,
        "a hard limit of memory cannot be held here",
        "no memory cgroup may be made by the server, and a limit of each process's address space is no limit of them all",
        "start the server as root, or by systemd with Delegate=yes (cgroup version 2), or publish without the hard limit",
    ),
)


def check(launcher: Launcher, confinement: Confinement) -> None:
    """Raises IsolationUnavailable for the first thing that cannot be honoured."""
    for refusal in REFUSALS:
        if refusal.applies(launcher, confinement):
            raise IsolationUnavailable(refusal.what, why=refusal.why, repair=refusal.repair)
