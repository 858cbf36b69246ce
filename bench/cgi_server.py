"""`git http-backend` behind a plain CGI server of the standard library: what troth's git is measured beside.

Run as `python bench/cgi_server.py ROOT`; prints its port. One thread a request, bodies streamed, nothing checked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO
from urllib.parse import urlsplit

_CHUNK = 256 * 1024


class Handler(BaseHTTPRequestHandler):
    """Hands each request to a new http-backend (RFC 3875)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _serve(self) -> None:
        address = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": sys.argv[1],
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "bench",
            "CONTENT_TYPE": self.headers.get("content-type", ""),
        }
        for header, name in (("content-encoding", "HTTP_CONTENT_ENCODING"), ("git-protocol", "GIT_PROTOCOL")):
            if value := self.headers.get(header):
                environment[name] = value
        if length := self.headers.get("content-length"):
            environment["CONTENT_LENGTH"] = length
        process = subprocess.Popen(
            ["git", "http-backend"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        feeding = threading.Thread(target=self._feed, args=(process.stdin, length))
        feeding.start()
        self._answer(process.stdout)
        feeding.join()
        process.wait()

    def _feed(self, given: IO[bytes], length: str | None) -> None:
        with given:
            if length is not None:
                left = int(length)
                while left and (chunk := self.rfile.read(min(left, _CHUNK))):
                    given.write(chunk)
                    left -= len(chunk)
            elif self.headers.get("transfer-encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    given.write(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()

    def _answer(self, said: IO[bytes]) -> None:
        headers = []
        status = 200
        while line := said.readline().strip():
            name, _, value = line.decode().partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        self.send_response(status)
        for name, value in [*headers, ("Connection", "close")]:
            self.send_header(name, value)
        self.end_headers()
        shutil.copyfileobj(said, self.wfile, _CHUNK)
        self.close_connection = True


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
