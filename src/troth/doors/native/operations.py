"""Operations as rows: from each come its route, the strict reading of its parameters, and its part of the OpenAPI document."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from troth import __version__
from troth.access.roles import Actor
from troth.access.scopes import Scope, require_scope
from troth.calls.routing import Caller, RoutingTable
from troth.doors.authorization import caller_of, why_not
from troth.doors.native.parameters import parameters
from troth.errors import Failed, Forbidden, TooLarge, TrothError, Unauthenticated
from troth.queries.language.hints import unknown
from troth.versions.pages import SECURITY_POLICY

log = structlog.get_logger()

_WITHOUT_QUERY = "Of the question that is asked without `query`."


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read: who asks, the parameters of the path and query as `Operation.query` types them."""

    request: Request
    caller: Caller
    path: dict[str, str]
    query: Any

    @property
    def actor(self) -> Actor:
        """Who asks, as commands and queries take it."""
        return self.caller.actor


@dataclass(frozen=True, slots=True)
class Operation:
    """One row: what is asked where, how it is answered, and which errors it may raise."""

    method: str
    path: str
    name: str
    summary: str
    #: answers with a document, or with a response of its own where it is none
    handler: Callable[[Asked], Awaitable[dict[str, Any] | Response]]
    #: a msgspec struct with the query's parameters, or None where there are none
    query: type[msgspec.Struct] | None = None
    status: int = 200
    body: str | None = None
    errors: tuple[type[TrothError], ...] = ()
    #: the answer as a page of HTML, for who prefers that
    page: Callable[[dict[str, Any]], str] | None = None
    #: whether it is answered without a key too, with what everybody may know
    public: bool = False
    #: row of `troth.access.scopes.NEEDS` that the key has to meet, where it is not the name
    need: str = ""
    #: the operation of the same address that answers where `_asks_older` says so
    older: Operation | None = None
    #: whether a parameter that it does not have is refused
    strict: bool = False
    #: further members of a parameter's description, by its name
    described: Mapping[str, dict[str, Any]] = field(default_factory=dict)


Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

#: Who asks without a key.
_ANYBODY = Caller("", "anybody", administrator=False, scope=Scope(), kind="anybody")


def routes(operations: Sequence[Operation], table: RoutingTable) -> list[Route]:
    """Starlette's routes for these rows."""
    return [Route(row.path, _endpoint(row, table), methods=[row.method], name=row.name) for row in operations]


def by_address(found: Sequence[Route]) -> dict[tuple[str, str], Endpoint]:
    """What answers each method of each path without parameters, where no route before it has them and is meant.

    To find it here takes a tenth of the time that Starlette takes to hand a request on.
    """
    literal: dict[tuple[str, str], Endpoint] = {}
    for place, route in enumerate(found):
        if "{" not in route.path and not any(
            one.path_regex.match(route.path) for one in found[:place] if "{" in one.path
        ):
            for method in route.methods or ():
                literal.setdefault((method, route.path), route.endpoint)
    return literal


def openapi(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these rows."""
    paths: dict[str, dict[str, Any]] = {}
    for row in operations:
        paths.setdefault(row.path, {})[row.method.lower()] = _described(row)
    problem: dict[str, Any] = {key: {} for key in TrothError("").as_problem()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "troth/native", "version": __version__},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": {"type": "object", "properties": problem}},
        },
    }


def problem_response(error: TrothError, request_id: str) -> Response:
    """An error as RFC 9457 problem details."""
    body = json.dumps({**error.as_problem(), "instance": f"urn:troth:request:{request_id}"}, default=str)
    return Response(body, error.status, {"troth-request": request_id}, media_type="application/problem+json")


async def body_of(request: Request, largest: int) -> bytes:
    """The body of a request. Raises TooLarge."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise TooLarge(
                f"the payload is larger than {largest} bytes",
                why="commands are small; what is large is uploaded as a source",
                repair="send a smaller one",
            )
    return body


def _endpoint(row: Operation, table: RoutingTable) -> Endpoint:
    if row.older is not None:
        former = row.older
        newer, older = _endpoint(replace(row, older=None), table), _endpoint(replace(former, strict=True), table)
        names, required = _names(former.query)

        async def chosen(request: Request) -> Response:
            return await (older if _asks_older(names, required, request.query_params.keys()) else newer)(request)

        return chosen

    async def endpoint(request: Request) -> Response:
        request_id = f"req-{uuid.uuid4()}"
        try:
            asked = _read(row, table, request)
            answer = await row.handler(asked)
            log.info("answered", operation=row.name, caller=asked.caller.name, request=request_id)
            return _response(row, request, answer, {"troth-request": request_id})
        except TrothError as error:
            log.info("refused", operation=row.name, code=error.code, clauses=error.clauses, request=request_id)
            return problem_response(error, request_id)
        except Exception:
            log.exception("operation failed", operation=row.name, request=request_id)
            inside = Failed("internal error", repair=f"look for {request_id} in the server's log")
            return problem_response(inside, request_id)

    return endpoint


def _names(kind: type[msgspec.Struct] | None) -> tuple[frozenset[str], frozenset[str]]:
    """Parameters, and those of them that are required."""
    fields = msgspec.structs.fields(kind) if kind is not None else ()
    names = frozenset(field.encode_name for field in fields)
    return names, frozenset(field.encode_name for field in fields if field.required)


def _asks_older(names: Set[str], required: Set[str], sent: Set[str]) -> bool:
    """Whether a request is the older question of its address: what that one requires is sent, and no `query`.

    Where it requires nothing, it is meant as long as everything that is sent is of it.
    """
    if "query" in sent or not required <= sent:
        return False
    return bool(required) or sent <= names


def _response(row: Operation, request: Request, answer: dict[str, Any] | Response, headers: dict[str, str]) -> Response:
    """The answer as JSON, or as a page where the row has one and the client prefers it."""
    if isinstance(answer, Response):
        answer.headers.update(headers)
        return answer
    if row.page is not None:
        headers["vary"] = "Accept"
        if _prefers_html(request.headers.get("accept", "")):
            headers |= {"content-security-policy": SECURITY_POLICY, "x-content-type-options": "nosniff"}
            return Response(row.page(answer), row.status, headers, media_type="text/html")
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return Response(body, row.status, headers, media_type="application/json")


def _prefers_html(accept: str) -> bool:
    """Whether a header Accept (RFC 9110, 12.5.1) names HTML, and JSON less or not."""
    weights = {}
    for part in accept.split(","):
        kind, _, parameters = part.partition(";")
        found = re.search(r"q\s*=\s*([01](?:\.\d{0,3})?)", parameters)
        weights[kind.strip().lower()] = float(found[1]) if found else 1.0
    return weights.get("text/html", 0.0) > weights.get("application/json", 0.0)


def _read(row: Operation, table: RoutingTable, request: Request) -> Asked:
    authorization, head = request.headers.get("authorization", "").encode("latin-1"), request.scope["headers"]
    caller = caller_of(table, authorization, head)
    if caller is None and row.public and not authorization:
        caller = _ANYBODY
    if caller is None:
        why = why_not(table, authorization, head) or "no valid key came with the request"
        raise Unauthenticated("authorization required", why=why, repair="send Authorization: Bearer KEY")
    require_scope(row.need or row.name, caller.scope)
    query = None
    sent = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
    if row.query is not None:
        query = parameters(row.query, sent, strict=row.strict, why=row.summary)
    elif row.strict and sent:
        raise unknown("the parameter", min(sent), ("query",))
    return Asked(request, caller, dict(request.path_params), query)


def _in_query(kind: type[msgspec.Struct] | None) -> list[dict[str, Any]]:
    """The parameters that a struct stands for."""
    if kind is None:
        return []
    (schema,), components = msgspec.json.schema_components([kind])
    found = components[schema["$ref"].rsplit("/", 1)[1]]
    return [
        {"name": name, "in": "query", "required": name in found.get("required", ()), "schema": described}
        for name, described in found["properties"].items()
    ]


def _described(row: Operation) -> dict[str, Any]:
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in row.path.split("/")
        if part.startswith("{")
    ]
    parameters += [{**one, **row.described.get(one["name"], {})} for one in _in_query(row.query)]
    if row.older is not None:
        known = {one["name"] for one in parameters}
        older = [one for one in _in_query(row.older.query) if one["name"] not in known]
        parameters += [{**one, "required": False, "description": _WITHOUT_QUERY} for one in older]
    content: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
    if row.page is not None:
        content["text/html"] = {"schema": {"type": "string"}}
    responses: dict[str, Any] = {str(row.status): {"description": "done", "content": content}}
    errors: list[type[TrothError]] = [Unauthenticated, Forbidden, *row.errors]
    for error in errors:
        summary = (error.__doc__ or "").strip().splitlines()[0]
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(error.status)] = {"description": summary, "content": content}
    described: dict[str, Any] = {
        "operationId": row.name, "summary": row.summary, "parameters": parameters, "responses": responses
    }  # fmt: skip
    if row.public:
        described["security"] = [{}, {"key": []}]
    if row.body:
        described["requestBody"] = {"required": True, "content": {row.body: {}}}
    return described
