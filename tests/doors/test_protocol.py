"""Calls that are taken off the connection are answered, to the byte, like those that go through ASGI."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doors.conversation import Ways, both_ways
from tests.faults.conftest import _quiet_log as _quiet_log
from tests.faults.wire import PUBLIC, Author, author_of
from tests.server import running_server

_CODE = """
def apply(input):
    if input == "raise":
        raise ValueError("no")
    if input == "many":
        return (number for number in range(3))
    if input == "bytes":
        return bytes([0, 255])
    if input == "print":
        print("said")
    if input == "exit":
        raise SystemExit(3)
    if input == "endless":
        while True:
            pass
    return input
"""
_LARGEST = 100_000


@dataclass(frozen=True)
class Scene:
    """Both ways into a server, and who calls what there."""

    ways: Ways
    author: Author
    #: path of an algorithm that everybody may call, of one that its owner may call, and of one that does not exist
    path: str
    private: str
    absent: str
    stranger: str

    def request(
        self,
        body: bytes = b'"hello"',
        *lines: str,
        path: str | None = None,
        key: str | None = None,
        method: str = "POST",
        kind: str | None = "application/json",
        length: str | None = "",
        version: str = "1.1",
        host: bool = True,
    ) -> bytes:
        """One request; `lines` are further headers, and no content-length is sent where `length` is None."""
        given = [f"{method} {self.path if path is None else path} HTTP/{version}", *(["Host: troth"] if host else [])]
        given += [f"Authorization: {self.author.key if key is None else key}"] if key != "" else []
        given += [f"Content-Type: {kind}"] if kind is not None else []
        given += [f"Content-Length: {length or len(body)}"] if length is not None else []
        return "\r\n".join([*given, *lines, "", ""]).encode("latin-1") + body

    @property
    def last(self) -> bytes:
        """A request behind which the connection is closed."""
        return b"GET /health HTTP/1.1\r\nHost: troth\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def scene(_quiet_log: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it warns of each bad request
    folder = tmp_path_factory.mktemp("protocol")
    with running_server(folder / "home", request_bytes=_LARGEST) as server, author_of(server, folder) as author:
        public = author.publish(_CODE, permissions={**PUBLIC, "source_visibility": "closed"})
        private = author.publish(permissions={"visibility": "private"})
        stranger, _ = server.account("stranger")
        with both_ways(server) as ways:
            yield Scene(
                ways,
                author,
                f"/v1/algo/{public}",
                f"/v1/algo/{private}",
                f"/v1/algo/{public.rpartition('/')[0]}/7.7.7",
                server.keys[stranger],
            )


def recorded(scene: Scene) -> dict[str, bytes]:
    """Every kind of request."""
    ask = scene.request
    return {
        "JSON": ask(),
        "text": ask(b"hello", kind="text/plain"),
        "application/text": ask(b"hello", kind="application/text"),
        "binary": ask(b"\0\xff", kind="application/octet-stream"),
        "a content type with parameters": ask(b"hello", kind="Text/Plain; charset=utf-8"),
        "a content type that is none": ask(kind="image/png"),
        "no content type": ask(kind=None),
        "an empty body": ask(b""),
        "an empty text": ask(b"", kind="text/plain"),
        "no length": ask(b"", length=None),
        "a body that is not JSON": ask(b"{"),
        "a body that is not text": ask(b"\xff", kind="text/plain"),
        "a body of some size": ask(b'"' + b"x" * 60_000 + b'"'),
        "a body as large as may be": ask(b'"' + b"x" * (_LARGEST - 2) + b'"'),
        "a body too large": ask(b'"' + b"x" * _LARGEST + b'"'),
        "a body much too large": ask(b'"' + b"x" * 1_000_000 + b'"'),
        "an exception": ask(b'"raise"'),
        "an exception, raw": ask(b'"raise"', path=scene.path + "?output=raw"),
        "an exit": ask(b'"exit"'),
        "a timeout": ask(b'"endless"', path=scene.path + "?timeout=1"),
        "many results": ask(b'"many"'),
        "many results as lines": ask(b'"many"', "Accept: application/x-ndjson"),
        "many results as events": ask(b'"many"', "accept: text/html, text/event-stream;q=0.5"),
        "a failure as lines": ask(b'"raise"', "Accept: application/x-ndjson"),
        "bytes": ask(b'"bytes"'),
        "raw bytes": ask(b'"bytes"', path=scene.path + "?output=raw"),
        "raw text": ask(path=scene.path + "?output=raw"),
        "raw JSON": ask(b"[1]", path=scene.path + "?output=raw"),
        "void": ask(path=scene.path + "?output=void"),
        "an output that is none": ask(path=scene.path + "?output=loud"),
        "what is printed": ask(b'"print"', path=scene.path + "?stdout=true"),
        "a timeout that is none": ask(path=scene.path + "?timeout=soon"),
        "a timeout too short": ask(path=scene.path + "?timeout=0.5"),
        "an option that is not known": ask(path=scene.path + "?colour=red"),
        "options that are escaped": ask(path=scene.path + "?output%3Draw&output=r%61w"),
        "an empty query": ask(path=scene.path + "?"),
        "a query with marks": ask(path=scene.path + "?timeout=1?output=raw"),
        "a fragment": ask(path=scene.path + "#part"),
        "a query and a fragment": ask(path=scene.path + "?output=raw#part"),
        "no key": ask(key=""),
        "a wrong key": ask(key="wrong"),
        "a bearer's key": ask(b'"hello"', f"Authorization: Bearer {scene.author.key}", key=""),
        "a simple key": ask(b'"hello"', f"Authorization: Simple {scene.author.key}", key=""),
        "two keys": ask(b'"hello"', "Authorization: wrong"),
        "a stranger": ask(key=scene.stranger),
        "a private algorithm": ask(path=scene.private),
        "a private algorithm, a stranger": ask(path=scene.private, key=scene.stranger),
        "a version that is not there": ask(path=scene.absent),
        "a version that is not there, a stranger": ask(path=scene.absent, key=scene.stranger),
        "an algorithm that is not there": ask(path="/v1/algo/nobody/nothing"),
        "half a reference": ask(path="/v1/algo/nobody"),
        "no reference": ask(path="/v1/algo/"),
        "a reference too long": ask(path=scene.path + "/more/and/more"),
        "a reference with a slash behind it": ask(path=scene.path + "/"),
        "the newest version": ask(path=scene.path.rpartition("/")[0]),
        "an escaped path": ask(path=scene.path.replace("/", "%2F").replace("%2F", "/", 3)),
        "an escaped letter": ask(path=scene.path[:-1] + f"%{ord(scene.path[-1]):02x}"),
        "an escape that is none": ask(path=scene.path + "%zz"),
        "doubled slashes": ask(path="/" + scene.path),
        "doubled slashes inside": ask(path=scene.path.replace("/algo/", "/algo//")),
        "dots": ask(path="/v1/algo/../algo/" + scene.path[len("/v1/algo/") :]),
        "an absolute address": ask(path="http://troth" + scene.path),
        "a path of other bytes": ask(path=scene.path + "\xe9"),
        "HEAD": ask(b"", method="HEAD"),
        "GET": ask(b"", method="GET"),
        "GET with a body": ask(method="GET"),
        "PUT": ask(method="PUT"),
        "DELETE": ask(b"", method="DELETE"),
        "OPTIONS": ask(b"", method="OPTIONS"),
        "PATCH": ask(method="PATCH"),
        "a method that is none": ask(method="CALL"),
        "a method in small letters": ask(method="post"),
        "HTTP/1.0": ask(version="1.0"),
        "HTTP/1.0, kept": ask(b'"hello"', "Connection: keep-alive", version="1.0"),
        "HTTP/0.9": ask(version="0.9"),
        "HTTP/2.0": ask(version="2.0"),
        "HTTP/9.9": ask(version="9.9"),
        "closed": ask(b'"hello"', "Connection: close"),
        "closed in capitals": ask(b'"hello"', "CONNECTION: CLOSE"),
        "kept": ask(b'"hello"', "Connection: keep-alive"),
        "kept and closed": ask(b'"hello"', "Connection: keep-alive, close"),
        "an error, closed": ask(b'"raise"', "Connection: close"),
        "no host": ask(host=False),
        "two hosts": ask(b'"hello"', "Host: other"),
        "chunked": ask(b'3\r\n"he\r\n4;a=b\r\nllo"\r\n0\r\n\r\n', "Transfer-Encoding: chunked", length=None),
        "chunked with a trailer": ask(
            b'7\r\n"hello"\r\n0\r\nX-After: 1\r\n\r\n', "Transfer-Encoding: chunked", length=None
        ),
        "chunked, a bad size": ask(b'zz\r\n"hello"\r\n0\r\n\r\n', "Transfer-Encoding: chunked", length=None),
        "chunked and too large": ask(
            b"30d40\r\n" + b"x" * 200_000 + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=None
        ),
        "chunked and a length": ask(b'7\r\n"hello"\r\n0\r\n\r\n', "Transfer-Encoding: chunked"),
        "chunked twice": ask(
            b'7\r\n"hello"\r\n0\r\n\r\n', "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", length=None
        ),
        "another encoding": ask(b'"hello"', "Transfer-Encoding: gzip", length=None),
        "chunked in another encoding": ask(
            b'7\r\n"hello"\r\n0\r\n\r\n', "Transfer-Encoding: gzip, chunked", length=None
        ),
        "expecting to go on": ask(b'"hello"', "Expect: 100-continue"),
        "expecting something else": ask(b'"hello"', "Expect: 200-ok"),
        "expecting to go on, refused": ask(b'"hello"', "Expect: 100-continue", key=""),
        "an upgrade": ask(b'"hello"', "Connection: upgrade", "Upgrade: websocket"),
        "an upgrade to HTTP/2": ask(b'"hello"', "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"),
        "an upgrade without a connection": ask(b'"hello"', "Upgrade: websocket"),
        "a connection without an upgrade": ask(b'"hello"', "Connection: upgrade"),
        "small header names": ask()
        .replace(b"Content-Type", b"content-type")
        .replace(b"Authorization", b"authorization"),
        "capital header names": ask().replace(b"Content-Length", b"CONTENT-LENGTH").replace(b"Host", b"HOST"),
        "spaces around values": ask(b'"hello"', "X-Space:   \t wide \t "),
        "a header without a value": ask(b'"hello"', "X-Empty:"),
        "a header without a name": ask(b'"hello"', ": value"),
        "a header without a colon": ask(b'"hello"', "nothing"),
        "a folded header": ask(b'"hello"', "X-Long: one", "  two"),
        "a space before the colon": ask(b'"hello"', "X-Space : one"),
        "a header with a null": ask(b'"hello"', "X-Null: a\0b"),
        "a header with other bytes": ask(b'"hello"', "X-Odd: \xe9\xff"),
        "a cookie": ask(b'"hello"', "Cookie: a=b"),
        "a length that is negative": ask(length="-1"),
        "a length with a sign": ask(length="+7"),
        "a length that is no number": ask(length="seven"),
        "a length with zeros": ask(length="007"),
        "a length of much": ask(b"", length="9" * 30),
        "a length that is empty": ask(b"", "Content-Length:", length=None),
        "a length twice the same": ask(b'"hello"', "Content-Length: 7"),
        "two lengths": ask(b'"hello"', "Content-Length: 9"),
        "a length with a comma": ask(length="7, 7"),
        "a head of some size": ask(b'"hello"', "X-Long: " + "x" * 12_000),
        "a head of more size": ask(b'"hello"', "X-Long: " + "x" * 40_000),
        "a head too large": ask(b'"hello"', "X-Long: " + "x" * 70_000),
        "many headers": ask(b'"hello"', *(f"X-{number}: {number}" for number in range(300))),
        "lines without returns": ask().replace(b"\r\n", b"\n"),
        "an empty line before": b"\r\n\r\n" + ask(),
        "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "words": b"hello\r\n\r\n",
        "another door": b"GET /health HTTP/1.1\r\nHost: troth\r\n\r\n",
        "a door of the API": ask(b"{}", path="/api/v1/cmd?command=nothing&version=1"),
        "no door": ask(path="/nothing"),
        "a path that looks like ours": ask(path="/v1/algorithm"),
        "nothing": b"",
    }


def test_each_kind_of_request(scene: Scene) -> None:
    """Whole with a request behind it that ends the connection, and with its body by itself."""
    for request in recorded(scene).values():
        middle = request.find(b"\r\n\r\n") + 4
        whole = scene.ways.same(request + scene.last)
        assert whole
        scene.ways.same(request[:middle], request[middle:] + scene.last)


def test_what_some_are_answered(scene: Scene) -> None:
    """Two ways that are wrong alike would pass the others."""
    requests = recorded(scene)
    for name, status, said in (
        ("JSON", b"200", b'{"result":"hello","metadata"'),
        ("an exception", b"200", b'"error":{"message":"no"'),
        ("an exception, raw", b"400", b'"error":{"message":"no"'),
        ("no key", b"200", b"authorization required"),
        ("GET", b"405", b"calls are made by POST"),
        ("a body too large", b"200", b"TooLargeError"),
        ("a head too large", b"431", b"headers are too large"),
        ("a length that is negative", b"400", b"Invalid HTTP request"),
        ("two lengths", b"400", b"Invalid HTTP request"),
        ("garbage", b"400", b"Invalid HTTP request"),
        ("chunked", b"200", b'{"result":"hello","metadata"'),
        ("many results as lines", b"200", b'chunk {"result":0}\n\r\nchunk {"result":1}\n'),
    ):
        first = scene.ways.same(requests[name] + scene.last)[0]
        assert first.startswith(b"HTTP/1.1 " + status), (name, first)
        assert said in first, (name, first)


def test_one_behind_the_other(scene: Scene) -> None:
    """In order, whichever way each of them goes."""
    names = ["JSON", "another door", "many results as lines", "chunked", "no key", "a private algorithm", "GET"]
    requests = recorded(scene)
    for first in names:
        for second in names:
            both = scene.ways.same(requests[first] + requests[second] + scene.last)
            alone = [reply for name in (first, second) for reply in scene.ways.same(requests[name])]
            assert both[:-1] == alone, (first, second)


def test_what_is_no_request_behind_one_that_is(scene: Scene) -> None:
    """Nobody takes the refusal for the answer to what was asked before."""
    requests = recorded(scene)
    for name in ("JSON", "another door", "many results as lines", "chunked"):
        for bad in ("garbage", "a length that is negative", "chunked, a bad size"):
            found = scene.ways.same(requests[name] + requests[bad])
            assert found[:-1] == scene.ways.same(requests[name]), (name, bad)
            assert found[-1].startswith(b"HTTP/1.1 400 Bad Request\r\n"), (name, bad)


def test_byte_by_byte(scene: Scene) -> None:
    request = scene.request() + scene.last
    found = scene.ways.same(*(request[at : at + 1] for at in range(len(request))))
    assert found == scene.ways.same(request)


def test_a_head_that_was_sent_before(scene: Scene) -> None:
    """The second of two requests is known by the head of the first, whatever its own length is."""
    requests = {name: request for name, request in recorded(scene).items() if name not in _TOO_SLOW}
    for name in ("JSON", "an exception", "no key", "text"):
        alone = scene.ways.same(requests[name])
        assert scene.ways.same(requests[name], requests[name], requests[name], apart=True) == alone * 3
    for body in (b"1", b"", b'"%s"' % (b"x" * 500), b'"%s"' % (b"x" * (_LARGEST + 1)), b"{"):
        found = scene.ways.same(scene.request(), scene.request(body), apart=True)
        assert found[1:] == scene.ways.same(scene.request(body))


def test_whatever_comes_behind_a_head_that_is_known(scene: Scene) -> None:
    for name, request in recorded(scene).items():
        if name not in _TOO_SLOW:
            scene.ways.same(scene.request(), request, scene.last, apart=True)


_TOKENS = [
    b"\r\n", b"\n", b"\r", b" ", b":", b"/", b"//", b"%2f", b"%", b"?", b"#", b"\0", b"\xff", b"\r\n\r\n", b"0\r\n\r\n", b"HTTP/1.0",
    b"Content-Length: 7\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"Accept: text/event-stream\r\n",
    b"GET ", b"HEAD ", b"PUT ", b"POST /v1/algo/a/b HTTP/1.1\r\n",
]  # fmt: skip
_TOO_SLOW = ("a timeout", "an exit", "a body much too large")


@st.composite
def _edits(draw: st.DrawFn) -> tuple[int, int, bytes]:
    """Where something is replaced, how many bytes of it, and by what; places are thousandths of the whole."""
    instead = draw(st.sampled_from(_TOKENS) | st.binary(max_size=3))
    return draw(st.integers(0, 999)), draw(st.sampled_from([0, 0, 1, 2, 8])), instead


@settings(max_examples=120)
@given(
    picked=st.lists(st.integers(0, 10_000), min_size=1, max_size=3),
    edits=st.lists(_edits(), max_size=3),
    cuts=st.lists(st.integers(0, 999), max_size=4),
)
def test_requests_that_were_changed(
    scene: Scene, picked: list[int], edits: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    """Some requests, damaged, and sent in some pieces."""
    requests = [request for name, request in recorded(scene).items() if name not in _TOO_SLOW]
    whole = b"".join(requests[number % len(requests)] for number in picked)
    for place, size, instead in edits:
        at = len(whole) * place // 1000
        whole = whole[:at] + instead + whole[at + size :]
    whole += scene.last
    places = sorted({len(whole) * cut // 1000 for cut in cuts} | {0, len(whole)})
    scene.ways.same(*(whole[start:end] for start, end in itertools.pairwise(places)))
    assert scene.ways.same(scene.request())[0].startswith(b"HTTP/1.1 200 OK\r\n")


@settings(max_examples=60)
@given(edits=st.lists(_edits(), min_size=1, max_size=2), cut=st.integers(0, 999), twice=st.booleans())
def test_changes_behind_a_head_that_is_known(
    scene: Scene, edits: list[tuple[int, int, bytes]], cut: int, twice: bool
) -> None:
    """The same request again, damaged, whole or in two pieces."""
    known = scene.request()
    changed = known * 2 if twice else known
    for place, size, instead in edits:
        at = len(changed) * place // 1000
        changed = changed[:at] + instead + changed[at + size :]
    at = len(changed) * cut // 1000
    scene.ways.same(known, changed[:at], changed[at:] + scene.last, apart=True)
