"""The middleware for ASGI: `app = LifeCycle(app, states)`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from troth.sdk.lifecycles.states import ApiStates
from troth.versions.lifecycles.headers import Marking, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class LifeCycle:
    """An ASGI application around another one: it adds what the states say, and answers for versions that are gone.

    Put around the whole application, it also marks what the framework itself answers when a handler fails. `production` says of
    a scope whether the request is one that brownouts spare; without it every one is.
    """

    def __init__(self, app: App, states: ApiStates, production: Callable[[Scope], bool] | None = None) -> None:
        self._app = app
        self._states = states
        self._production = production

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        marking = self._states.marking(scope["path"]) if kind in ("http", "websocket") else None
        if marking is None or (not marking.headers and not marking.windows):
            await self._app(scope, receive, send)
            return
        production = self._production is None or (bool(marking.windows) and self._production(scope))
        refusal = self._states.refused(marking, production=production)
        if refusal is None:
            await self._app(scope, receive, marked(send, marking) if marking.headers else send)
        elif kind == "http":
            await refuse(send, "http.response", scope.get("method") or "GET", refusal)
        elif "websocket.http.response" in scope.get("extensions", ()):
            await receive()
            await refuse(send, "websocket.http.response", "GET", refusal)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})


def marked(send: Send, marking: Marking) -> Send:
    """A `send` that adds the headers; what the application says of the same matter gives way, but for its links."""
    headers, once = marking.headers, marking.once

    async def sent(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept", "websocket.http.response.start"):
            kept = [header for header in message.get("headers", ()) if header[0].lower() not in once]
            message = {**message, "headers": [*kept, *headers]}
        await send(message)

    return sent


async def refuse(send: Send, kind: str, method: str, refusal: Refusal) -> None:
    """Sends a whole refusal; `kind` begins the names of its messages."""
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": list(refusal.headers)})
    await send({"type": f"{kind}.body", "body": b"" if method == "HEAD" else refusal.body})
