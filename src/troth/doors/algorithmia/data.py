"""`/v1/data` and `/v1/connector/data`: directories and files (algorithmia-api, section 10).

Apart from the other endpoints, because bodies go both ways as streams.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import structlog
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from troth.access.data_paths import DataPath, check_collection, path_of
from troth.access.data_rights import USUAL_ACL, DataActor, ReadAcl, Within, acl_of
from troth.access.scopes import DataAccess, Scope
from troth.calls.routing import RoutingTable
from troth.calls.within import LOADING, MARK, PROCESS, RELAYED, CallKeys, Peer, Relayed, bound
from troth.commands.bus import Bus, Envelope
from troth.commands.data import quota_reached
from troth.commands.data_keeping import DataKeeping
from troth.doors.algorithmia import data_streams as streams
from troth.doors.algorithmia.calls import Receive, Send
from troth.doors.algorithmia.data_listings import after_of, limit_of, listing_document
from troth.doors.algorithmia.refusals import INVALID_JSON, INVALID_REQUEST, UNKNOWN_PATH, Numbered, refusal
from troth.doors.authorization import caller_of, why_not
from troth.errors import Failed, MalformedName, NameTaken, TooLarge, TrothError, Unauthenticated
from troth.queries import data as queries
from troth.registry.catalog import find_algorithm_by_id
from troth.registry.data import FileRow
from troth.registry.database import Database
from troth.runtime.engine import VersionSpec

Found = TypeVar("Found")
PREFIXES = ("/v1/data", "/v1/connector", "/v1/hostedData")
_LARGEST_DOCUMENT = 64 * 1024
#: Media type that is accepted to the one that a file is said to have: of a file itself nothing is known. The Python client
#: accepts everything, and without a charset it guesses the encoding of a text, often wrongly.
_SAID = {
    "text/plain": "text/plain; charset=utf-8",
    "application/json": "application/json",
    "*/*": "application/octet-stream; charset=utf-8",
}

log = structlog.get_logger()


def is_data(path: str) -> bool:
    """Whether a request to this path is for here."""
    return path.startswith(PREFIXES) and any(path == one or path.startswith(f"{one}/") for one in PREFIXES)


class OutsideOfFile(Numbered):
    """A range that begins behind the end of a file."""

    def __init__(self, size: int) -> None:
        super().__init__(INVALID_REQUEST, f"the file has {size} bytes", http_status=416)
        self.size = size


class DataDoor:
    """The ASGI application of the data API."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        table: RoutingTable,
        keys: CallKeys,
        loading: Callable[[int], VersionSpec | None],
        keeping: DataKeeping,
        *,
        usual_quota: int,
    ) -> None:
        self._bus = bus
        self._database = database
        self._table = table
        self._keys = keys
        self._loading = loading
        self._keeping = keeping
        self._usual_quota = usual_quota
        self._handlers = {"GET": self._get, "HEAD": self._head, "POST": self._make, "PATCH": self._change,
                          "PUT": self._put, "DELETE": self._delete}  # fmt: skip

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        request, identity = Request(scope, receive), str(uuid.uuid4())
        try:
            response = await self._answered(request)
        except ClientDisconnect:
            return
        except TrothError as error:
            log.info("refused", endpoint="data", method=request.method, code=error.code, request=identity)
            await streams.drained(request, None if getattr(request.state, "known", False) else streams.PATIENCE)
            response = _refused(error, request, identity)
        except Exception:
            log.exception("data failed", method=request.method, request=identity)
            inside = Failed("internal error", repair=f"look for {identity} in the server's log")
            response = refusal(inside, request, identity)
        response.headers["troth-request"] = f"req-{identity}"
        await response(scope, receive, send)  # type: ignore[arg-type]

    async def _answered(self, request: Request) -> Response:
        handler = self._handlers.get(request.method)
        if handler is None:
            raise Numbered(UNKNOWN_PATH, f"{request.method} is not for data", http_status=405)
        actor = await self._actor(request)
        request.state.known = True  # what strangers send is not read without end
        if request.scope["path"].startswith("/v1/hostedData"):
            return await self._hosted(actor)
        return await handler(request, actor, path_of(_segments(request), actor))

    async def _actor(self, request: Request) -> DataActor:
        authorization, head = request.headers.get("authorization", "").encode("latin-1"), request.scope["headers"]
        relayed: Relayed | None = request.scope.get(RELAYED)
        if authorization.strip() == LOADING:
            return await self._loading_actor(self._loaded_by(request.scope["client"], relayed))
        if relayed is not None and relayed.within is not None:
            holder = caller_of(self._table, authorization, head)
            caller = bound(holder, relayed.within) if holder is not None else None
        elif MARK in authorization:
            caller = await self._keys.caller(authorization, request.scope["client"])
        else:
            caller = caller_of(self._table, authorization, head)
        if caller is None:
            raise Unauthenticated("authorization required", why=why_not(self._table, authorization, head))
        call = caller.within
        within = Within(call.algorithm, call.algorithm_owner_id, call.outermost or call.request) if call else None
        return DataActor(caller.id, caller.name, caller.kind, caller.administrator, caller.scope, within)

    def _loaded_by(self, client: Peer, relayed: Relayed | None) -> str:
        """The id of the algorithm of which this process loads a version; nothing where it loads none."""
        if relayed is not None:
            return relayed.loading
        spec = self._loading(client[1]) if client is not None and client[0] == PROCESS else None
        return spec.algorithm_id if spec is not None else ""

    async def _loading_actor(self, algorithm_id: str) -> DataActor:
        """An algorithm whose version is being loaded: it reads what everybody's calls of it could, and acts for nobody."""
        found = await self._read(lambda c: find_algorithm_by_id(c, algorithm_id)) if algorithm_id else None
        if found is None:
            raise Unauthenticated("authorization required", why="no version is being loaded there")
        within = Within(found.subject, found.owner_id, "")
        return DataActor("", "", "user", administrator=False, scope=Scope(data=DataAccess.READ), within=within)

    async def _get(self, request: Request, actor: DataActor, path: DataPath) -> Response:
        if not path.file:
            return await self._list(request, actor, path)
        found, file = await self._open(actor, path)
        try:
            response = _file_response(request, found)
        except TrothError:
            os.close(file)
            raise
        response.content = streams.Content(self._keeping.threads, file)
        return response

    async def _head(self, request: Request, actor: DataActor, path: DataPath) -> Response:
        if not path.file:
            return await self._list(request, actor, path)
        return _file_response(request, await self._read(lambda c: queries.file(c, actor, path)))

    async def _list(self, request: Request, actor: DataActor, path: DataPath) -> Response:
        limit, after = limit_of(request), after_of(request, path)
        found = await self._read(lambda c: queries.listing(c, actor, path, after, limit))
        with_acl = request.query_params.get("acl", "").lower() == "true"
        return _json(listing_document(path, found, with_acl=with_acl), {"X-Data-Type": "directory"})

    async def _make(self, request: Request, actor: DataActor, path: DataPath) -> Response:
        if not path.account or path.collection or path.folder:
            raise Numbered(
                INVALID_REQUEST,
                f"no directory can be made in {path}",
                why="directories are made in an account, and have files in them only",
                repair="make it in data://.my",
            )
        name, acl = _wanted(request, await _document(request))
        payload = {"account": path.account, "collection": check_collection(name), "acl": acl.value}
        await self._submit(actor, "create_collection", payload)
        return _json({"result": f"{path}/{name}"})

    async def _change(self, request: Request, actor: DataActor, path: DataPath) -> Response:
        document = _parsed(await _document(request))
        if set(document) != {"acl"}:
            raise Numbered(INVALID_REQUEST, "of a directory its acl is changed, and nothing else")
        acl = acl_of(document["acl"])
        await self._submit(actor, "set_collection_acl", {**_directory(path), "acl": acl.value})
        return Response(status_code=200, media_type="application/json")

    async def _put(self, request: Request, actor: DataActor, path: DataPath) -> Response:
        """The bytes first, under the id of their upload; then the command by which they are a file."""
        if not path.file:
            raise Numbered(INVALID_REQUEST, f"{path} is a directory", repair="name a file in it")
        room = await self._read(lambda c: queries.room(c, actor, path, self._usual_quota))
        _check_length(request, room)
        threads, blobs = self._keeping.threads, self._keeping.blobs
        upload = await streams.in_thread(threads, blobs.begin)
        stored: dict[str, Any] = {}
        try:
            await streams.received(request, upload, threads, room)
            blob = await streams.in_thread(threads, blobs.keep, upload)
            stored = {"earlier": blob.digest}  # until a file has it
            payload = {**_directory(path), "file": path.file, "upload": upload.id}
            # the body took its time, and the caller's rights are those of now (ALG-26)
            stored = await self._submit(await self._actor(request), "store_file", payload)
        except streams.TooMuch:
            raise quota_reached(room or 0) from None
        finally:
            self._keeping.settled(upload, stored.get("earlier"))
        if actor.within and path.collection.startswith(".session/"):
            self._keeping.sessions.add(actor.within.session)
        return _json({"result": str(path)})

    async def _delete(self, request: Request, actor: DataActor, path: DataPath) -> Response:
        if path.file:
            done = await self._submit(actor, "delete_file", {**_directory(path), "file": path.file})
            self._keeping.freed([done["digest"]])
            return _json({"result": {"deleted": 1}})
        force = request.query_params.get("force", "").lower() == "true"
        done = await self._submit(actor, "delete_collection", {**_directory(path), "force": force})
        if done["files"]:
            self._keeping.freed()
        return _json({"result": {"deleted": done["files"] + 1}})

    async def _hosted(self, actor: DataActor) -> Response:
        rows = await self._read(lambda c: queries.own_collections(c, actor))
        return _json({"result": [_hosted(actor, row.id, row.name, row.acl) for row in rows]})

    async def _open(self, actor: DataActor, path: DataPath) -> tuple[FileRow, int]:
        """The file and a descriptor of its content: once more where it was replaced just between the two."""
        for last in (False, True):
            found = await self._read(lambda c: queries.file(c, actor, path))
            try:
                file = await streams.in_thread(self._keeping.threads, self._keeping.blobs.open, found.digest)
            except FileNotFoundError:
                if last:
                    log.error("the content of a file is gone", digest=found.digest)
            else:
                return found, file
        raise Failed("the content of this file is not there any more", repair="restore the folder data from a backup")

    async def _read(self, ask: Callable[[Connection], Found]) -> Found:
        def answer() -> Found:
            with self._database.read() as connection:
                return ask(connection)

        return await streams.in_thread(self._keeping.threads, answer)

    async def _submit(self, actor: DataActor, command: str, payload: dict[str, Any]) -> dict[str, Any]:
        envelope = Envelope(command, 1, json.dumps(payload).encode(), actor, str(uuid.uuid4()))
        return (await self._bus.submit(envelope)).result


def _segments(request: Request) -> Sequence[str]:
    """The names in the path, each decoded by itself: an encoded slash is no slash between names."""
    raw = request.scope["raw_path"].lstrip(b"/").rstrip(b"/")
    parts = raw.split(b"/")[2:]
    if raw.split(b"/")[1] == b"connector":
        if parts[:1] != [b"data"]:
            raise _unknown_connector(b"".join(parts[:1]))
        parts = parts[1:]
    elif parts and parts[0].endswith(b":"):
        if parts[:2] != [b"data:", b""]:
            raise _unknown_connector(parts[0][:-1])
        parts = parts[2:]
    try:
        return [unquote_to_bytes(part).decode() for part in parts]
    except UnicodeDecodeError:
        raise MalformedName("the path is not UTF-8", repair="encode names as UTF-8") from None


def _unknown_connector(name: bytes) -> Numbered:
    shown = unquote_to_bytes(name)[:80].decode(errors="replace")
    return Numbered(
        UNKNOWN_PATH, f"there is no connector {shown!r}", why="data lies in this server only", repair="use data://"
    )


def _directory(path: DataPath) -> dict[str, str]:
    """The collection of a path, as commands name it."""
    if not path.collection:
        raise Numbered(
            INVALID_REQUEST, f"{path} is not a directory that can be changed", repair="name one of an account's"
        )
    return {"account": path.account, "collection": path.collection}


async def _document(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_DOCUMENT:
            raise TooLarge(f"the body is larger than {_LARGEST_DOCUMENT} bytes", repair="send a smaller one")
    return body


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Numbered(INVALID_JSON, "the body is no JSON object", repair="send one")
    return found


def _wanted(request: Request, body: bytes) -> tuple[str, ReadAcl]:
    """Name and ACL of the directory that is to be made: JSON, or the bare name as some clients send it."""
    if request.headers.get("content-type", "").startswith("text/plain"):
        return body.decode(errors="replace").strip(), USUAL_ACL
    document = _parsed(body)
    name = document.get("name")
    if not isinstance(name, str):
        raise Numbered(INVALID_REQUEST, "the new directory has no name", repair='send {"name": NAME}')
    return name, acl_of(document["acl"]) if "acl" in document else USUAL_ACL


def _check_length(request: Request, room: int | None) -> None:
    length = request.headers.get("content-length", "")
    if room is not None and length.isdigit() and int(length) > room:
        raise quota_reached(room)


def _file_response(request: Request, file: FileRow) -> streams.FileResponse:
    """The answer with a file, or with a part of it, as yet without its content. Raises OutsideOfFile."""
    tag = f'"{file.digest}"'
    headers = {
        "content-type": _media_type(request.headers.get("accept", "")),
        "accept-ranges": "bytes",
        "etag": tag,
        "x-data-type": "file",
        # it is somebody's file, and no page of ours
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
    }
    if request.headers.get("if-none-match", "") == tag:
        return streams.FileResponse(304, headers, 0, 0)
    wanted = request.headers.get("range", "") if request.headers.get("if-range", tag) == tag else ""
    try:
        part = streams.range_of(wanted, file.size)
    except ValueError:
        raise OutsideOfFile(file.size) from None
    start, length = part or (0, file.size)
    headers["content-length"] = str(length)
    if part:
        headers["content-range"] = f"bytes {start}-{start + length - 1}/{file.size}"
    return streams.FileResponse(206 if part else 200, headers, start, length)


def _media_type(accept: str) -> str:
    first = accept.split(",")[0].split(";")[0].strip().lower()
    return _SAID.get(first, "application/octet-stream")


def _hosted(actor: DataActor, identity: str, name: str, acl: ReadAcl) -> dict[str, Any]:
    public = acl is ReadAcl.PUBLIC
    rights = {"read_w": public, "read_g": False, "read_u": True, "read_a": acl is not ReadAcl.PRIVATE}
    place = {"collection_name": name, "username": actor.name, "location": f"data://{actor.name}/{name}"}
    return {"id": identity, "object_id": identity, **place, "acl": rights}


def _json(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Response(content, 200, headers, media_type="application/json")


def _refused(error: TrothError, request: Request, identity: str) -> Response:
    """The answer that tells of an error. Where clients look at the status alone it is never 200."""
    if isinstance(error, NameTaken):
        error = Numbered(INVALID_REQUEST, error.what, why=error.why, repair=error.repair, http_status=409)
    more = {"deleted": 0} if request.method == "DELETE" else {}
    response = refusal(error, request, identity, plain_status=request.method != "PUT", **more)
    if isinstance(error, OutsideOfFile):
        response.headers["content-range"] = f"bytes */{error.size}"
    return response
