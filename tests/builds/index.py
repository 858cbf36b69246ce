"""A package index on this machine, whose packages are made by the tests, and which may misbehave."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


def wheel(name: str, version: str, files: Mapping[str, bytes], metadata: str = "", *, lies: bool = False) -> bytes:
    """A wheel for every machine. One that lies has a RECORD with wrong hashes."""
    about = f"{name}-{version}.dist-info"
    content = {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: troth\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **files,
    }
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    for path, text in content.items():
        digest = hashlib.sha256(text + (b"?" if lies else b"")).digest()
        writer.writerow([path, "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("="), len(text)])
    writer.writerow([f"{about}/RECORD", "", ""])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path, text in {**content, f"{about}/RECORD": rows.getvalue().encode()}.items():
            file.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return archive.getvalue()


class PackageIndex:
    """Serves what it was given. `status` is the answer to everything; `watch` is called at each request."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.status = 200
        self.silent = False
        self.requests = 0
        self.watch: Callable[[], None] = lambda: None

    def add(
        self, name: str, version: str, files: Mapping[str, bytes], metadata: str = "", *, lies: bool = False
    ) -> str:
        """Publishes a wheel, in place of the one with the same name and version; its SHA-256."""
        content = wheel(name, version, files, metadata, lies=lies)
        self.files.setdefault(name, {})[f"{name}-{version}-py3-none-any.whl"] = content
        return hashlib.sha256(content).hexdigest()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def address(self) -> str:
        return f"http://{self.host}/simple"

    def __enter__(self) -> PackageIndex:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.answer(self)

            do_HEAD = do_GET

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.silent = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        self.watch()
        while self.silent:
            time.sleep(0.05)
        kind, *parts = request.path.strip("/").split("/")
        body, status = b"", self.status
        if status == 200 and kind == "simple" and parts[0] in self.files:
            body = self._page(parts[0])
        elif status == 200 and kind == "files":
            body = self.files[parts[0]][parts[1]]
        elif status == 200:
            status = 404
        try:
            request.send_response(status)
            request.send_header("Content-Type", "text/html" if kind == "simple" else "application/octet-stream")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            if request.command == "GET":
                request.wfile.write(body)
        except OSError:
            pass

    def _page(self, name: str) -> bytes:
        links = (
            f'<a href="/files/{name}/{file}#sha256={hashlib.sha256(content).hexdigest()}">{file}</a>'
            for file, content in self.files[name].items()
        )
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
