"""One run of `git http-backend` in a sandbox: bytes of a request in, bytes of a response out, both as they come."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.streams import FlowControlMixin
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from troth.errors import Failed
from troth.runtime.pipes import PipeEnd
from troth.sandbox.confined import Confined
from troth.sandbox.launcher import Confinement, Launcher, Limits

log = structlog.get_logger()

_REPOSITORY = "/repository"
_CHUNK = 256 * 1024
_LARGEST_HEAD = 16 * 1024
_MEMORY = 1536 << 20


@dataclass(frozen=True, slots=True)
class Response:
    """Status and headers of the backend's answer, and what of its body came with them."""

    status: int
    headers: list[tuple[bytes, bytes]]
    begun: bytes


class Backend:
    """A running backend. Close it, whatever happened."""

    def __init__(
        self, launcher: Launcher, repository: Path, surroundings: Mapping[str, str], *, largest: int, deadline: float
    ) -> None:
        self._launcher = launcher
        self._repository = str(repository)
        self._surroundings = surroundings
        self._largest = largest
        self._deadline = deadline
        self._reading: asyncio.ReadTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._errors = os.memfd_create("git-errors")
        self._process: Confined | None = None

    async def start(self) -> None:
        """Launches it. Must run on the loop's own thread, which outlives the process."""
        self._output, written = os.pipe()
        given, self._input = os.pipe()
        git = os.path.realpath(shutil.which("git") or "/usr/bin/git")
        inside = self._launcher.seen(self._repository, _REPOSITORY)
        confinement = Confinement(
            argv=[git, "http-backend"],
            environment={**self._surroundings, "GIT_PROJECT_ROOT": inside},
            limits=Limits(memory_bytes=_MEMORY, temporary_bytes=64 << 20, file_bytes=self._largest),
            writable=[(self._repository, _REPOSITORY)],
            service=True,
        )
        try:
            self._process = self._launcher.launch(confinement, output=written, errors=self._errors, given=given)
        except BaseException:
            os.close(self._input)
            os.close(self._output)
            raise
        finally:
            os.close(given)
            os.close(written)
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_CHUNK)
        protocol = asyncio.StreamReaderProtocol(self._reader)
        self._reading, _ = await loop.connect_read_pipe(lambda: protocol, PipeEnd(self._output))
        writing, flow = await loop.connect_write_pipe(FlowControlMixin, PipeEnd(self._input))
        self._writer = asyncio.StreamWriter(writing, flow, None, loop)

    async def feed(self, chunks: AsyncIterator[bytes]) -> None:
        """Hands it the body of the request. It may have ended before it read everything. Raises TimeoutError.

        Its answer waits meanwhile: while it reads, git says little.
        """
        assert self._writer is not None
        try:
            async with asyncio.timeout_at(self._deadline):
                async for chunk in chunks:
                    self._writer.write(chunk)
                    await self._writer.drain()
            self._writer.close()
        except (BrokenPipeError, ConnectionResetError):
            pass

    async def respond(self) -> Response:
        """The head of its answer. Raises Failed where it gave none."""
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = await self.chunk()
            head += chunk
            if not chunk or len(head) > _LARGEST_HEAD:
                raise Failed("git did not answer", why=self.said()[-500:], repair="look into the server's log")
        head, begun = head.split(b"\r\n\r\n", 1)
        status, headers = 200, []
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"status":
                status = int(value.split()[0])
            else:
                headers.append((name.lower(), value.strip()))
        return Response(status, headers, begun)

    async def chunk(self) -> bytes:
        """The next bytes of its answer, none at the end. Raises TimeoutError when its time is over."""
        async with asyncio.timeout_at(self._deadline):
            return await self._reader.read(_CHUNK)

    def said(self) -> str:
        """What it wrote to standard error, the end of it."""
        size = os.fstat(self._errors).st_size
        return os.pread(self._errors, 4000, max(0, size - 4000)).decode(errors="replace")

    async def close(self) -> None:
        """Ends it and everything it started."""
        if self._process is not None:
            if self._process.poll() is None:
                try:
                    patience = 0.2 if self._writer is not None and self._reader.at_eof() else 0
                    await asyncio.wait_for(asyncio.to_thread(self._process.wait), patience)
                except TimeoutError:
                    self._process.kill()
            status = await asyncio.to_thread(self._process.wait)
            self._process.release()
            if self._writer is not None:
                self._writer.transport.abort()
            if self._reading is not None:
                self._reading.close()
            if status:
                log.info("git failed", status=status, said=self.said().strip()[-2000:])
        os.close(self._errors)
