"""A bundle made into a site: unpacked, its links followed, its index written. Runs in a process of its own.

Bundles are strangers' files. They are read as a stream, a piece at a time; the process bounds what nobody thought of.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from troth.errors import MalformedSource, TrothError
from troth.sites.entries import Entries, wrong
from troth.sites.media_types import is_page, is_source, shrinks
from troth.sites.pages import Leads, lead, read_page
from troth.sites.search import NewIndex

FILES, PACKED, INDEX, SITE = "files", "gzip", "index.sqlite", "site.json"
MEMORY: Final = 512 << 20
_PIECE: Final = 256 << 10
_LARGEST_PAGE: Final = 16 << 20
#: bytes below which, and above which, a file is served as it is
_WORTH_PACKING: Final = (1 << 10, 64 << 20)
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Made:
    """What is in a site."""

    files: int
    size: int
    pages: int
    #: pages that are not UTF-8, and say themselves what they are
    foreign: list[str] = field(default_factory=list)
    #: the one folder that everything lies in, with a slash, where there is no first page beside it
    root: str = ""


def make(archive: IO[bytes], packed: int, target: Path) -> Made:
    """Makes a site of a tar.gz of so many bytes in the empty folder `target`. Raises MalformedSource (PLX-06)."""
    (target / FILES).mkdir()
    index = NewIndex(target / INDEX)
    with closing(index):
        making = _Making(target, index, Entries(packed))
        try:
            for member, content in _members(archive):
                making.add(member, content)
        except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
            raise wrong(f"it is no whole tar.gz: {error}", "it may have been cut off") from None
        made = making.finish()
        index.finish()
    (target / SITE).write_text(json.dumps(asdict(made)))
    return made


@dataclass(slots=True)
class _Leaving:
    """Links that lead out: how many, and (page, address) of some."""

    count: int = 0
    some: list[tuple[str, str]] = field(default_factory=list)

    def add(self, page: str, address: str) -> None:
        self.count += 1
        if len(self.some) < _SHOWN:
            self.some.append((page, address))


class _Making:
    def __init__(self, target: Path, index: NewIndex, entries: Entries) -> None:
        self._target = target
        self._index = index
        self._entries = entries
        self._pages = 0
        self._foreign: list[str] = []
        self._out = _Leaving()
        #: those that leave the version where everything lies in one folder, which is only known at the end
        self._climbing = _Leaving()

    def add(self, member: tarfile.TarInfo, content: Iterator[bytes]) -> None:
        """Unpacks one entry, if it may be there."""
        path = self._entries.admit(member)
        if path is None:
            return
        page, source = is_page(path), is_source(path)
        if page and member.size > _LARGEST_PAGE:
            raise wrong(f"{path[:200]!r} is too large for a page", f"a page has at most {_LARGEST_PAGE >> 20} MiB")
        kept = _written(
            self._target, path, member.size, content, keep=page or (source and member.size <= _LARGEST_PAGE)
        )
        self._index.add_file(path)
        if page:
            self._read(path, kept)
        elif source and kept:
            text = kept.decode(errors="replace")
            self._index.add_page(path, text.lstrip().partition("\n")[0].strip("# ")[:300], text)

    def finish(self) -> Made:
        """What was made. Raises MalformedSource where links lead out, or to nothing."""
        if not len(self._entries):
            raise wrong("there is no file in it", "a release has documentation (PLX-06)")
        for leaving in (self._out, *([self._climbing] if self._entries.root else [])):
            if leaving.count:
                raise _links(
                    leaving.count, leaving.some, "lead out of the version", "every version is complete in itself"
                )
        count, broken = self._index.broken(_SHOWN)
        if count:
            raise _links(count, broken, "lead to nothing", "what they lead to is not in the bundle")
        return Made(len(self._entries), self._entries.size, self._pages, self._foreign, self._entries.root)

    def _read(self, path: str, content: bytes) -> None:
        self._pages += 1
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = content.decode("latin-1")
            self._foreign.append(path)
        page = read_page(text)
        self._index.add_page(path, page.title, page.text)
        if (
            path == "404.html"
        ):  # MkDocs writes this one for the root of a host, where no version lies; nothing leads to it
            return
        if page.base and lead(path, "", page.base)[0] is not Leads.INSIDE:
            self._out.add(path, page.base)
            return
        below = path.partition("/")[2]
        for address in page.links:
            leads, inside = lead(path, page.base, address)
            if leads is Leads.OUT:
                self._out.add(path, address)
            elif leads is Leads.INSIDE:
                self._index.add_link(path, address, inside)
                if below and lead(below, page.base, address)[0] is Leads.OUT:
                    self._climbing.add(path, address)


def _members(archive: IO[bytes]) -> Iterator[tuple[tarfile.TarInfo, Iterator[bytes]]]:
    with tarfile.open(fileobj=archive, mode="r|gz") as opened:
        for member in opened:
            opened.members = []  # type: ignore[attr-defined]  # or it would keep them all
            yield member, _pieces(opened, member)


def _pieces(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    content = archive.extractfile(member)
    assert content is not None
    left = member.size
    while left:
        piece = content.read(min(_PIECE, left))
        if not piece:
            raise EOFError(f"{member.name[:200]!r} ends before its end")
        left -= len(piece)
        yield piece


def _written(target: Path, path: str, size: int, content: Iterator[bytes], *, keep: bool) -> bytes:
    """Writes a file, and beside it what goes to clients that unpack it; its content, where that is kept."""
    kept: list[bytes] = []
    packer = None
    if shrinks(path) and _WORTH_PACKING[0] <= size <= _WORTH_PACKING[1]:
        packer = zlib.compressobj(6, wbits=31)
    place = target / FILES / path
    place.parent.mkdir(parents=True, exist_ok=True)
    packed = _Packed(target / PACKED / path) if packer else None
    with open(place, "xb") as file:
        for piece in content:
            file.write(piece)
            if keep:
                kept.append(piece)
            if packer and packed:
                packed.write(packer.compress(piece))
    if packer and packed:
        packed.finish(packer.flush(), size)
    return b"".join(kept)


class _Packed:
    """The packed form of a file, which stays where it is smaller."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = open(path, "xb")  # noqa: SIM115 - closed by finish; the process ends with what fails before
        self._size = 0

    def write(self, piece: bytes) -> None:
        self._size += self._file.write(piece)

    def finish(self, piece: bytes, size: int) -> None:
        self.write(piece)
        self._file.close()
        if self._size > size * 0.9:
            self._path.unlink()


def _links(count: int, some: list[tuple[str, str]], what: str, why: str) -> MalformedSource:
    shown = ", ".join(f"{address[:100]!r} on {page[:100]}" for page, address in some)
    more = f" and {count - len(some)} more" if count > len(some) else ""
    links = "1 link leads" if count == 1 else f"{count} links lead"
    return wrong(f"{links} {what.removeprefix('lead ')}: {shown}{more}", why, "mend the links, and build it again")


def main() -> None:
    """Makes a site in the folder that is named, of the file on standard input, and says what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.nice(5)
    target = Path(sys.argv[1])
    said: dict[str, Any]
    try:
        archive = sys.stdin.buffer
        made = make(archive, os.fstat(archive.fileno()).st_size, target)
        os.sync()  # it is renamed next, and a name must not come before what it names
        said = {"made": asdict(made)}
    except TrothError as error:
        said = {"wrong": error.as_problem()}
    except (MemoryError, RecursionError):
        said = {"wrong": wrong("it takes too much memory to read", f"it has {MEMORY >> 20} MiB for that").as_problem()}
    except OSError as error:
        said = {"full": error.strerror or str(error)}
    print(json.dumps(said))
