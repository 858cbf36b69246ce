"""Requests for data that algorithms in a further front make: the front finds out for whom, and the server takes its word.

Keys of calls are good in the process that runs the call, and data are kept by the server. So the front puts in place of such a key
the one that the outermost call came with, names the call, and says who it is by a secret of the two processes. The server looks
up what holds now for that key (ALG-26), and narrows it to the call as it does for its own workers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from troth.calls.routing import BoundCall
from troth.calls.within import LOADING, MARK, PROCESS, CallKeys, Relayed, outermost
from troth.doors.algorithmia.data import is_data
from troth.doors.authorization import key_in
from troth.errors import Unauthenticated
from troth.runtime.engine import VersionSpec

#: the front's secret, and what it says of the request; nobody else's headers of these names come through
_SECRET, _SAID = b"troth-front", b"troth-relayed"
#: what says whose page a request comes from, as far as a key has an origin
_ORIGIN = frozenset([b"authorization", b"origin", b"referer"])
Head = list[tuple[bytes, bytes]]


class Relaying:
    """The front's side. `loading` tells which version a process of a sandbox belongs to that is being loaded."""

    def __init__(self, secret: str, keys: CallKeys, loading: Callable[[int], VersionSpec | None]) -> None:
        self._secret = secret.encode()
        self._keys = keys
        self._loading = loading
        #: request ids of outermost calls under way that may have kept something for their session
        self.sessions: set[str] = set()

    async def head(self, scope: dict[str, Any]) -> Head:
        """The headers with which a request goes on to the server. Raises Unauthenticated."""
        head = [(name, value) for name, value in scope["headers"] if name not in (_SECRET, _SAID)]
        authorization = next((value for name, value in head if name == b"authorization"), b"")
        client = scope["client"]
        if client is None or client[0] != PROCESS or not is_data("/" + scope["path"].lstrip("/")):
            return head
        if authorization.strip() == LOADING:
            spec = self._loading(client[1])
            return [*head, *self._vouching(Relayed(loading=spec.algorithm_id))] if spec is not None else head
        if MARK not in authorization:
            return head
        found = await self._keys.awaited(authorization, client)
        if found is None or found.caller.within is None:
            raise Unauthenticated("authorization required", why="the call that this key was made for has ended")
        origin = outermost(found.origin)
        self.sessions.add(origin.request_id)
        kept = [(name, value) for name, value in head if name not in _ORIGIN]
        kept += [(name, value) for name, value in origin.head if name in _ORIGIN and name != b"authorization"]
        scheme = authorization[: authorization.index(MARK)]  # the words of a refusal depend on it
        key = (b"authorization", scheme + key_in(origin.authorization))
        return [*kept, key, *self._vouching(Relayed(found.caller.within))]

    async def holds(self, scope: dict[str, Any]) -> bool:
        """Whether the call still runs in which this request was made, if it was made in one."""
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if MARK not in authorization or authorization.strip() == LOADING:
            return True
        return await self._keys.awaited(authorization, scope["client"]) is not None

    def _vouching(self, relayed: Relayed) -> Head:
        return [(_SECRET, self._secret), (_SAID, json.dumps(asdict(relayed)).encode())]


def relayed_by(scope: dict[str, Any], vouches: Callable[[str], bool]) -> Relayed | None:
    """What a front of this server says of a request, if one does. The server's side."""
    if scope["client"] is None or scope["client"][0] != PROCESS:
        return None
    head = dict(scope["headers"])
    if _SECRET not in head or not vouches(head[_SECRET].decode("latin-1")):
        return None
    said = json.loads(head[_SAID])
    return Relayed(BoundCall(**said["within"]) if said["within"] else None, said["loading"])
