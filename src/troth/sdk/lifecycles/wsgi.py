"""The middleware for WSGI: `app.wsgi_app = LifeCycle(app.wsgi_app, states)` in Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from troth.sdk.lifecycles.states import ApiStates
from troth.versions.lifecycles.headers import Marking

Environ = dict[str, Any]
Start = Callable[..., Any]
App = Callable[[Environ, Start], Iterable[bytes]]


class LifeCycle:
    """A WSGI application around another one, as `troth.sdk.lifecycles.asgi.LifeCycle` is for ASGI.

    `production` says of an environment whether the request is one that brownouts spare; without it every one is.
    """

    def __init__(self, app: App, states: ApiStates, production: Callable[[Environ], bool] | None = None) -> None:
        self._app = app
        self._states = states
        self._production = production

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        marking = self._states.marking(environ.get("PATH_INFO", ""))
        if marking is None or (not marking.headers and not marking.windows):
            return self._app(environ, start)
        production = self._production is None or (bool(marking.windows) and self._production(environ))
        refusal = self._states.refused(marking, production=production)
        if refusal is None:
            return self._app(environ, _marking(start, marking))
        start(f"{refusal.status} {HTTPStatus(refusal.status).phrase}", [*refusal.native])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [refusal.body]


def _marking(start: Start, marking: Marking) -> Start:
    native, once = marking.native, marking.once_native

    def marked(status: str, said: list[tuple[str, str]], *more: Any) -> Any:
        return start(status, [*[header for header in said if header[0].lower() not in once], *native], *more)

    return marked
