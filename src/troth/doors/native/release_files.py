"""Files of releases in and out: streamed, a few pieces in memory at a time whatever their size."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from troth.artifacts.blobs import Blob, BlobStore, Upload
from troth.commands.release_room import ReleaseRoom
from troth.errors import Malformed, NotFound, TooLarge

LARGEST_FILE = 16 << 30
_BATCH = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ReleaseFiles:
    """The store of such files, over threads that write and read."""

    def __init__(self, blobs: BlobStore, threads: ThreadPoolExecutor, room: ReleaseRoom) -> None:
        self._blobs = blobs
        self._threads = threads
        self._room = room

    async def receive(self, request: Request, digest: str, account_id: str) -> Blob:
        """The file of a request's body, which has this digest. Nothing is kept of one that comes to no end, or has another.

        Raises QuotaReached as soon as it has more bytes than the account has left.
        """
        if not _DIGEST.fullmatch(digest):
            raise Malformed(
                f"{digest[:80]!r} is not a digest",
                why="a file is named by the SHA-256 of its content, in 64 hexadecimal digits",
                repair="upload it with the troth command, which computes it",
            )
        left = await self._run(self._room.left, account_id, digest)
        announced = request.headers.get("content-length", "")
        if left is not None and announced.isdigit() and int(announced) > left:
            raise self._room.allowed(left)
        upload = await self._run(self._blobs.begin)
        try:
            await self._written(request, upload, left)
            if upload.digest != digest:
                raise Malformed(
                    "what came is not what was named",
                    why=f"its SHA-256 is {upload.digest[:16]}..., and {digest[:16]}... was announced",
                    repair="send it again; it may have changed meanwhile",
                    asked=digest,
                    found=upload.digest,
                )
            blob: Blob = await self._run(self._blobs.keep, upload)
            await self._run(self._room.noted, account_id, blob)
            return blob
        finally:
            await self._run(self._blobs.settle, upload)

    async def response(self, digest: str, name: str) -> Response:
        """The file as an answer. Raises NotFound."""
        try:
            descriptor: int = await self._run(self._blobs.open, digest)
        except FileNotFoundError:
            raise NotFound(
                "this file is not there any more",
                why="the release is",
                repair="restore the folder releases from a backup",
            ) from None
        headers = {
            "content-length": str(os.fstat(descriptor).st_size),
            "content-disposition": f'attachment; filename="{name}"',
            "etag": f'"{digest}"',
            # it is somebody's file, and no page of ours
            "x-content-type-options": "nosniff",
            "content-security-policy": "sandbox",
        }
        return StreamingResponse(self._pieces(descriptor), 200, headers, "application/octet-stream")

    async def _written(self, request: Request, upload: Upload, left: int | None) -> None:
        pieces: list[bytes] = []
        gathered = 0
        try:
            async for piece in request.stream():
                pieces.append(piece)
                gathered += len(piece)
                if left is not None and upload.size + gathered > left:
                    raise self._room.allowed(left)
                if upload.size + gathered > LARGEST_FILE:
                    raise TooLarge(
                        "the file is too large",
                        why=f"it has at most {LARGEST_FILE >> 30} GiB",
                        repair="release less in it",
                    )
                if gathered >= _BATCH:
                    await self._run(upload.write, pieces)
                    pieces, gathered = [], 0
        except ClientDisconnect:
            raise Malformed("the upload was cut off", repair="send it again") from None
        if pieces:
            await self._run(upload.write, pieces)

    async def _pieces(self, descriptor: int) -> AsyncIterator[bytes]:
        try:
            while piece := await self._run(os.read, descriptor, _BATCH):
                yield piece
        finally:
            os.close(descriptor)

    async def _run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
