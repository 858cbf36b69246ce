"""`/git/OWNER/NAME.git`: clone, fetch and push over HTTP (git's smart protocol), for members of the owner.

The door decides who may do what to which repository and within which bounds; git's own http-backend does the rest, as
another user, seeing nothing but that repository. Forced pushes and deletions are refused by it (ALG-02).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakValueDictionary

import structlog

from troth.builds.repository import Repositories
from troth.calls.routing import Caller, RoutingTable
from troth.doors.authorization import Headers, caller_with
from troth.doors.git.backend import Backend
from troth.errors import Overloaded, TrothError
from troth.sandbox.launcher import Launcher

PREFIX = "/git/"
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
#: The id of an algorithm whose repository the caller may use, or None for everything else: from (caller, owner, name).
Find = Callable[[Caller, str, str], Awaitable[str | None]]
#: Hears of a push that moved the branch: (caller, owner/name, commit).
Pushed = Callable[[Caller, str, str], None]

log = structlog.get_logger()

_PATH = re.compile(r"/git/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")
_SERVICES = ("git-upload-pack", "git-receive-pack")
#: bytes of a request that asks for objects
_LARGEST_QUESTION = 16 << 20
#: bytes and seconds for which a push that is refused is still read, so that its client hears why
_PATIENCE, _PATIENT_SECONDS = 64 << 20, 5.0
#: gits that run at once
_AT_ONCE = 8
#: seconds that a request waits for its turn, and that a client may leave its answer unread
_PATIENT_FOR_ROOM, _STALLED = 30.0, 30.0
#: seconds after which a sender's rights are looked at again
_QUICK = 0.5
_CHALLENGE = (b"www-authenticate", b'Basic realm="troth: account and key", charset="UTF-8"')


class TooMuch(Exception):
    """A body beyond its bound."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may take."""

    push_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Asked:
    caller: Caller
    algorithm_id: str
    subject: str
    action: str
    service: str

    @property
    def pushes(self) -> bool:
        return self.action == "git-receive-pack"


class _No(Exception):
    """A refusal, in words that git shows to its user."""

    def __init__(self, status: int, words: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = headers


class GitDoor:
    """The ASGI application for git's clients."""

    def __init__(
        self,
        table: RoutingTable,
        launcher: Launcher,
        repositories: Repositories,
        find: Find,
        pushed: Pushed,
        bounds: Bounds,
    ) -> None:
        self._table = table
        self._launcher = launcher
        self._repositories = repositories
        self._find = find
        self._pushed = pushed
        self._bounds = bounds
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._own_room: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._pushing: Counter[str] = Counter()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            asked = await self._admit(scope, headers)
            await self._served(asked, scope, headers, receive, send)
        except _No as no:
            await _drained(receive)
            await _say(send, no)
        except TrothError as error:
            await _drained(receive)
            retry = ((b"retry-after", str(error.retry_after).encode()),) if isinstance(error, Overloaded) else ()
            await _say(send, _No(error.status, f"{error.what}: {error.why}", retry))

    async def _admit(self, scope: dict[str, Any], headers: dict[bytes, bytes]) -> _Asked:
        """Who asks for what. What the caller may not see does not exist (ALG-25)."""
        caller = self._caller(headers.get(b"authorization", b""), scope["headers"])
        if caller is None:
            raise _No(401, "give the name of your account, and one of its keys as the password", (_CHALLENGE,))
        matched = _PATH.fullmatch(scope["path"])
        if matched is None:
            raise _No(404, "there is no such repository; its address is /git/OWNER/NAME.git")
        owner, name, action = matched.groups()
        service = action
        if action == "info/refs":
            service = parse_qs(scope["query_string"].decode("latin-1")).get("service", [""])[0]
            if service not in _SERVICES:
                raise _No(403, "this server speaks git's smart protocol only")
        if scope["method"] != ("GET" if action == "info/refs" else "POST"):
            raise _No(405, "git asks otherwise")
        algorithm_id = await self._find(caller, owner, name)
        if algorithm_id is None:
            raise _No(404, f"there is no repository {owner}/{name}.git"[:200])
        return _Asked(caller, algorithm_id, f"{owner}/{name}", action, service)

    def _caller(self, authorization: bytes, headers: Headers) -> Caller | None:
        """The account that is named, if the password is a valid key of it."""
        scheme, _, encoded = authorization.partition(b" ")
        if scheme.lower() != b"basic":
            return None
        try:
            account, _, key = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        caller = caller_with(self._table, key, headers)
        return caller if caller is not None and caller.name == account else None

    async def _served(
        self, asked: _Asked, scope: dict[str, Any], headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        async with self._slot(asked.caller):
            if not asked.pushes:
                await self._run(asked, scope, headers, receive, send)
                return
            async with self._pushing_to(asked.algorithm_id):
                before = await asyncio.to_thread(self._repositories.head, asked.algorithm_id)
                await self._run(asked, scope, headers, receive, send)
                after = await asyncio.to_thread(self._repositories.head, asked.algorithm_id)
        if after is not None and after != before:
            log.info("pushed", algorithm=asked.subject, commit=after, by=asked.caller.name)
            self._pushed(asked.caller, asked.subject, after)

    @asynccontextmanager
    async def _slot(self, caller: Caller) -> AsyncIterator[None]:
        """Room for one more git: a few at once, and half of them at most for one account. Raises Overloaded."""
        own = self._own_room.setdefault(caller.id, asyncio.Semaphore(_AT_ONCE // 2))
        held: list[asyncio.Semaphore] = []
        try:
            async with asyncio.timeout(_PATIENT_FOR_ROOM):
                for room in (own, self._room):
                    await room.acquire()
                    held.append(room)
        except TimeoutError:
            for room in held:
                room.release()
            raise Overloaded(
                "the server serves as many clones and pushes as it can", why="none of them ended in time",
                repair="try again a little later",
            ) from None  # fmt: skip
        try:
            yield
        finally:
            for room in held:
                room.release()

    @asynccontextmanager
    async def _pushing_to(self, algorithm_id: str) -> AsyncIterator[None]:
        """Counts the pushes to a repository, and clears up what others left where there is none."""
        if not self._pushing[algorithm_id]:
            await asyncio.to_thread(self._repositories.clear_pushes, algorithm_id)
        self._pushing[algorithm_id] += 1
        try:
            yield
        finally:
            self._pushing[algorithm_id] -= 1
            if not self._pushing[algorithm_id]:
                del self._pushing[algorithm_id]
                await asyncio.to_thread(self._repositories.clear_pushes, algorithm_id)

    async def _still(self, asked: _Asked, headers: dict[bytes, bytes]) -> None:
        """Raises _No unless who began a long push may still do it when it ends (ALG-26)."""
        caller = self._caller(headers.get(b"authorization", b""), headers.items())
        owner, name = asked.subject.split("/")
        if caller is None or await self._find(caller, owner, name) != asked.algorithm_id:
            raise _No(404, f"there is no repository {asked.subject}.git"[:200])

    async def _run(
        self, asked: _Asked, scope: dict[str, Any], headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        surroundings = _cgi(asked, scope, headers, self._bounds.push_bytes)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._bounds.seconds
        backend = Backend(
            self._launcher,
            self._repositories.path(asked.algorithm_id),
            surroundings,
            largest=self._bounds.push_bytes + (64 << 20),
            deadline=deadline,
        )
        # git holds the pack itself to the bound, and says so; this one is for what is no pack
        largest = self._bounds.push_bytes + (1 << 20) if asked.pushes else _LARGEST_QUESTION
        body = _Body(receive, largest, lambda: self._still(asked, headers))
        begun = False
        try:
            await backend.start()
            await backend.feed(body.chunks())
            await body.drain()
            response = await backend.respond()
            begun = True
            await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
            chunk = response.begun
            while chunk or (chunk := await backend.chunk()):
                async with asyncio.timeout(_STALLED):  # who does not read holds the place of others
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                chunk = b""
            await send({"type": "http.response.body", "body": b""})
        except TooMuch:
            megabytes = self._bounds.push_bytes / 1e6
            raise _No(413, f"a push has at most {megabytes:.0f} MB; leave large data out of the repository") from None
        except ConnectionAbortedError:
            log.info("a client of git left in the middle", algorithm=asked.subject)
        except TimeoutError:
            if not begun:
                raise _No(408, f"git took more than {self._bounds.seconds:g} seconds") from None
            log.warning("git took too long", algorithm=asked.subject)
        finally:
            await backend.close()


class _Body:
    """The body of a request, in chunks, within a bound."""

    def __init__(self, receive: Receive, largest: int, still: Callable[[], Awaitable[None]]) -> None:
        self._largest = largest
        self._receive = receive
        self._still = still
        self._size = 0
        self._more = True

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises TooMuch beyond the bound, ConnectionAbortedError when the client leaves.

        The last chunk of a body that took a while is given only if its sender still may send it.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self._more:
            message = await self._receive()
            if message["type"] != "http.request":
                self._more = False
                raise ConnectionAbortedError
            self._more = message.get("more_body", False)
            chunk = message.get("body", b"")
            self._size += len(chunk)
            if self._size > self._largest:
                raise TooMuch
            if not self._more and loop.time() - began > _QUICK:
                await self._still()
            if chunk:
                yield chunk

    async def drain(self) -> None:
        """Reads what is left of a body that git did not want, for a while."""
        if self._more:
            await _drained(self._receive)
            self._more = False


def _settings(push_bytes: int) -> list[tuple[str, str]]:
    """Git's configuration for a request: nothing of a repository's own decides."""
    settings = {
        "safe.directory": "*",
        "core.hooksPath": "/dev/null",
        "core.bigFileThreshold": "32m",  # larger objects are streamed, never held in memory
        "core.fsync": "all",
        "core.fsyncMethod": "batch",
        "gc.auto": "0",
        "receive.autogc": "false",
        "http.receivepack": "true",
        "http.getanyfile": "false",
        "transfer.fsckObjects": "true",
        "receive.denyNonFastForwards": "true",
        "receive.denyDeletes": "true",
        "receive.maxInputSize": str(push_bytes),
        "uploadpack.allowReachableSHA1InWant": "true",
        "uploadpack.allowFilter": "true",
        "pack.threads": "1",
        "pack.windowMemory": "128m",
        # a pack stays one: unpacked, a few megabytes may become gigabytes
        "receive.unpackLimit": "1",
        "core.fsmonitor": "false",
    }
    # branches and tags are taken; what else git reads under refs, replacements first, is not
    hidden = [("receive.hideRefs", pattern) for pattern in ("refs", "!refs/heads", "!refs/tags")]
    return [*settings.items(), *hidden]


def _cgi(asked: _Asked, scope: dict[str, Any], headers: dict[bytes, bytes], push_bytes: int) -> dict[str, str]:
    """The environment of the backend (RFC 3875, and git's own variables)."""
    settings = _settings(push_bytes)
    found = {
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": f"/{asked.action}",
        "QUERY_STRING": f"service={asked.service}" if asked.action == "info/refs" else "",
        "REMOTE_USER": asked.caller.name,
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_COMMITTER_NAME": asked.caller.name,
        "GIT_COMMITTER_EMAIL": f"{asked.caller.name}@troth.invalid",
    }
    for number, (name, value) in enumerate(settings):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    for header, variable in (
        (b"content-type", "CONTENT_TYPE"),
        (b"content-length", "CONTENT_LENGTH"),
        (b"content-encoding", "HTTP_CONTENT_ENCODING"),
        (b"git-protocol", "GIT_PROTOCOL"),
    ):
        value = headers.get(header, b"").decode("latin-1")
        if value and value.isprintable() and len(value) < 1000:
            found[variable] = value
    return found


async def _drained(receive: Receive) -> None:
    """Reads a body that is not wanted, for a while: who is still sending would not hear why it was refused."""
    size, more = 0, True
    try:
        async with asyncio.timeout(_PATIENT_SECONDS):
            while more and size <= _PATIENCE:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass


async def _say(send: Send, no: _No) -> None:
    """A refusal as text, which git shows to its user."""
    body = f"troth: {no.words}\n".encode()
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *no.headers]
    await send({"type": "http.response.start", "status": no.status, "headers": head})
    await send({"type": "http.response.body", "body": body})
