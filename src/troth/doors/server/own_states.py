"""Around every door of troth's own APIs: replies say in which state the API is, and nothing answers for one that is gone (PDB-38)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from troth.calls.own_apis import OwnApis
from troth.sdk.lifecycles.asgi import marked, refuse

#: Whether a request, by its headers, comes with a production key.
IsProduction = Callable[[list[tuple[bytes, bytes]]], bool]


class OwnStates:
    """An ASGI application around that of the doors."""

    def __init__(self, app: Any, apis: OwnApis, is_production: IsProduction) -> None:
        self._app = app
        self._apis = apis
        self._is_production = is_production

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        found = self._apis.marking(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        live, marking = found
        production = bool(marking.windows) and self._is_production(scope["headers"])
        refusal = live.refused(marking, production=production)
        if refusal is not None:
            await refuse(send, "http.response", scope["method"], refusal)
        else:
            await self._app(scope, receive, marked(send, marking) if marking.headers else send)
