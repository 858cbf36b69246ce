"""The other machine of the network scene: takes its addresses when its link is there, then answers everywhere.

argv: the port, then commands that configure its network, which wait for a line of input. Standard library only.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Listens at IPv4 and IPv6 addresses."""

    address_family = socket.AF_INET6


class Handler(BaseHTTPRequestHandler):
    """Says where it was asked, and gives back what it gets."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(f"other machine {self.path}".encode())

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *words: object) -> None:
        """Says nothing."""

    def _answer(self, text: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def main() -> None:
    sys.stdin.readline()
    for line in sys.argv[2:]:
        subprocess.run(line.split(), check=True)
    server = Server(("::", int(sys.argv[1])), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
