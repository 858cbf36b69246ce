"""The ASGI application: calls first and bare, everything else through Starlette."""

from __future__ import annotations

import functools
import json
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from troth import __version__
from troth.calls.within import RELAYED
from troth.commands.formats import shipped
from troth.commands.publishing import Checking
from troth.commands.release_room import ReleaseRoom
from troth.doors.algorithmia.browsers import Pages
from troth.doors.algorithmia.calls import PREFIX, CallDoor, Receive, Send
from troth.doors.algorithmia.data import DataDoor, is_data
from troth.doors.algorithmia.endpoints import PREFIX as V1_PREFIX
from troth.doors.algorithmia.endpoints import EndpointDoor, Row
from troth.doors.algorithmia.inside import InsideRows, InsightRow
from troth.doors.algorithmia.management import ManagementApi
from troth.doors.algorithmia.openapi import described
from troth.doors.algorithmia.people import PeopleRows
from troth.doors.algorithmia.reports import ReportRows
from troth.doors.algorithmia.scm import ScmApi
from troth.doors.authorization import caller_of, is_production
from troth.doors.gateway.door import PREFIX as GATEWAY_PREFIX
from troth.doors.git.transport import PREFIX as GIT_PREFIX
from troth.doors.git.transport import Bounds, GitDoor
from troth.doors.native.api import NativeApi
from troth.doors.native.apis import ApisApi
from troth.doors.native.builds import BuildApi
from troth.doors.native.callers import CallersApi
from troth.doors.native.check import CheckApi
from troth.doors.native.commands import CommandApi
from troth.doors.native.inside import InsideApi
from troth.doors.native.operations import Endpoint, by_address, openapi, problem_response, routes
from troth.doors.native.people import PeopleApi
from troth.doors.native.products import ProductApi
from troth.doors.native.queries import QueryApi, no_entity
from troth.doors.native.release_files import ReleaseFiles
from troth.doors.native.rolling_back import RollbackApi
from troth.doors.native.running import RunningApi
from troth.doors.native.upgrades import UpgradeApi
from troth.doors.native.usage import UsageApi
from troth.doors.native.waivers import WaiverApi
from troth.doors.server.assembly import Server
from troth.doors.server.explaining import Explaining
from troth.doors.server.own_states import OwnStates
from troth.doors.server.relaying import relayed_by
from troth.doors.sites.door import PREFIX as DOCS_PREFIX
from troth.doors.sites.door import SiteDoor
from troth.doors.sites.library import Library
from troth.errors import Forbidden, Malformed, NotFound, TrothError, Unauthenticated
from troth.queries.cursors import Cursors

#: uvicorn's parser takes heads of any size; nobody needs more than this.
_LARGEST_HEAD = 64 * 1024
_HEAD_TOO_LARGE = Malformed(
    "the request's headers are too large",
    why=f"together they have at most {_LARGEST_HEAD} bytes",
    repair="send fewer or shorter ones",
)


class Application:
    """Hands each request to its door."""

    def __init__(self, server: Server) -> None:
        settings = server.settings
        self.calls = CallDoor(
            server.table,
            server.engine,
            server.observation,
            server.results,
            Explaining(server.database, server.readings),
            server.call_keys,
            server.gateway.apis.own,
            call_seconds=settings.call_seconds,
            longest_call_seconds=settings.longest_call_seconds,
            request_bytes=settings.request_bytes,
        )
        self._git = GitDoor(
            server.table,
            server.launcher,
            server.repositories,
            server.repository,
            server.pushed,
            Bounds(settings.push_bytes, settings.git_seconds),
        )
        self._v1 = Pages(EndpointDoor(v1_rows(server), server.table, server.call_keys), server.table)
        data = DataDoor(
            server.bus,
            server.database,
            server.table,
            server.call_keys,
            server.engine.loading,
            server.data,
            usual_quota=settings.data_bytes,
        )
        self._data = Pages(data, server.table)
        self.calls.sessions, self.calls.end_session = server.data.sessions, server.data.end_session
        self._vouches = server.fronts.vouches
        library = Library(server.database, server.sites)
        self._sites = SiteDoor(server.table, library, server.sites, server.data.threads)
        self._gateway = server.gateway.door
        self._rest, self._literal = _rest(server)
        self._marked = OwnStates(
            self._handed, server.gateway.apis.own, lambda headers: is_production(server.table, headers)
        )

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("//"):  # a client whose address ends in a slash
            scope["path"] = "/" + scope["path"].lstrip("/")
        await self._marked(scope, receive, send)

    async def _handed(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if _head_size(scope["headers"]) > _LARGEST_HEAD:
                await _head_too_large(send)
            elif path.startswith(PREFIX):
                await self.calls(scope, receive, send)
            elif path.startswith(GIT_PREFIX):
                await self._git(scope, receive, send)
            elif path.startswith(GATEWAY_PREFIX):
                await self._gateway(scope, receive, send)
            elif path.startswith(DOCS_PREFIX):
                await self._sites(scope, receive, send)
            elif is_data(path):
                scope[RELAYED] = relayed_by(scope, self._vouches)
                await self._data(scope, receive, send)
            elif path.startswith(V1_PREFIX):
                await self._v1(scope, receive, send)
            elif endpoint := self._literal.get((scope["method"], path)):
                response = await endpoint(Request(scope, receive, send))  # type: ignore[arg-type]
                await response(scope, receive, send)  # type: ignore[arg-type]
            else:
                await self._rest(scope, receive, send)  # type: ignore[arg-type]
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1003})


def v1_rows(server: Server) -> list[Row]:
    """The endpoints below `/v1`, and the document that describes them."""
    management = ManagementApi(server.bus, server.database, server.repositories, server.observation.bookkeeping.flush)
    scm = ScmApi(server.bus, server.database, server.origins, server.home.webhook_key(), server.build_behind)
    people = PeopleRows(server.bus, server.database)
    inside = [*InsideRows(server.bus, server.database).rows(), *InsightRow(server.observation.insights).rows()]
    reports = ReportRows(server.database, server.observation.bookkeeping.flush)
    return described([*management.rows(), *scm.rows(), *people.rows(), *inside, *reports.rows()])


def _rest(server: Server) -> tuple[Starlette, dict[tuple[str, str], Endpoint]]:
    """What answers every path that no other door is for, and the short way to paths without parameters."""
    api = NativeApi(server.database, server.trees, server.observation.records, server.home.uploads, server.readings)
    builds = BuildApi(
        server.database, server.repositories, server.environments, server.build_logs, server.garbage, server.threads
    )
    running = RunningApi(server.results)
    commands = CommandApi(server.bus, server.queue.submissions, server.database, largest=server.settings.command_bytes)
    operations = [
        *commands.operations(),
        *api.operations(),
        *builds.operations(),
        *_usage(server).operations(),
        *running.operations(),
    ]
    room = ReleaseRoom(server.database, server.settings.release_bytes)
    release_files = ReleaseFiles(server.release_files, server.data.threads, room)
    operations += ProductApi(server.database, release_files).operations()
    upgrades = UpgradeApi(server.database)
    operations += [*upgrades.operations(), *ApisApi(server.database).operations()]
    flush, well = server.observation.bookkeeping.flush, server.gateway.door.health
    operations += CallersApi(server.database, flush, well).operations()
    operations += WaiverApi(server.database, server.signing_key).operations()
    operations += [*PeopleApi(server.database).operations(), *InsideApi(server.database).operations()]
    operations += CheckApi(Checking(server.database, server.judging), shipped()).operations()
    operations += RollbackApi(server.database, server.bus).operations()
    operations = QueryApi(server.database, Cursors(server.home.webhook_key())).over(operations)
    document = functools.cache(lambda: json.dumps(openapi(operations)).encode())  # no start waits for it

    async def health(request: Request) -> Response:
        found = {"status": "ok", "version": __version__, "isolation": server.engine.isolation.as_dict()}
        return Response(json.dumps(found, separators=(",", ":")), media_type="application/json")

    async def describe(request: Request) -> Response:
        return Response(document(), media_type="application/json")

    async def metrics(request: Request) -> Response:
        authorization = request.headers.get("authorization", "").encode("latin-1")
        caller = caller_of(server.table, authorization, request.scope["headers"])
        if caller is None:
            missing = Unauthenticated("authorization required", repair="send Authorization: Bearer KEY")
            return problem_response(missing, _request_id())
        if not caller.administrator:  # metrics name private algorithms
            return problem_response(Forbidden("metrics are for administrators of this server"), _request_id())
        await server.queue.look()
        return Response(server.observation.metrics.render(), media_type="text/plain; version=0.0.4")

    ordinary = [
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/api/v1/openapi.json", describe),
        Route("/api/v1/calendars/{token}.ics", upgrades.feed),
    ]
    found = routes(operations, server.table)
    return Starlette(routes=[*ordinary, *found], exception_handlers={HTTPException: _unrouted}), by_address(found)


def _usage(server: Server) -> UsageApi:
    observed = server.observation
    return UsageApi(
        server.database,
        server.states,
        observed.usage.totals,
        observed.bookkeeping.settle,
        server.fronts.described,
    )


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    found: TrothError = (
        no_entity(request.url.path)
        or NotFound(f"there is nothing at {request.url.path[:200]}", repair="see /api/v1/openapi.json")
        if error.status_code == 404
        else Malformed(f"{request.method} is not for {request.url.path[:200]}", repair="see /api/v1/openapi.json")
    )
    response = problem_response(found, _request_id())
    response.status_code = error.status_code
    return response


def _head_size(headers: list[tuple[bytes, bytes]]) -> int:
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
    return size


async def _head_too_large(send: Send) -> None:
    body = json.dumps(_HEAD_TOO_LARGE.as_problem()).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _request_id() -> str:
    return f"req-{uuid.uuid4()}"
