"""Landlock: files, TCP and signals denied to a process by itself, without privileges. Standard library only.

Used where there are no name spaces. The rules are opened before a process gives its power up, and enforced after.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_ASK_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_TCP_BIND_AND_CONNECT = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """The kernel's version of Landlock (its ABI), 0 where there is none. Signals are held from 6 on, TCP from 4 on."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)))


def prepare(readable: Sequence[str], writable: Sequence[str]) -> int | None:
    """A descriptor of rules that allow these paths only, those of them that exist; None where there is no Landlock."""
    known = version()
    if not known:
        return None
    files = (1 << 13) - 1
    for since, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEVICE)):
        files |= right if known >= since else 0
    network = _TCP_BIND_AND_CONNECT if known >= 4 else 0
    scope = _ABSTRACT_SOCKETS_AND_SIGNALS if known >= 6 else 0
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    rules = _checked(
        _libc.syscall(_CREATE_RULESET, struct.pack("QQQ", files, network, scope), ctypes.c_size_t(size), 0)
    )
    for paths, rights in ((readable, _READ & files), (writable, files)):
        for path in paths:
            _allow(rules, path, rights)
    return rules


def restrict(rules: int) -> None:
    """Puts the rules on this process, for good. It must have no_new_privs."""
    _checked(_libc.syscall(_RESTRICT_SELF, rules, 0))
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what cannot be opened cannot be allowed
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _OF_FILES
        _checked(_libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, handle), 0))
    finally:
        os.close(handle)


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "landlock")
    return result
