"""A file of a site as an answer over HTTP: conditions, ranges, packed forms (RFC 9110). Its functions block."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from troth.sites.banner import HEAD, place
from troth.sites.making import FILES, PACKED, Made
from troth.sites.media_types import is_text, media_type

PIECE: Final = 256 << 10
Headers = list[tuple[bytes, bytes]]
_RANGE: Final = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(slots=True)
class Reply:
    """An answer: its head, the first bytes of its body, and the rest of it, `left` bytes of a file."""

    status: int
    headers: Headers
    body: bytes = b""
    descriptor: int = -1
    left: int = field(default=0)

    def close(self) -> None:
        """Nothing more is read."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def piece(self) -> bytes:
        """The next bytes of the file."""
        found = os.read(self.descriptor, min(PIECE, self.left))
        self.left -= len(found)
        return found


@dataclass(frozen=True, slots=True)
class File:
    """A file of a site that somebody asks for."""

    site: Path
    digest: str
    path: str
    made: Made


def kind_of(site: Path, path: str) -> str:
    """What lies at a path of a site: `file`, `folder` with a first page, or nothing."""
    place = f"{site}/{FILES}/{path}"  # a path that ends in a slash names no file
    try:
        mode = os.stat(place).st_mode
        if stat.S_ISREG(mode):
            return "file"
        return "folder" if stat.S_ISREG(os.stat(f"{place}/index.html").st_mode) else ""
    except (OSError, ValueError):
        return ""


def reply_with(file: File, method: str, asked: Mapping[bytes, bytes], headers: Headers) -> Reply:
    """The file byte for byte, the part of it that is asked for, or its packed form. Raises FileNotFoundError."""
    packed = b"range" not in asked and _takes_gzip(asked.get(b"accept-encoding", b""))
    descriptor, packed = _opened(file, packed)
    size = os.fstat(descriptor).st_size
    etag = f'"{file.digest}{"-gzip" if packed else ""}"'.encode()
    headers = [*headers, (b"content-type", content_type(file)), (b"etag", etag), (b"accept-ranges", b"bytes")]
    if packed:
        headers.append((b"content-encoding", b"gzip"))
    if _known(asked, etag):
        os.close(descriptor)
        return Reply(304, headers)
    try:
        part = _part(asked, etag, size)
    except _NotThere:
        os.close(descriptor)
        return Reply(416, [*headers, (b"content-range", b"bytes */%d" % size), (b"content-length", b"0")])
    start, end = part or (0, size)
    headers.append((b"content-length", b"%d" % (end - start)))
    if part:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, size)))
    return _reply(descriptor, 206 if part else 200, headers, start, end - start, method)


def reply_with_banner(
    file: File, method: str, asked: Mapping[bytes, bytes], headers: Headers, banner: bytes, mark: str
) -> Reply:
    """The page with the banner at the beginning of its body; as it is, where there is no place for one."""
    descriptor, _ = _opened(file, packed=False)
    size = os.fstat(descriptor).st_size
    head = os.read(descriptor, HEAD)
    at = place(head)
    if at is None:
        os.close(descriptor)
        return reply_with(file, method, asked, headers)
    etag = f'"{file.digest}-{mark}"'.encode()
    headers = [*headers, (b"content-type", content_type(file)), (b"etag", etag)]
    if _known(asked, etag):
        os.close(descriptor)
        return Reply(304, headers)
    headers.append((b"content-length", b"%d" % (size + len(banner))))
    if method == "HEAD":
        os.close(descriptor)
        return Reply(200, headers)
    return Reply(200, headers, head[:at] + banner + head[at:], descriptor, size - len(head))


def content_type(file: File) -> bytes:
    """The media type; text is UTF-8, but for pages that say themselves what they are."""
    kind = media_type(file.path)
    if is_text(kind) and file.path not in file.made.foreign:
        return f"{kind}; charset=utf-8".encode()
    return kind.encode()


def _opened(file: File, packed: bool) -> tuple[int, bool]:
    """A descriptor, and whether it is of the packed form."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    if packed:
        try:
            return os.open(file.site / PACKED / file.path, flags), True
        except (FileNotFoundError, NotADirectoryError):
            pass
    return os.open(file.site / FILES / file.path, flags), False


def _reply(descriptor: int, status: int, headers: Headers, start: int, size: int, method: str) -> Reply:
    if method == "HEAD":
        os.close(descriptor)
        return Reply(status, headers)
    if start:
        os.lseek(descriptor, start, os.SEEK_SET)
    reply = Reply(status, headers, b"", descriptor, size)
    reply.body = reply.piece()
    if not reply.left:
        reply.close()
    return reply


def _known(asked: Mapping[bytes, bytes], etag: bytes) -> bool:
    """Whether the client has this already (RFC 9110, 13.1.2)."""
    said = asked.get(b"if-none-match")
    if said is None:
        return False
    return said.strip() == b"*" or etag in [one.strip().removeprefix(b"W/") for one in said.split(b",")]


class _NotThere(Exception):
    """A range beyond the end."""


def _part(asked: Mapping[bytes, bytes], etag: bytes, size: int) -> tuple[int, int] | None:
    """(start, end) of what is asked for; None for the whole, which is the answer to several ranges at once, too."""
    found = _RANGE.fullmatch(asked.get(b"range", b"").strip())
    if found is None or (found[1], found[2]) == (b"", b"") or asked.get(b"if-range", etag) != etag:
        return None
    if found[1] and found[2] and int(found[2]) < int(found[1]):
        return None
    start = int(found[1]) if found[1] else max(0, size - int(found[2]))
    end = min(int(found[2]) + 1, size) if found[1] and found[2] else size
    if start >= size:
        raise _NotThere
    return start, end


def _takes_gzip(said: bytes) -> bool:
    for one in said.lower().split(b","):
        name, _, weight = one.partition(b";")
        if name.strip() in (b"gzip", b"*"):
            return not re.fullmatch(rb"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False
