"""An interpreter of classic BPF as the kernel runs it on system calls (seccomp(2)), to try filters of other machines."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06


def verdict(program: bytes, architecture: int, number: int, arguments: Sequence[int] = ()) -> int:
    """What a filter returns for one call. Raises AssertionError for a program that the kernel would not take."""
    filled = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(one & (2**64 - 1) for one in filled))
    lines = list(struct.iter_unpack("<HBBI", program))
    assert 0 < len(lines) <= 4096
    place, held = 0, 0
    while place < len(lines):
        code, if_true, if_false, value = lines[place]
        place += 1
        if code == _LOAD:
            assert value % 4 == 0
            assert value < len(data)
            (held,) = struct.unpack_from("<I", data, value)
        elif code == _AND:
            held &= value
        elif code == _RETURN:
            return int(value)
        else:
            holds = {_EQUAL: held == value, _AT_LEAST: held >= value, _ANY_BIT: bool(held & value)}[code]
            place += if_true if holds else if_false
    raise AssertionError("it ends without a verdict")
