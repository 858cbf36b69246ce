"""Endpoints as rows: from each come its route, who asks, its body, and the JSON that answers or refuses.

A path below an algorithm is one row for both of its names: `{algorithm:algorithm}` is `owner/name` or a uuid.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from troth.access.roles import Actor
from troth.calls.routing import Caller, RoutingTable
from troth.calls.within import CallKeys, Within
from troth.doors.algorithmia.calls import Receive, Send
from troth.doors.algorithmia.encodings import packed, unpacked
from troth.doors.algorithmia.refusals import UNKNOWN_PATH, Numbered, refusal
from troth.doors.authorization import caller_of, why_not
from troth.errors import Failed, TooLarge, TrothError, Unauthenticated

PREFIX = "/v1/"
#: The path of an algorithm, by both of its names.
ALGORITHM = "/v1/algorithms/{algorithm:algorithm}"
#: Who asks without a key, where none is needed.
NOBODY = Caller("", "", False)
#: What a handler answers with: JSON, nothing at all, or a whole response.
Answer = dict[str, Any] | list[Any] | None | Response
_LARGEST_BODY = 1 << 20
#: Bytes of a body that is too large which are still read, so that the client hears why.
_PATIENCE = 64 << 20
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII
)

log = structlog.get_logger()


class _AlgorithmConvertor(StringConvertor):
    _UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    regex = f"{_UUID}|(?!{_UUID}/)[^/]+/[^/]+"


register_url_convertor("algorithm", _AlgorithmConvertor())


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read: who asks, and the body."""

    request: Request
    caller: Caller
    body: bytes
    #: the call that asks, where it is one
    within: Within | None = None

    @property
    def actor(self) -> Actor:
        return self.caller.actor

    @property
    def algorithm(self) -> str:
        """The algorithm that the path names."""
        return self.path("algorithm")

    @property
    def server(self) -> str:
        """The address under which the client knows this server."""
        scope = self.request.scope
        host = self.request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            name, port = scope.get("server") or ("localhost", None)
            host = f"{name}:{port}" if port else str(name)
        return f"{scope['scheme']}://{host}"

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A parameter of the query; empty where there is none."""
        return self.request.query_params.get(name, "")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what is asked where, and how it is answered; the rest describes it (`troth.doors.algorithmia.openapi`)."""

    method: str
    path: str
    #: answers with JSON, with a response, or with None where the body of the answer is empty
    handler: Callable[[Asked], Awaitable[Answer]]
    status: int = 200
    #: whether the key of a call that runs is taken, and no other
    inside: bool = False
    #: what the body is read as
    body: type[msgspec.Struct] | None = None
    #: parameters of the query
    query: tuple[str, ...] = ()
    #: whether it answers without a key
    open: bool = False


class EndpointDoor:
    """The ASGI application for these rows. Slashes at the end of a path are ignored; nothing is ever redirected."""

    def __init__(self, rows: Sequence[Row], table: RoutingTable, keys: CallKeys) -> None:
        routes = [Route(row.path, _endpoint(row, table, keys), methods=[row.method]) for row in rows]
        self._app = Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        await self._app({**scope, "path": path}, receive, send)  # type: ignore[arg-type]


def _endpoint(row: Row, table: RoutingTable, keys: CallKeys) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        identity = str(uuid.uuid4())
        try:
            body = await _body(request)
            # only now, because the body may take its time, and the caller's rights are those of now (ALG-26)
            if row.inside and (within := await keys.awaited(_authorization(request), request.scope["client"])):
                asked = Asked(request, within.caller, body, within)
            else:
                asked = Asked(request, _caller(request, table, row), body)
            answer = await row.handler(asked)
            log.info("answered", endpoint=row.path, method=row.method, caller=asked.caller.name, request=identity)
            return _answered(answer, request, identity, row.status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to hear
        except TrothError as error:
            log.info("refused", endpoint=row.path, method=row.method, code=error.code, request=identity)
            if error.status == Failed.status:  # its words are for the operator, and name paths of this machine
                log.error("endpoint failed", endpoint=row.path, request=identity, what=error.what, why=error.why)
                return refusal(_inside(identity), request, identity)
            return refusal(error, request, identity)
        except Exception:
            log.exception("endpoint failed", endpoint=row.path, method=row.method, request=identity)
            return refusal(_inside(identity), request, identity)

    return endpoint


def _inside(identity: str) -> Failed:
    return Failed("internal error", repair=f"look for {identity} in the server's log")


def _answered(answer: Answer, request: Request, identity: str, status: int) -> Response:
    told = {"troth-request": f"req-{identity}"}
    if isinstance(answer, Response):
        answer.headers.update(told)
        return answer
    if answer is None:
        return Response(None, status, told)
    content = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    content, headers = packed(content, request.headers.get("accept-encoding", ""))
    return Response(content, status, {**told, **headers}, media_type="application/json")


def _caller(request: Request, table: RoutingTable, row: Row) -> Caller:
    authorization, head = _authorization(request), request.scope["headers"]
    caller = caller_of(table, authorization, head)
    if caller is None and row.open:
        return NOBODY
    if caller is None:
        raise Unauthenticated("authorization required", why=why_not(table, authorization, head))
    return caller


def _authorization(request: Request) -> bytes:
    return request.headers.get("authorization", "").encode("latin-1")


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= _LARGEST_BODY:
            chunks.append(chunk)
        if size > _PATIENCE:
            break
    if size > _LARGEST_BODY:
        raise TooLarge(f"the body is larger than {_LARGEST_BODY} bytes", repair="send a smaller one")
    return unpacked(b"".join(chunks), request.headers.get("content-encoding", ""), _LARGEST_BODY)


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"][:200]
    what = f"there is nothing at {path}" if error.status_code == 404 else f"{request.method} is not for {path}"
    response = refusal(Numbered(UNKNOWN_PATH, what, http_status=error.status_code), request, str(uuid.uuid4()))
    response.headers.update(error.headers or {})
    return response
