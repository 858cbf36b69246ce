"""Evaluates JSONata expressions; runs confined, and is ended by who started it when one takes too long.

Run as `python -I -S -B jsonata_program.py DESCRIPTOR FOLDER`: a socket, and the folder that the library `jsonata` is in. Both
ways go a length in four bytes and JSON: a list of an expression and its input there, and `{"value": ...}` or `{"error": ...}` back.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from typing import Any

_LENGTH = struct.Struct("!I")
_LARGEST = 8 << 20


def main() -> None:
    """Answers one question after the other until the other end is closed."""
    sys.path.append(sys.argv[2])
    sys.setrecursionlimit(5000)
    link = socket.socket(fileno=int(sys.argv[1]))
    while (question := _received(link)) is not None:
        body = json.dumps(_answer(*json.loads(question))).encode()
        if len(body) > _LARGEST:
            body = b'{"error": "the result is too large"}'
        link.sendall(_LENGTH.pack(len(body)) + body)


def _answer(expression: str, given: Any) -> dict[str, Any]:
    from jsonata import Jsonata  # type: ignore[import-untyped]

    try:
        found = json.loads(json.dumps(Jsonata(expression).evaluate(given), allow_nan=False))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:500]}
    return {"value": found}


def _received(link: socket.socket) -> bytes | None:
    head = _exactly(link, _LENGTH.size)
    return None if head is None else _exactly(link, _LENGTH.unpack(head)[0])


def _exactly(link: socket.socket, size: int) -> bytes | None:
    found = b""
    while len(found) < size:
        piece = link.recv(min(size - len(found), 1 << 16))
        if not piece:
            return None
        found += piece
    return found


if __name__ == "__main__":
    main()
