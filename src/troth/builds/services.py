"""One confined run of a program that troth chose, from its start to its end: input given, output bounded, time limited."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from troth.sandbox.confined import Confined
from troth.sandbox.launcher import Confinement, Launcher

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. What was printed beyond the bound is left out."""

    status: int
    output: bytes
    errors: bytes
    #: whether it was killed because its time was over
    late: bool = False

    @property
    def succeeded(self) -> bool:
        return self.status == 0 and not self.late


@contextmanager
def handed(content: bytes) -> Iterator[int]:
    """A descriptor that gives `content` to who reads it. It is memory, so that nothing of it reaches a disk."""
    descriptor = os.memfd_create("handed")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def run(launcher: Launcher, confinement: Confinement, *, given: bytes, seconds: float, most_output: int) -> Ended:
    """Runs to the end, in the calling thread, and so never outlives it. Raises IsolationUnavailable."""
    output, errors = os.pipe(), os.pipe()
    try:
        with handed(given) as source:
            process = launcher.launch(confinement, output=output[1], errors=errors[1], given=source)
    except BaseException:
        os.close(output[0])
        os.close(errors[0])
        raise
    finally:
        os.close(output[1])
        os.close(errors[1])
    deadline = time.monotonic() + seconds
    try:
        printed, complained, late = _read(output[0], errors[0], deadline, most_output)
        if not late:
            late = _outlasts(process, deadline)
    finally:
        process.kill()
        status = process.wait()
        process.release()
    return Ended(status, printed, complained, late)


def _read(output: int, errors: int, deadline: float, most: int) -> tuple[bytes, bytes, bool]:
    """Everything that both give until they end, and whether the time was over first. Closes them."""
    found = {output: bytearray(), errors: bytearray()}
    try:
        with selectors.DefaultSelector() as ready:
            for descriptor in found:
                ready.register(descriptor, selectors.EVENT_READ)
            while ready.get_map():
                events = ready.select(max(0.0, deadline - time.monotonic()))
                if not events:
                    return bytes(found[output]), bytes(found[errors]), True
                for key, _ in events:
                    chunk = os.read(key.fd, _CHUNK)
                    found[key.fd] += chunk[: most - len(found[key.fd])]
                    if not chunk:
                        ready.unregister(key.fd)
    finally:
        os.close(output)
        os.close(errors)
    return bytes(found[output]), bytes(found[errors]), False


def _outlasts(process: Confined, deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return True
    return False
