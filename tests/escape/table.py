"""What must hold against each attempt, as rows. The ways are those in which a launcher can confine."""

from __future__ import annotations

from dataclasses import dataclass

#: every way, by who starts it and with what
ROOT_STRONG, ROOT_CONTAINED, ROOT_PARTIAL = "root bubblewrap+groups", "root bubblewrap", "root landlock"
USER_CONTAINED, USER_NONE = "user bubblewrap", "user landlock"
WAYS = (ROOT_STRONG, ROOT_CONTAINED, ROOT_PARTIAL, USER_CONTAINED, USER_NONE)
LEVELS = {
    ROOT_STRONG: "strong", ROOT_CONTAINED: "contained", ROOT_PARTIAL: "partial",
    USER_CONTAINED: "contained", USER_NONE: "none",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One attempt: what it would give, by what it is denied, and the ways in which it is not."""

    attempt: str
    gives: str
    denied_by: str
    open_at: frozenset[str] = frozenset()


_OUTSIDE = "mount name space, or Landlock"
_CALLS = "system call filter"
_SOCKETS = "system call filter, and the network name space"
_PROCESSES = "process name space, or user and Landlock"
_HERE, _SAME_USER = frozenset({ROOT_PARTIAL, USER_NONE}), frozenset({USER_NONE})

ROWS = (
    Row("reads_other_version", "source of another version that everybody may read", _OUTSIDE),
    Row("reads_registry", "the registry", _OUTSIDE),
    Row("reads_owner_key", "the owner's key", _OUTSIDE),
    Row("reads_shadow", "passwords of the machine", _OUTSIDE),
    Row("lists_home", "names of what the server has", _OUTSIDE),
    Row("sees_size_of_key", "sizes and times of files", "mount name space", frozenset({ROOT_PARTIAL, USER_NONE})),
    Row("writes_registry", "a registry of its own making", _OUTSIDE),
    Row("changes_mode_of_key", "a key that everybody may read", "mount name space, or its own user", _SAME_USER),
    Row("writes_own_code", "other code under the same number (ALG-04)", "read-only binds, or Landlock"),
    Row("writes_to_usr", "programs of the machine", _OUTSIDE),
    Row("writes_shared_tmp", "temporary files of others", _OUTSIDE),
    Row("writes_kernel_settings", "a program that the kernel runs as root", "no privileges, read-only /proc/sys"),
    Row("writes_own_maps", "other users in its own name space", "no privileges"),
    Row("leaves_group", "no limit of memory and processes", "no path to cgroups, no privileges"),
    Row("reads_environments", "environments of other processes", _PROCESSES),
    Row("reads_arguments", "arguments of other processes", _PROCESSES),
    Row("reads_own_environment", "the environment of the server", "a new environment"),
    Row("reads_leaked_descriptor", "files that the server has open", "exact descriptors"),
    Row("connects_tcp", "services of this machine", _SOCKETS),
    Row("connects_tcp6", "services of this machine, by IPv6", _SOCKETS),
    Row("sends_udp", "datagrams to this machine", _SOCKETS),
    Row("connects_path", "Unix sockets that everybody may use", "mount name space, or no sockets at all"),
    Row("connects_abstract", "Unix sockets without a path", "network name space, or no sockets at all"),
    Row("sends_to_path", "Unix datagrams", "mount name space, or no sockets at all"),
    Row("sends_to_path_from_pair", "Unix datagrams, from a pair", "mount name space, or pairs of streams only"),
    Row("sends_to_path_from_raw_pair", "the same by another name", "mount name space, or pairs of streams only"),
    Row("makes_raw_socket", "packets of its own making", _SOCKETS),
    Row("makes_netlink_socket", "the kernel's configuration of the network", _SOCKETS),
    Row("traces_other", "control of another process", _CALLS),
    Row("traces_child", "the kernel's code for tracing", _CALLS),
    Row("reads_memory_of_other", "memory of another process", _CALLS),
    Row("signals_other", "ending another process", _PROCESSES),
    Row("signals_server", "ending the server", _PROCESSES),
    Row("opens_pidfd_of_other", "knowing whether a process lives", "process name space", _HERE),
    Row("sets_processors_of_other", "slowing another process down", "process name space, or its own user", _SAME_USER),
    Row("sets_limits_of_other", "starving another process", "process name space, or its own user", _SAME_USER),
    Row("unshares_user", "the kernel's code for name spaces", _CALLS),
    Row("unshares_mount", "the kernel's code for name spaces", _CALLS),
    Row("unshares_network", "the kernel's code for name spaces", _CALLS),
    Row("clones_user", "the same by clone", _CALLS),
    Row("clones3_user", "the same by clone3, whose flags no filter can read", _CALLS),
    Row("joins_network_of_other", "the network of the machine", _CALLS),
    Row("sets_up_io_uring", "system calls that no filter sees", _CALLS),
    Row("loads_bpf", "programs in the kernel", _CALLS),
    Row("opens_perf_event", "measuring other processes", _CALLS),
    Row("handles_page_faults", "stopping the kernel in the middle", _CALLS),
    Row("adds_key", "the kernel's keys", _CALLS),
    Row("joins_keyring", "keys of the server's session", _CALLS),
    Row("mounts", "other files at known paths", _CALLS),
    Row("opens_file_system", "the same by newer calls", _CALLS),
    Row("pivots_root", "another root", _CALLS),
    Row("changes_root", "another root", _CALLS),
    Row("opens_by_handle", "files by number, past every path", _CALLS),
    Row("makes_device", "the disk itself", "no privileges"),
    Row("sets_clock", "another time for the machine", _CALLS),
    Row("adjusts_clock", "a clock that runs wrong", _CALLS),
    Row("sets_host_name", "another name for the machine", _CALLS),
    Row("loads_module", "code in the kernel", _CALLS),
    Row("reads_kernel_log", "addresses in the kernel", _CALLS),
    Row("types_into_terminal", "commands typed for the operator", _CALLS),
    Row("types_by_long_number", "the same by a number whose upper half is dropped", _CALLS),
    Row("pastes_into_terminal", "the same by the console's clipboard", _CALLS),
    Row("calls_by_other_numbers", "calls that the filter knows by other numbers", _CALLS),
    Row("calls_as_other_architecture", "calls of the 32-bit kind", _CALLS),
    Row("attaches_shared_memory", "memory shared by key", "IPC name space, or system call filter"),
    Row("dumps_core", "a copy of its memory on the machine's disk", "limit of 1 byte"),
    Row("raises_limits", "more than its limits", "hard limits, no privileges"),
    Row("becomes_root", "root", "no privileges"),
    Row("gains_by_program", "root, by a program with the set-user bit", "no_new_privs"),
)  # fmt: skip

#: attempts that may be made without a sandbox, to see that they would succeed
HARMLESS = [
    "reads_other_version", "reads_registry", "reads_owner_key", "lists_home", "sees_size_of_key", "writes_registry",
    "writes_shared_tmp", "reads_environments", "reads_arguments", "connects_tcp", "connects_tcp6", "sends_udp",
    "connects_path", "connects_abstract", "sends_to_path", "sends_to_path_from_pair", "sends_to_path_from_raw_pair",
    "makes_netlink_socket", "traces_child", "signals_other", "signals_server", "opens_pidfd_of_other",
    "sets_processors_of_other", "sets_limits_of_other", "attaches_shared_memory",
]  # fmt: skip
