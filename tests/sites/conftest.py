"""A product with four releases, read over HTTP as browsers and programs do."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPMessage
from urllib.parse import urlsplit

import pytest

from tests.server import RunningServer
from tests.sites.bundles import GUIDE, SHOP, Bookshop, bookshop

Answer = tuple[int, HTTPMessage, bytes]


class Reader:
    """Asks a server, path by path, and follows nothing."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=120)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Status, headers and body; the names of headers are written with underscores."""
        self._connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def page(self, path: str, **headers: str) -> Answer:
        """What a browser gets that shows it as a page."""
        return self.get(path, sec_fetch_dest="document", **headers)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def shop(server: RunningServer) -> Bookshop:
    """0.5.0, 0.5.1, 0.7.0 (whose guide is gone) and a release candidate of 0.8.0."""
    found = bookshop(server)
    found.release("0.5.0")
    found.release("0.5.1", {**SHOP, "guide/index.html": GUIDE.replace(b"pay", b"pay twice")})
    found.release(
        "0.7.0", {"index.html": SHOP["index.html"].replace(b'href="guide/"', b'href="."'), "new.html": b"<p>new"}
    )
    found.release("0.8.0-rc.1", {"index.html": b"<h1>soon</h1>"})
    return found


@pytest.fixture
def read(server: RunningServer) -> Iterator[Reader]:
    reader = Reader(server.address)
    yield reader
    reader.close()
