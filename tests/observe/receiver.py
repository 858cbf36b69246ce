"""An OTLP receiver of the tests' own, which keeps the spans that come by HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Receiver:
    """What a collector received: the spans, and at which path."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.spans: list[Any] = []
        self.paths: set[str] = set()
        self.resources: list[dict[str, str]] = []

    def take(self, path: str, body: bytes) -> None:
        """Keeps what one request holds."""
        self.paths.add(path)
        for found in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append({one.key: one.value.string_value for one in found.resource.attributes})
            self.spans += [span for scope in found.scope_spans for span in scope.spans]

    def named(self, name: str) -> Any:
        """The only span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found


def attributes(span: Any) -> dict[str, str]:
    """The attributes of a span, which all are texts."""
    return {one.key: one.value.string_value for one in span.attributes}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        receiver = Receiver(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield receiver
        http.shutdown()
        thread.join()
