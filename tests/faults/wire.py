"""What the tests of this folder share: requests that no client would send, and what every answer is checked for."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.server import ECHO, RunningServer
from troth.runtime.pool import Pool
from troth.runtime.process import WorkerProcess
from troth.sdk import Client

#: No test waits longer than this for one answer, so that a call that is never answered fails instead of hanging.
PATIENCE = 60.0
JSON, TEXT, BINARY = "application/json", "text/plain", "application/octet-stream"
PUBLIC = {"visibility": "public"}


@dataclass(frozen=True)
class Author:
    """A user who builds and publishes, with a client that does not wait for ever."""

    server: RunningServer
    name: str
    key: str
    client: Client
    folder: Path

    def build(self, code: str = ECHO, **options: Any) -> tuple[str, str]:
        """(owner/name, hash) of a new algorithm with a successful build."""
        return self.server.build(self.folder, self.name, self.client, code=code, **options)

    def publish(self, code: str = ECHO, *, permissions: Mapping[str, Any] = PUBLIC, **options: Any) -> str:
        """The complete reference of a new published algorithm, which everybody may call unless told otherwise."""
        algorithm, commit = self.build(code, permissions=permissions, **options)
        version: str = self.client.publish(algorithm, commit, bump="minor")["version"]
        return f"{algorithm}/{version}"

    def call(self, reference: str, given: Any = None, **how: Any) -> Any:
        """The result of a call."""
        return self.client.call(reference, given, **how).result


@contextmanager
def author_of(server: RunningServer, folder: Path) -> Iterator[Author]:
    """A new author on this server."""
    name, _ = server.account("author")
    with patient(server, server.keys[name]) as client:
        yield Author(server, name, server.keys[name], client, folder)


def patient(server: RunningServer, key: str) -> Client:
    """A client that gives up after PATIENCE; to be closed by the caller."""
    return Client(server.address, key, seconds=PATIENCE)


def post(
    server: RunningServer,
    path: str,
    content: bytes | Iterable[bytes] = b"",
    *,
    key: str = "",
    kind: str | None = JSON,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    **query: Any,
) -> httpx2.Response:
    """The reply to one request; `kind` is its content type and `key` goes into the Authorization header bare."""
    sent = {**({"Content-Type": kind} if kind is not None else {}), **({"Authorization": key} if key else {})}
    with httpx2.Client(base_url=server.address, timeout=PATIENCE, trust_env=False, verify=False) as http:
        return http.request(method, path, content=content, headers={**sent, **(headers or {})}, params=query)


def call(server: RunningServer, reference: str, content: bytes | Iterable[bytes], **how: Any) -> httpx2.Response:
    """The reply to a call of an algorithm, as `post` sends it."""
    return post(server, f"/v1/algo/{reference}", content, **how)


def exchange(server: RunningServer, *parts: bytes, leave: bool = False) -> httpx2.Response | None:
    """What comes back for these bytes, sent whole, until the server closes.

    With `leave` the client closes its side behind them.
    """
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port or 80), timeout=PATIENCE) as connection:
        connection.sendall(b"".join(parts))
        if leave:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    if not received:
        return None
    head, _, content = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return httpx2.Response(int(first.split()[1]), headers=headers, content=content)


def answered(server: RunningServer, *parts: bytes) -> httpx2.Response:
    """`exchange` where an answer has to come."""
    reply = exchange(server, *parts)
    assert reply is not None, "the connection was closed without an answer"
    return reply


def head(path: str | bytes, key: str, *lines: str, method: str = "POST") -> bytes:
    """The head of a request on a connection that is closed after it."""
    target = path if isinstance(path, bytes) else path.encode()
    fixed = ["", "Host: troth", "Connection: close", *([f"Authorization: {key}"] if key else []), *lines, "", ""]
    return method.encode() + b" " + target + b" HTTP/1.1" + "\r\n".join(fixed).encode("latin-1")


def call_error(reply: httpx2.Response, kind: str = "SystemError", *, status: int = 200) -> str:
    """The message of a call's error, after its shape was checked (algorithmia-api, section 3.1)."""
    assert reply.status_code == status, reply.text[:500]
    assert reply.headers["content-type"] == "application/json"
    found = reply.json()
    assert set(found) == {"error", "metadata"}, found
    assert found["error"]["error_type"] == kind, found["error"]
    assert found["metadata"]["request_id"].startswith("req-")
    assert found["metadata"]["duration"] >= 0
    message: str = found["error"]["message"]
    assert message.strip()
    return message


def problem(reply: httpx2.Response, status: int, code: str, *, plain: bool = False) -> dict[str, Any]:
    """RFC 9457 problem details, after it was checked that they say what, why and what would repair it.

    `plain` is for what strangers hear of private things, which has no reason on purpose (ALG-25).
    """
    assert reply.status_code == status, reply.text[:500]
    assert reply.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = reply.json()
    assert (found["status"], found["code"], found["type"]) == (status, code, f"urn:troth:error:{code}")
    assert found["instance"].startswith("urn:troth:request:req-")
    assert found["title"]
    assert found["detail"]
    if not plain:
        assert found["why"], f"no why in {found}"
        assert found["repair"], f"no repair in {found}"
    return found


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)
    return found


def pool_of(server: RunningServer, reference: str) -> Pool:
    """The engine's pool of a public version that was called before."""
    owner, name, version = reference.split("/")
    spec = server.server.table.algorithms[f"{owner}/{name}"].open[version].spec
    pool: Pool = wait_for(lambda: server.server.engine._pools.get(spec.id), f"a pool of {reference}")
    return pool


def worker_of(server: RunningServer, reference: str) -> WorkerProcess:
    """The present worker of a public version."""
    pool = pool_of(server, reference)
    worker: WorkerProcess = wait_for(lambda: pool.workers and pool.workers[0], f"a worker of {reference}")
    return worker


def process_of(worker: WorkerProcess) -> int:
    """The process of the only worker of a sandbox, as this machine numbers it."""
    return newest_below(sandbox_of(worker))


def sandbox_of(worker: WorkerProcess) -> int:
    """The outermost process of a worker's sandbox."""
    return worker._host._confined.pid  # type: ignore[attr-defined,no-any-return]


def newest_below(process: int) -> int:
    """The innermost process below one that runs a worker: the last that was started."""
    found = process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            if b"worker.py" in Path(f"/proc/{child}/cmdline").read_bytes():
                found = newest_below(child)
    return found


def wait_for_calls(pool: Pool, count: int) -> None:
    """Waits until a pool has so many calls: with its worker, and waiting."""

    def found() -> bool:
        return len(pool.waiting) + sum(len(worker._calls) for worker in pool.workers) == count

    wait_for(found, f"{count} calls in line")


def wait_for_another(pool: Pool, worker: WorkerProcess) -> None:
    """Waits until a worker is no longer its pool's."""
    wait_for(lambda: worker not in pool.workers, "the end of the worker")
