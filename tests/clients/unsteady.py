"""A proxy that spoils some answers, as those between clients and servers do."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx2

Fate = Literal["pass", "lose the answer", "lose the request"]


@contextmanager
def unsteady(address: str, path: str, *fates: Fate) -> Iterator[str]:
    """The address of a proxy in front of `address`; these are the fates of the first requests to `path`."""
    left = list(fates)

    class Between(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fate = left.pop(0) if self.path == path and left else "pass"
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = (502, b"") if fate == "lose the request" else self.forwarded(body)
            status, content = (502, b"") if fate == "lose the answer" else (status, content)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def forwarded(self, body: bytes) -> tuple[int, bytes]:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            reply = httpx2.request(self.command, address + self.path, headers=kept, content=body, timeout=60)
            return reply.status_code, reply.content

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
    thread = threading.Thread(target=server.serve_forever, name="unsteady")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
