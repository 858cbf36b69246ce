"""A client for one server and one key. Errors of the server come back as the classes of `troth.errors`."""

from __future__ import annotations

import base64
import json
import ssl
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

import httpx2

from troth.errors import MalformedReference, NotFound, ServerUnreachable
from troth.sdk.questions import Questions
from troth.sdk.replies import answered_by, document_of
from troth.versions.chain import Link

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: things that one command of garbage removes; its payload stays small
_THINGS_AT_ONCE = 5000
#: rows in one page of a query
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a call, with what ran: `receipt` holds the reply's `troth-` headers without that prefix."""

    result: Any
    content_type: str
    seconds: float
    stdout: str | None
    receipt: dict[str, str]


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine; no proxy leads there."""
    return (urlsplit(address).hostname or "") in _LOOPBACK


def _verifying(address: str) -> ssl.SSLContext | bool:
    """How certificates are verified: without TLS none is accepted, because to read the machine's takes every command 30 ms."""
    return urlsplit(address).scheme == "https" or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Client(Questions):
    """Talks to the server at `address` with `key`."""

    def __init__(self, address: str, key: str, *, seconds: float = 3700.0) -> None:
        self.address = address.rstrip("/")
        self.key = key
        self._http = httpx2.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(seconds, connect=5.0),
            trust_env=not is_loopback(self.address),
            verify=_verifying(self.address),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def health(self) -> dict[str, Any]:
        """The server's status, version and isolation."""
        return self._get("/health")

    def command(self, name: str, /, *, version: int = 1, identity: str = "", **payload: Any) -> dict[str, Any]:
        """The result of a command. `identity` is its uuid, for a caller who may have to send it again."""
        query = {"command": name, "version": version, "uuid": identity or str(uuid.uuid4())}
        outcome = self._json("POST", "/api/v1/cmd", params=query, content=json.dumps(payload).encode())
        result: dict[str, Any] = outcome["result"]
        return result

    def submit(self, command: str, version: int, payload: Any, **how: Any) -> dict[str, Any]:
        """The whole answer to a submission, of a team's command as soon as it is durable; `how` are parameters of the query."""
        query = {"command": command, "version": version, **how}
        return self._json("POST", "/api/v1/cmd", params=query, content=json.dumps(payload).encode())

    def queued(self, identity: str, submitted_by: str = "") -> dict[str, Any]:
        """What became of an accepted command."""
        return self._get(f"/api/v1/queue/{quote(identity, safe='')}", submitted_by=submitted_by)

    def queue(self, **which: Any) -> dict[str, Any]:
        """Accepted commands, the newest first; `which` may have command, state, after and limit."""
        return self._get("/api/v1/queue", **which)

    def commands(self) -> list[dict[str, Any]]:
        """The commands that this caller may send."""
        found: list[dict[str, Any]] = self._get("/api/v1/commands")["commands"]
        return found

    def command_format(self, command: str) -> dict[str, Any]:
        """A command with its wire formats."""
        return self._get(f"/api/v1/commands/{quote(command, safe='/')}")

    def compile(self, folder: Path, message: str = "") -> dict[str, Any]:
        """Uploads a project's folder and builds it: hash, status and log of the build.

        The algorithm is created where it does not exist yet. `troth.sdk.push` does the same by git.
        """
        # the other verbs of the command line need not wait for this
        from troth.sdk.folder import read_project, read_source

        project = read_project(folder)
        manifest, archive = read_source(folder)
        self._json(
            "PUT", f"/api/v1/sources/{manifest.digest}", content=archive, headers={"Content-Type": "application/x-tar"}
        )
        try:
            return self.command("compile_algorithm", algorithm=project.subject, source=manifest.digest, message=message)
        except NotFound:
            self.command("create_algorithm", algorithm=project.subject, summary=project.summary)
        return self.command("compile_algorithm", algorithm=project.subject, source=manifest.digest, message=message)

    def build(self, algorithm: str, commit: str) -> dict[str, Any]:
        """Builds a commit that was pushed, or joins its build under way: hash, status and log of the build."""
        return self.command("compile_algorithm", algorithm=algorithm, commit=commit)

    def publish(self, algorithm: str, commit: str, **how: Any) -> dict[str, Any]:
        """Publishes a build; `how` holds `bump` or `number`, and `visibility`, `notes` and `confirm_permissions` where wanted.

        The bump `least` is the lowest legal number.
        """
        return self.command("publish_version", algorithm=algorithm, hash=commit, **how)

    def check(self, algorithm: str, commit: str, **how: Any) -> dict[str, Any]:
        """The verdict on what `publish` would do, and nothing is published. Without bump and number it names the lowest."""
        payload = {"algorithm": algorithm, "hash": commit, **how}
        return self._json("POST", "/api/v1/check", content=json.dumps(payload).encode())

    def call(self, reference: str, given: Any, *, seconds: float | None = None, stdout: bool = False) -> Answer:
        """Calls an algorithm with text, bytes, or anything that JSON can carry.

        Raises NotFound, Unauthenticated, Overloaded, or CallFailed with the algorithm's own error.
        """
        content, kind = body_of(given)
        query = {key: value for key, value in (("timeout", seconds), ("stdout", stdout or None)) if value is not None}
        path = "/v1/algo/" + quote(reference.removeprefix("algo://"), safe="/*")
        reply = self._send("POST", path, params=query, content=content, headers={"Content-Type": kind})
        return Answer(**answered_by(reply))

    def resolve(self, reference: str) -> dict[str, Any]:
        """What a reference means to this caller, with the reasons."""
        return self._get("/api/v1/resolve", reference=reference)

    def versions(self, algorithm: str) -> dict[str, Any]:
        """The versions of an algorithm that this caller may know of, highest first."""
        return self._get("/api/v1/query/versions", algorithm=algorithm)

    def lines(self, algorithm: str) -> dict[str, Any]:
        """The public major lines of an algorithm: their states, what was announced, and how much they are called."""
        return self._get("/api/v1/query/lines", algorithm=algorithm)

    def contract(self, reference: str) -> dict[str, Any]:
        """What the version promises that a reference means to this caller: its schemas, examples and permissions."""
        return self._get("/api/v1/query/contract", reference=reference)

    def waivers(self, algorithm: str) -> dict[str, Any]:
        """The waivers of an algorithm, the newest first; for strangers those of versions that they may know of."""
        return self._get("/api/v1/query/waivers", algorithm=algorithm)

    def release_waivers(self, product: str) -> dict[str, Any]:
        """The waivers of a product's releases, the newest first; for strangers those by which something was released."""
        return self._get("/api/v1/query/release-waivers", product=product)

    def api_waivers(self, api: str) -> dict[str, Any]:
        """The waivers of an API's changes, the newest first; for strangers those by which something was changed."""
        return self._get("/api/v1/query/api-waivers", api=api)

    def waiver(self, identity: str) -> dict[str, Any]:
        """One waiver and what became of it."""
        return self._get(f"/api/v1/waivers/{quote(identity, safe='')}")

    def signing_key(self) -> dict[str, Any]:
        """The public half of the key that the server signs waivers with."""
        return self._get("/api/v1/signing-key")

    def replays(self) -> dict[str, Any]:
        """How versions answered their examples on the worker that the server has, for administrators."""
        return self._get("/api/v1/query/replays")

    def builds(self, algorithm: str) -> dict[str, Any]:
        """The builds of an algorithm, for members of its owner."""
        return self._get("/api/v1/query/builds", algorithm=algorithm)

    def build_log(self, algorithm: str, commit: str, after: int = 0, wait: int = 0) -> dict[str, Any]:
        """The log of a build from the character `after` on: status, log, and the `next` position to ask from.

        Waits up to `wait` seconds (at most 30) for more while the build is under way.
        """
        return self._get("/api/v1/builds/log", algorithm=algorithm, hash=commit, after=after, wait=wait)

    def bill_of_materials(self, algorithm: str, commit: str) -> dict[str, Any]:
        """What a build is made of, as a CycloneDX document."""
        return self._get("/api/v1/builds/sbom", algorithm=algorithm, hash=commit)

    def verify_rebuild(self, algorithm: str, commit: str) -> dict[str, Any]:
        """What comes out when a build is made again beside itself: whether it is the same, and the digests of both."""
        return self._get("/api/v1/builds/rebuild", algorithm=algorithm, hash=commit)

    def garbage(self) -> list[dict[str, Any]]:
        """What lies on the server's disk and no build needs: kind, id and bytes of each, for administrators."""
        things: list[dict[str, Any]] = self._get("/api/v1/query/garbage")["things"]
        return things

    def collect(self, things: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Removes these of what `garbage` listed, as far as still not needed: what was removed, and its bytes."""
        removed: list[dict[str, Any]] = []
        for first in range(0, len(things), _THINGS_AT_ONCE):
            named = [{key: thing[key] for key in ("kind", "id")} for thing in things[first : first + _THINGS_AT_ONCE]]
            removed += self.command("collect_garbage", things=named)["removed"]
        return {"removed": removed, "bytes": sum(thing["bytes"] for thing in removed)}

    def metrics(self) -> str:
        """The server's metrics in Prometheus' text format, for administrators."""
        reply = self._send("GET", "/metrics")
        if reply.status_code >= 400:
            document_of(reply)
        return reply.text

    def upload_release_file(self, digest: str, pieces: Iterator[bytes], size: int) -> None:
        """Uploads a file of a release, of which no more than a piece is in memory."""
        headers = {"content-type": "application/octet-stream", "content-length": str(size)}
        self._json("PUT", f"/api/v1/release-files/{digest}", content=pieces, headers=headers)

    def release_file(self, product: str, number: str, name: str, target: IO[bytes]) -> None:
        """Writes a file of a release into `target`: `documentation`, `evidence`, or an artifact by its name."""
        question = {"product": product, "number": number, "name": name}
        with self._http.stream("GET", "/api/v1/release-files", params=question) as reply:
            if reply.status_code >= 400:
                reply.read()
                document_of(reply)
            for piece in reply.iter_bytes(1 << 20):
                target.write(piece)

    def usage(self, **question: Any) -> dict[str, Any]:
        """Calls by period, version, caller and outcome, as far as this caller may know of them.

        The question may hold `algorithm`, `version`, `caller`, `from`, `to`, `by` (minute, hour or day) and `limit`.
        """
        return self._get("/api/v1/query/usage", **question)

    def engine(self) -> dict[str, Any]:
        """What the engine is doing now and what was called since the server started, for administrators."""
        return self._get("/api/v1/engine")

    def floating(self, days: int = 30) -> dict[str, Any]:
        """What production keys called by references that float, in so many days."""
        return self._get("/api/v1/query/floating", days=days)

    def organization(self, name: str) -> dict[str, Any]:
        """An organisation with its members."""
        return self._get("/api/v1/query/organization", organization=name)

    def keys(self, account: str = "") -> dict[str, Any]:
        """This caller's keys, or those of an organisation that it is an admin of, without what is secret."""
        return self._get("/api/v1/query/keys", account=account)

    def secrets(self, of: str) -> dict[str, Any]:
        """The secrets of an algorithm or account, without their values, for members of the owner."""
        return self._get("/api/v1/query/secrets", of=of)

    def insights(self, algorithm: str, **wanted: Any) -> dict[str, Any]:
        """Figures that an algorithm reported, newest first: `wanted` may hold `key`, `version`, `request`, `from`, `to`, `limit`."""
        return self._get("/api/v1/query/insights", algorithm=algorithm, **wanted)

    def accounts(self) -> dict[str, Any]:
        """All accounts, for administrators."""
        return self._get("/api/v1/query/accounts")

    def query(self, entity: str, query: Any = None, **how: Any) -> dict[str, Any]:
        """A page of what a query finds: `rows`, and `next`, a cursor, where more follow.

        `query` is a text in the short form or the JSON form; `how` holds `order_by`, `limit`, `offset`, `cursor`,
        `include_total` and `as_of` where wanted. Raises Malformed with what was probably meant.
        """
        document = {"query": query, **{name: value for name, value in how.items() if value is not None}}
        return self._json("POST", f"/api/v1/query/{quote(entity, safe='')}", content=json.dumps(document).encode())

    def query_all(self, entity: str, query: Any = None, *, most: int = 0, **how: Any) -> Iterator[dict[str, Any]]:
        """The rows that a query finds, page by page: all, or `most` of them."""
        cursor, found = None, 0
        while True:
            size = min(most - found, _ROWS_AT_ONCE) if most else _ROWS_AT_ONCE
            page = self.query(entity, query, **how, limit=size, cursor=cursor)
            yield from page["rows"]
            cursor, found = page["next"], found + len(page["rows"])
            if cursor is None or found == most:
                return

    def rollback(self, kind: str, subject: str, to: str, release: str = "") -> dict[str, Any]:
        """What settings or a state were at a position or moment, how they differ now, and what a rollback would come to."""
        return self._get("/api/v1/rollback", kind=kind, subject=subject, to=to, release=release)

    def receipt(self, request: str) -> dict[str, Any]:
        """What ran in the call with this request id."""
        return self._get(f"/api/v1/receipts/{quote(request, safe='')}")

    def journal(self, after: int = 0) -> Iterator[Link]:
        """Every journal entry behind a position, in order, for administrators."""
        while True:
            page = self._get("/api/v1/query/journal", after=after)["entries"]
            if not page:
                return
            for row in page:
                yield Link(row["position"], base64.b64decode(row["entry"]), row["previous"], row["digest"])
            after = page[-1]["position"]

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._json("GET", path, params=query)

    def _json(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        return document_of(self._send(method, path, **how))

    def _send(self, method: str, path: str, **how: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **how)
        except httpx2.InvalidURL as error:
            raise MalformedReference(f"the request cannot be addressed: {error}", clauses=["ALG-12"]) from None
        except httpx2.TransportError as error:
            raise ServerUnreachable(
                f"no server answers at {self.address}",
                why=str(error) or type(error).__name__,
                repair="start one with troth up, or name another with --server or TROTH_SERVER",
            ) from None


def body_of(given: Any) -> tuple[bytes, str]:
    """The body of a call and its content type: bytes as they are, text, and everything else as JSON."""
    if isinstance(given, (bytes, bytearray)):
        return bytes(given), "application/octet-stream"
    if isinstance(given, str):
        return given.encode(), "text/plain"
    return json.dumps(given, ensure_ascii=False).encode(), "application/json"
