"""`/docs/OWNER/PRODUCT/X.Y/...`: the documentation of a release, byte for byte.

Everything below a version is its author's, so nothing below a version is ours: `search` stands beside the versions, and the
banner is put only into what a browser loads as a page. Every answer is sandboxed (docs/decisions/0096-documentation-in-a-sandbox.md).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote

import structlog

from troth.calls.routing import Caller, RoutingTable
from troth.doors.authorization import caller_of
from troth.doors.sites.files import File, Headers, Reply, kind_of, reply_with, reply_with_banner
from troth.doors.sites.finding import contents_as_page, found_as_json, found_as_page, wrong_as_page
from troth.doors.sites.library import Library
from troth.errors import Failed, Malformed, NotFound, TrothError
from troth.sites.banner import Choice, View, banner
from troth.sites.media_types import is_page
from troth.sites.search import Hit, matching, search
from troth.sites.shelf import Shelf, Volume
from troth.sites.store import Sites
from troth.versions.pages import ASKING_POLICY, SECURITY_POLICY

PREFIX: Final = "/docs/"
Send = Callable[[dict[str, Any]], Awaitable[None]]
#: An origin that is nobody's: neither cookies nor keys of this server are in its reach, nor are other pages of it.
POLICY: Final = (
    "sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads allow-modals"
)
_SANDBOX: Final = (b"content-security-policy", POLICY.encode())
_OURS: Final = (b"x-content-type-options", b"nosniff")
_METHODS: Final = ("GET", "HEAD")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read."""

    method: str
    subject: str
    #: what is named below the product: a version, `latest`, `search` ...
    name: str
    #: the path below that, or None where not even a slash follows
    path: str | None
    query: str
    headers: dict[bytes, bytes]

    @property
    def loads_page(self) -> bool:
        """Whether a browser loads it to show it as a page of its own."""
        return self.headers.get(b"sec-fetch-dest") == b"document"


class SiteDoor:
    """ASGI for everything below `/docs/`."""

    def __init__(self, table: RoutingTable, library: Library, sites: Sites, threads: ThreadPoolExecutor) -> None:
        self._table = table
        self._library = library
        self._sites = sites
        self._threads = threads

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        headers = dict(scope["headers"])
        caller = caller_of(self._table, headers.get(b"authorization", b""), scope["headers"])
        reply = await self._run(self._answer, scope, headers, caller)
        try:
            await _start(send, reply)
            await send({"type": "http.response.body", "body": reply.body, "more_body": reply.left > 0})
            while reply.left > 0:
                piece = await self._run(reply.piece)
                if not piece:
                    raise Failed("a file of the documentation is shorter than it was")
                await send({"type": "http.response.body", "body": piece, "more_body": reply.left > 0})
        finally:
            reply.close()

    async def _run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    # --- in a thread

    def _answer(self, scope: dict[str, Any], headers: dict[bytes, bytes], caller: Caller | None) -> Reply:
        try:
            if scope["method"] not in _METHODS:
                return Reply(405, [(b"allow", b"GET, HEAD"), (b"content-length", b"0")])
            return self._reply(_asked(scope, headers), caller)
        except TrothError as error:
            return _wrong(error, scope["method"], headers)
        except Exception:
            request = f"req-{uuid.uuid4()}"
            log.exception("documentation was not served", path=scope["path"][:300], request=request)
            return _wrong(
                Failed("internal error", repair=f"look for {request} in the server's log"), scope["method"], headers
            )

    def _reply(self, asked: Asked, caller: Caller | None) -> Reply:
        shelf, public = self._library.shelf(asked.subject, caller)
        access = _access(public=public)
        if asked.name in ("search", "search.json"):
            return self._search(shelf, asked, access)
        if asked.name == "":
            return _moved(f"{shelf.root}{_current(shelf).line}/", access)
        if asked.name in ("latest", "stable"):
            return self._floating(shelf, asked, access)
        volume = shelf.volumes.get(asked.name)
        if volume is None:
            raise _missing(f"{shelf.subject} has no documentation of {asked.name[:100]}", shelf)
        if asked.path is None:
            return _moved(f"{shelf.root}{asked.name}/", access)
        return self._file(shelf, volume, asked, access)

    def _floating(self, shelf: Shelf, asked: Asked, access: Headers) -> Reply:
        volume = shelf.named(asked.name)
        if volume is None:
            raise _missing(f"{shelf.subject} has no {asked.name} release with documentation", shelf)
        self._library.ready(volume.digest)
        return _moved(self._same(shelf, volume, asked.path or "").address, access)

    def _file(self, shelf: Shelf, volume: Volume, asked: Asked, access: Headers) -> Reply:
        path = asked.path or ""
        made = self._library.ready(volume.digest)
        site = self._sites.path(volume.digest)
        kind = kind_of(site, made.root + path)
        if kind == "folder" and path and not path.endswith("/"):
            return _moved(f"{shelf.root}{asked.name}/{quote(path)}/", access)
        if not kind and not path:
            return self._contents(shelf, volume, asked, access)
        if not kind:
            raise _missing(f"there is no {path[:200]} in the documentation of {asked.name}", shelf)
        inside = f"{made.root}{path}{'index.html' if kind == 'folder' else ''}"
        file = File(site, volume.digest, inside, made)
        headers = [*access, _SANDBOX, (b"troth-release", str(volume.number).encode())]
        if not is_page(file.path):
            return reply_with(file, asked.method, asked.headers, [*headers, (b"vary", b"Accept-Encoding")])
        canonical = self._canonical(shelf, volume, path)
        headers.append((b"vary", b"Accept-Encoding, Sec-Fetch-Dest"))
        headers.append((b"link", f'<{canonical}>; rel="canonical"'.encode()))
        if not asked.loads_page:
            return reply_with(file, asked.method, asked.headers, headers)
        shown = banner(self._view(shelf, volume, asked.name, path))
        mark = hashlib.sha256(shown).hexdigest()[:16]
        return reply_with_banner(file, asked.method, asked.headers, headers, shown, mark)

    def _contents(self, shelf: Shelf, volume: Volume, asked: Asked, access: Headers) -> Reply:
        """What there is, for documentation without a first page."""
        files = matching(self._sites.index(volume.digest), lambda path: True, 1000)
        root = self._library.ready(volume.digest).root
        body = contents_as_page(shelf, asked.name, [path.removeprefix(root) for path in files])
        return _ours(asked, access, body, b"text/html; charset=utf-8", SECURITY_POLICY)

    def _canonical(self, shelf: Shelf, volume: Volume, path: str) -> str:
        """Where search engines should lead: this page as it is now, if it is still there."""
        if shelf.current is not None:
            there = self._same(shelf, shelf.current, path)
            if there.same_page:
                return there.address
        return f"{shelf.root}{volume.line}/{quote(path)}"

    def _view(self, shelf: Shelf, volume: Volume, name: str, path: str) -> View:
        current = shelf.current
        choices = [self._same(shelf, one, path) for one in shelf.choices]
        if name not in [one.name for one in choices]:
            choices.insert(0, Choice(name, f"{shelf.root}{name}/{quote(path)}", True))
        return View(
            reading=name,
            current=self._same(shelf, current, path) if current else None,
            old=current is not None and volume.number < current.number,
            yanked=volume.yanked,
            choices=choices,
            search=f"{shelf.root}search",
        )

    def _same(self, shelf: Shelf, volume: Volume, path: str) -> Choice:
        """The same page in another version, or its first one: at the address of its line, which the newest of it answers."""
        answering = shelf.volumes[volume.line]
        notes = [word for word, holds in (("stable", volume.stable), ("yanked", volume.yanked is not None)) if holds]
        there = bool(self._library.kind_of(answering.digest, path))
        address = f"{shelf.root}{volume.line}/{quote(path) if there else ''}"
        return Choice(volume.line, address, there, ", ".join(notes))

    def _search(self, shelf: Shelf, asked: Asked, access: Headers) -> Reply:
        given = _parameters(asked.query)
        name, question = given.get("version", ""), given.get("q", "")
        volume = shelf.volumes.get(name) or shelf.named(name) if name else _current(shelf)
        if volume is None:
            raise _missing(f"{shelf.subject} has no documentation of {name[:100]}", shelf)
        root = self._library.ready(volume.digest).root
        hits = search(self._sites.index(volume.digest), question)
        hits = [Hit(hit.path.removeprefix(root), hit.title, hit.text) for hit in hits]
        if asked.name == "search.json":
            body, kind, policy = found_as_json(shelf, volume, question, hits), b"application/json", POLICY
        else:
            body, kind, policy = (
                found_as_page(shelf, volume, name or volume.line, question, hits),
                b"text/html; charset=utf-8",
                ASKING_POLICY,
            )
        return _ours(asked, access, body, kind, policy)


def _asked(scope: dict[str, Any], headers: dict[bytes, bytes]) -> Asked:
    """Raises NotFound for a path that names no product."""
    steps = scope["path"][len(PREFIX) :].split("/", 3)
    if len(steps) < 2 or not steps[0] or not steps[1]:
        raise NotFound("documentation lies at /docs/OWNER/PRODUCT/X.Y/", repair="name a product")
    path = steps[3] if len(steps) > 3 else None
    if path and ("\0" in path or {"..", "."} & set(path.split("/")) or "//" in path or path.startswith("/")):
        raise NotFound("there is no such page", why="its address leads elsewhere", repair="write it without . and ..")
    name = steps[2] if len(steps) > 2 else ""
    return Asked(
        scope["method"], f"{steps[0]}/{steps[1]}", name, path, scope["query_string"].decode("latin-1"), headers
    )


def _access(*, public: bool) -> Headers:
    """What every answer says: who may keep it, and who may read it."""
    if public:  # the second is for fonts, and what scripts of a page fetch, for the page has no origin of its own
        return [(b"cache-control", b"no-cache"), (b"access-control-allow-origin", b"*"), _OURS]
    return [(b"cache-control", b"private, no-cache"), _OURS]


def _parameters(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise Malformed("the query has too many parameters", repair="ask with version and q") from None


def _ours(asked: Asked, access: Headers, body: bytes, kind: bytes, policy: str) -> Reply:
    """An answer that is written here."""
    headers = [*access, (b"content-security-policy", policy.encode()), (b"content-type", kind)]
    headers.append((b"content-length", b"%d" % len(body)))
    return Reply(200, headers, body if asked.method == "GET" else b"")


def _moved(address: str, access: Headers) -> Reply:
    return Reply(302, [*access, _SANDBOX, (b"location", address.encode()), (b"content-length", b"0")])


def _current(shelf: Shelf) -> Volume:
    if shelf.current is None:
        raise _missing(f"{shelf.subject} has no release with documentation", shelf)
    return shelf.current


def _missing(what: str, shelf: Shelf) -> NotFound:
    there = ", ".join(one.line for one in shelf.choices[:10])
    return NotFound(what, why=f"there is documentation of {there}" if there else "", repair=f"begin at {shelf.root}")


def _wrong(error: TrothError, method: str, headers: dict[bytes, bytes]) -> Reply:
    if headers.get(b"sec-fetch-dest") == b"document":
        body, kind = wrong_as_page(error), b"text/html; charset=utf-8"
    else:
        body, kind = json.dumps(error.as_problem(), default=str).encode(), b"application/problem+json"
    told = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), _OURS, (b"cache-control", b"no-store")]
    told.append((b"content-security-policy", SECURITY_POLICY.encode()))
    return Reply(error.status, told, body if method == "GET" else b"")


async def _start(send: Send, reply: Reply) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
