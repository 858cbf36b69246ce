"""JSONata in a confined process of its own, which is killed when an expression takes too long.

Expressions are strangers' programs: bounds inside the interpreter do not stop their regular expressions, so only the end of the
process does.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from troth.commands.queued import jsonata_program
from troth.errors import Refused, Unavailable
from troth.sandbox.confined import Confined
from troth.sandbox.launcher import Confinement, Launcher, Limits

_LENGTH = struct.Struct("!I")
_PROGRAM_INSIDE = "/troth/jsonata_program.py"
_LIBRARIES_INSIDE = "/troth/libraries"
_LIMITS = Limits(memory_bytes=1 << 30, total_bytes=512 << 20, processes=8, open_files=64)
_LARGEST = 16 << 20


class Jsonata:
    """Evaluates expressions, one after the other, each within `seconds`."""

    def __init__(self, launcher: Launcher, *, seconds: float) -> None:
        self._launcher = launcher
        self._seconds = seconds
        # the kernel ends a confined process with the thread that started it
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jsonata")
        self._process: Confined | None = None
        self._link: socket.socket | None = None

    async def evaluate(self, expression: str, given: Any) -> Any:
        """The value of an expression. Raises Refused where it fails or takes too long."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._evaluate, expression, given)

    def close(self) -> None:
        """Ends the process. Blocks."""
        self._thread.submit(self._end).result()
        self._thread.shutdown()

    def _evaluate(self, expression: str, given: Any) -> Any:
        question = json.dumps([expression, given]).encode()
        link = self._link or self._start()
        try:
            link.settimeout(self._seconds)
            link.sendall(_LENGTH.pack(len(question)) + question)
            size = _LENGTH.unpack(_exactly(link, _LENGTH.size))[0]
            answer = json.loads(_exactly(link, min(size, _LARGEST)))
        except TimeoutError:
            self._end()
            raise _refused(f"it took more than {self._seconds:g} seconds and was ended") from None
        except (OSError, ValueError, EOFError):
            self._end()
            raise _refused("its process died, as of too much memory or too deep a recursion") from None
        if not isinstance(answer, dict) or "value" not in answer:
            raise _refused(str(answer.get("error", ""))[:500] if isinstance(answer, dict) else "it answered nothing")
        return answer["value"]

    def _start(self) -> socket.socket:
        found = importlib.util.find_spec("jsonata")
        if found is None or found.origin is None:
            raise Unavailable("JSONata is not installed here", repair="install jsonata-python")
        libraries = Path(found.origin).parents[1]
        launcher = self._launcher
        ours, theirs = socket.socketpair()
        program = launcher.seen(jsonata_program.__file__, _PROGRAM_INSIDE)
        inside = launcher.seen(str(libraries), _LIBRARIES_INSIDE)
        confinement = Confinement(
            argv=[launcher.interpreter, "-I", "-S", "-B", program, str(theirs.fileno()), inside],
            binds=[
                (jsonata_program.__file__, _PROGRAM_INSIDE),
                (str(libraries / "jsonata"), f"{_LIBRARIES_INSIDE}/jsonata"),
            ],
            files=[theirs.fileno()],
            limits=_LIMITS,
            service=True,
        )
        quiet = os.open(os.devnull, os.O_WRONLY)
        try:
            self._process = launcher.launch(confinement, output=quiet)
        finally:
            os.close(quiet)
            theirs.close()
        self._link = ours
        return ours

    def _end(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.release()
        self._link = self._process = None


def _refused(why: str) -> Refused:
    return Refused(
        "the JSONata of an up-conversion gave no payload",
        why=why,
        repair="mend the expression; declared operations fail less",
    )


def _exactly(link: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = link.recv(min(size - len(found), 1 << 16))
        if not piece:
            raise EOFError
        found += piece
    return found
