"""What one confined process is given: the values that the launcher takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

_MEBIBYTE = 1 << 20


class Network(StrEnum):
    """What a confined process can reach beyond itself."""

    #: nothing
    NONE = "none"
    #: the server's own API, at `API_SOCKET`, and nothing else
    API = "api"
    #: like API, and other machines by TCP through troth's egress proxy; never this machine or its neighbours
    FULL = "full"
    #: the network of this machine, unguarded; for programs of troth's own choice only
    MACHINE = "machine"


#: where a confined process finds the server's API, if it may
API_SOCKET = "/troth/api.sock"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one confined process may use."""

    #: address space of each process
    memory_bytes: int = 4096 * _MEBIBYTE
    #: processes and threads of the whole sandbox
    processes: int = 256
    open_files: int = 1024
    temporary_bytes: int = 256 * _MEBIBYTE
    #: the largest file that it may write; 0 for no limit
    file_bytes: int = 0
    #: memory of the whole sandbox together, where there are cgroups; 0 for `memory_bytes`
    total_bytes: int = 0
    #: whether to refuse where nothing holds `total_bytes`
    hard_memory: bool = False

    @property
    def together(self) -> int:
        """Bytes that all processes of the sandbox may have together."""
        return self.total_bytes or self.memory_bytes


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one process sees: `binds` are (path here, path inside) and read-only; `argv` speaks of paths inside."""

    argv: Sequence[str]
    binds: Sequence[tuple[str, str]] = ()
    files: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    #: like `binds`, but the process may write there
    writable: Sequence[tuple[str, str]] = ()
    #: a program of troth's own choice that handles what strangers sent (git, uv): it runs as another user than workers
    service: bool = False
    network: Network = Network.NONE
    #: whose code it is, a version's id: where the server is root, processes of different identities are different users
    identity: str = ""
