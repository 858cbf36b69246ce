"""`troth service`: a unit file with which systemd runs the server."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from troth.doors.cli.output import Common, say, show_json
from troth.errors import MalformedSetting
from troth.settings import load

PLACE = Path("/etc/systemd/system/troth.service")
#: Seconds that the server has for calls under way and for its last writes, before what is left is killed.
STOP_SECONDS = 90
#: folders that ProtectHome= hides
_HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))

# What is not here is left out on purpose, because it would take away what the workers' isolation is made of: name spaces
# (RestrictNamespaces), a fresh /proc (ProtectKernelTunables, ProtectKernelLogs, ProtectProc and ProcSubset mount over parts
# of it, and the kernel then refuses another one), mounts (most of SystemCallFilter), and code that libraries make as they
# run (MemoryDenyWriteExecute).
_UNIT = """\
[Unit]
Description=troth, a server of algorithms
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart={command}
EnvironmentFile=-/etc/troth/environment
{account}{folders}
# Only the server is told to stop; it ends its workers itself. What is left after the time is killed.
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec={stop}
Restart=on-failure
RestartSec=2
# A worker that is out of memory is the worker's end, not the server's.
OOMPolicy=continue
# The server limits each worker's memory and processes in groups below its own.
Delegate=memory pids
TasksMax=infinity
LimitNOFILE=65536
LimitCORE=0
UMask=0077

NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelModules=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
{capabilities}
[Install]
WantedBy=multi-user.target
"""


def service(
    *,
    home: Annotated[Path, Parameter(help="Folder of the server.")] = Path("/var/lib/troth"),
    host: Annotated[str | None, Parameter(help="Address to listen on (TROTH_HOST).")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on (TROTH_PORT).")] = None,
    user: Annotated[
        str, Parameter(help="System user that the server runs as; root gives each version a user.")
    ] = "troth",
    common: Common = Common(),
) -> int:
    """Prints a unit file for systemd. Save it as /etc/systemd/system/troth.service; docs/operations.md says how to go on."""
    settings = load({"host": host, "port": port})
    text = unit(_executable(), home.absolute(), settings.host, settings.port, user)
    if common.json:
        show_json({"path": str(PLACE), "unit": text})
        return 0
    print(text, end="")
    if user != "root" and _hidden(_executable()):
        say(f"[yellow]warning:[/] the user {user} cannot run what lies in a home folder; install troth below /opt")
    return 0


def unit(executable: Path, home: Path, host: str, port: int, user: str) -> str:
    """The unit file. Raises MalformedSetting where something cannot be written in one."""
    words = [str(executable), "up", "--home", str(home), "--host", host, "--port", str(port)]
    if not user or set(user) - _LEGAL:
        raise MalformedSetting(f"the user cannot be {user!r}", why="it is the name of a system user", repair="name one")
    usual = home == Path("/var/lib/troth")
    folders = "StateDirectory=troth\nStateDirectoryMode=0700" if usual else f"ReadWritePaths={_quoted(str(home))}"
    return _UNIT.format(
        command=" ".join(_quoted(word).replace("$", "$$") for word in words),
        account="" if user == "root" else f"User={user}\n",
        folders=folders,
        stop=STOP_SECONDS,
        protect_home="read-only" if _hidden(executable) or _hidden(home) else "yes",
        # a user name space of its own gives an ordinary user's server all that its workers' isolation takes
        capabilities="" if user == "root" else "CapabilityBoundingSet=\n",
    )


_LEGAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


_PLAIN = _LEGAL | set("/:=@+")


def _executable() -> Path:
    """This very troth, so that the service runs what its owner tried."""
    beside = Path(sys.executable).with_name("troth")
    return beside if beside.exists() else Path(shutil.which("troth") or sys.argv[0]).absolute()


def _hidden(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _HIDDEN)


def _quoted(word: str) -> str:
    """A word of a unit file as systemd.syntax(7) writes it, without specifiers; in commands, `$` is doubled as well."""
    if not word or min(word) < " " or "\x7f" in word:
        raise MalformedSetting(
            f"{word!r} cannot be written in a unit file", repair="use a name without control characters"
        )
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if set(word) <= _PLAIN else f'"{escaped}"'
