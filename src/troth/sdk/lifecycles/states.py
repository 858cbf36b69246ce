"""The states of an API's versions, from a file or a server, known to an application while it answers.

The last table that was good is what holds. It is looked for anew in a thread behind the requests, which ask nobody: a server
that is away for a day, or a file that is half written, changes nothing but a line in the log.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from troth.errors import Malformed, NotFound, ServerUnreachable, TrothError
from troth.sdk.client import is_loopback
from troth.versions.lifecycles.headers import Marking, Refusal, prefix_address
from troth.versions.lifecycles.live import LiveTable
from troth.versions.lifecycles.table import StateTable

#: bytes of a table; what is larger is none
_LARGEST = 1 << 20
_SECONDS = 10.0

log = logging.getLogger("troth")
_all: weakref.WeakSet[ApiStates] = weakref.WeakSet()


class ApiStates:
    """The table of `OWNER/API`, and what a reply to a path says by it.

    `source` is a file, or the address of a troth server, which is asked every `seconds` with `key`. A server's table is kept in
    the file `cache`, for a start while the server is away. Versions lie below `prefix`: `/api/` has `/api/v4/...`. Clients find
    them below `public`, where that is another. Raises Malformed where `source` is a file that holds no table of this API.
    """

    def __init__(
        self,
        api: str,
        source: str | Path,
        *,
        prefix: str = "/",
        public: str = "",
        key: str = "",
        cache: str | Path | None = None,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.api = api
        self.prefix = prefix if prefix.endswith("/") else prefix + "/"
        self._address = prefix_address(public or self.prefix)
        self._cache = Path(cache) if cache is not None else None
        self._seconds = seconds
        self._clock = clock
        self._failing = False
        self._stop = threading.Event()
        self._starting = threading.Lock()
        self._follower: threading.Thread | None = None
        self._live: LiveTable | None = None
        is_server = isinstance(source, str) and urlsplit(source).scheme in ("http", "https")
        self._ask = _asking(str(source), key, api) if is_server else _reading(Path(source))
        if not is_server:
            self._take(self._ask())
        elif self._cache is not None:
            self._recall(self._cache)
        _all.add(self)

    @property
    def table(self) -> StateTable | None:
        """The table in force; None as long as no server and no cache had one."""
        return self._live.table if self._live is not None else None

    def marking(self, path: str) -> Marking | None:
        """What holds for replies to this path; None where it names no version that the table knows."""
        if self._follower is None:
            self._follow()
        live = self._live
        if live is None or not path.startswith(self.prefix):
            return None
        start = len(self.prefix)
        end = path.find("/", start)
        return live.marking(path[start:end] if end >= 0 else path[start:])

    def refused(self, marking: Marking, *, production: bool) -> Refusal | None:
        """What is answered now instead of the application's reply, if anything is."""
        live = self._live
        return live.refused(marking, production=production) if live is not None else None

    def refresh(self) -> bool:
        """Looks for a new table; whether there was a good one. Blocks, for ten seconds at most where it is a server's."""
        try:
            found = self._ask()
            self._take(found)
        except TrothError as error:
            self._complain(str(error), error.why)
            return False
        if self._failing:
            log.info("the states of %s are known again", self.api)
        self._failing = False
        if self._cache is not None:
            self._keep(self._cache, found)
        return True

    def close(self) -> None:
        """Looks for nothing any more; what is known stays."""
        self._stop.set()

    def _follow(self) -> None:
        """Begins to look for new tables: at the first request, because a thread does not live on in forked processes."""
        with self._starting:
            if self._follower is None:
                name = f"states of {self.api}"
                self._follower = threading.Thread(target=_followed, args=(weakref.ref(self),), name=name, daemon=True)
                self._follower.start()

    def _take(self, document: Any) -> None:
        table = StateTable.from_dict(document)
        if table.api != self.api:
            raise Malformed(
                f"the table of states is of {table.api} and not of {self.api}", repair="name another source"
            )
        self._live = LiveTable(table, self._address, self._clock)

    def _recall(self, cache: Path) -> None:
        try:
            self._take(_decoded(cache.read_bytes(), str(cache)))
        except FileNotFoundError:
            pass
        except (OSError, TrothError) as error:
            log.warning("the states of %s that were kept in %s cannot be used: %s", self.api, cache, error)

    def _keep(self, cache: Path, document: Any) -> None:
        """Writes the cache beside itself and renames it, so that nobody ever reads half of one."""
        try:
            with tempfile.NamedTemporaryFile("w", dir=cache.parent, prefix=f".{cache.name}-", delete=False) as file:
                json.dump(document, file)
            os.replace(file.name, cache)
        except OSError as error:
            log.warning("the states of %s cannot be kept in %s: %s", self.api, cache, error)

    def _complain(self, what: str, why: str) -> None:
        if not self._failing:
            known = "those known before hold" if self._live is not None else "replies say nothing of them"
            log.warning("the states of %s cannot be had, and %s: %s (%s)", self.api, known, what, why)
        self._failing = True

    def _forked(self) -> None:
        self._starting = threading.Lock()
        self._follower = None


def _followed(known: weakref.ref[ApiStates]) -> None:
    """Looks for new tables as long as anybody has use for them."""
    while (states := known()) is not None:
        stop, seconds = states._stop, states._seconds
        if stop.is_set():
            return
        try:
            states.refresh()
        except Exception:
            log.exception("the states of %s cannot be had", states.api)
        del states
        stop.wait(seconds)


def _reading(path: Path) -> Callable[[], Any]:
    def read() -> Any:
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
        except OSError as error:
            raise Malformed(f"{path} cannot be read: {error.strerror}", repair="name another file") from None
        return _decoded(content, str(path))

    return read


def _asking(address: str, key: str, api: str) -> Callable[[], Any]:
    url = f"{address.rstrip('/')}/api/v1/apis/{api}/states"
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    def ask() -> Any:
        try:
            with (
                httpx2.Client(timeout=_SECONDS, trust_env=not is_loopback(address)) as client,
                client.stream("GET", url, headers=headers) as reply,
            ):
                content = b""
                for piece in reply.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST:
                        break
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServerUnreachable(f"{address} does not answer", why=str(error) or type(error).__name__) from None
        if reply.status_code != 200:
            kind = NotFound if reply.status_code == 404 else ServerUnreachable
            raise kind(f"{url} answers with status {reply.status_code}", why=content[:200].decode(errors="replace"))
        return _decoded(content, url)

    return ask


def _decoded(content: bytes, where: str) -> Any:
    if len(content) > _LARGEST:
        raise Malformed(f"what {where} has is no table of states", why=f"it has more than {_LARGEST} bytes")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"what {where} has is no table of states", why=str(error)) from None


def _after_fork() -> None:
    for states in _all:
        states._forked()


os.register_at_fork(after_in_child=_after_fork)
