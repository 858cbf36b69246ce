"""The middleware for Django's own list: `MIDDLEWARE = ["troth.sdk.lifecycles.django.LifeCycle", ...]`, first of all.

The setting `TROTH_STATES` holds the application's `ApiStates`. `TROTH_PRODUCTION` may hold a function that says of a request
whether brownouts spare it; without it they spare every one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from troth.sdk.lifecycles.states import ApiStates
from troth.versions.lifecycles.headers import Marking, Native

_Answer = Callable[[HttpRequest], Any]


class LifeCycle:
    """Django's form of the middleware, for synchronous and asynchronous handlers."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response
        self._states: ApiStates = settings.TROTH_STATES
        self._production: Callable[[HttpRequest], bool] | None = getattr(settings, "TROTH_PRODUCTION", None)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        marking = self._states.marking(request.path_info)
        if self._is_async:
            return self._later(request, marking)
        refusal = self._refused(request, marking)
        return refusal if refusal is not None else _marked(self._get_response(request), marking)

    async def _later(self, request: HttpRequest, marking: Marking | None) -> HttpResponse:
        refusal = self._refused(request, marking)
        return refusal if refusal is not None else _marked(await self._get_response(request), marking)

    def _refused(self, request: HttpRequest, marking: Marking | None) -> HttpResponse | None:
        if marking is None:
            return None
        production = self._production is None or (bool(marking.windows) and self._production(request))
        refusal = self._states.refused(marking, production=production)
        if refusal is None:
            return None
        return _said(HttpResponse(refusal.body, status=refusal.status), refusal.native)


def _marked(response: HttpResponse, marking: Marking | None) -> HttpResponse:
    return _said(response, marking.native) if marking is not None else response


def _said(response: HttpResponse, headers: Native) -> HttpResponse:
    for name, value in headers:
        own = response.headers.get("link") if name == "link" else None  # the application's own links stay
        response.headers[name] = f"{own}, {value}" if own is not None else value
    return response
