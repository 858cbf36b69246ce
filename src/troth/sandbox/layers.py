"""What is in force for one process, by the layer's name: the vector of its receipt.

It says what the launcher put around this process. That such layers hold on this machine is what `isolation` measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.sandbox.confinement import Confinement, Network
from troth.sandbox.plan import Method

if TYPE_CHECKING:
    from troth.sandbox.cgroups import Group
    from troth.sandbox.launcher import Launcher

_FILES = {
    Method.BUBBLEWRAP: "mount name space",
    Method.STAGED: "Landlock and a private /tmp",
    Method.BARE: "Landlock",
}
_NETWORKS = {
    Network.NONE: "none",
    Network.API: "this server only",
    Network.FULL: "TCP through the egress proxy, and this server",
    Network.MACHINE: "this machine's",
}


def layers_of(launcher: Launcher, confinement: Confinement, uid: int | None, group: Group | None) -> dict[str, str]:
    """The layers of one process."""
    bubblewrap = launcher.method is Method.BUBBLEWRAP
    held = group.folders if group else {}
    limits = confinement.limits
    return {
        "user": "the server's" if uid is None else f"{uid}, {'of its own' if confinement.identity else 'shared'}",
        "filesystem": _FILES[launcher.method],
        "network": _NETWORKS[confinement.network],
        "processes": ("process name space" if bubblewrap else "none")
        + (f", at most {limits.processes} by cgroup" if "pids" in held else ""),
        "system_calls": "seccomp" if launcher.filters_calls else "none",
        "memory": f"cgroup, {limits.together} bytes"
        if "memory" in held
        else f"rlimit, {limits.memory_bytes} bytes each",
        "kill": "cgroup" if held else "process name space" if bubblewrap else "process group",
    }
