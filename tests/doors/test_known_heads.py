"""What a head that is known makes of bytes, beside what the parser makes of them."""

from __future__ import annotations

from typing import Any

import httptools
from hypothesis import given
from hypothesis import strategies as st

from troth.doors.server.known_heads import known_head


class _Read:
    """The requests that a parser finds in some bytes."""

    def __init__(self, data: bytes) -> None:
        self.found: list[tuple[bytes, list[tuple[bytes, bytes]], bytes]] = []
        self._parser: Any = httptools.HttpRequestParser(self)
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", b""
        self._headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        kept = [header for header in self._headers if header[0] != b"content-length"]
        self.found.append((self._url, kept, self._body))


def _request(body: bytes, lines: tuple[str, ...] = (), length: str = "Content-Length: ") -> bytes:
    given = ["POST /v1/algo/a/b HTTP/1.1", "Host: troth", f"{length}{len(body)}", *lines, "", ""]
    return "\r\n".join(given).encode() + body


_LINES = st.lists(st.sampled_from(["A: 1", "A: 2", "Content-Length-Of: 3", "B: content-length: 4"]), max_size=3).map(
    tuple
)
_LENGTHS = st.sampled_from(["Content-Length: ", "content-length:", "CONTENT-LENGTH: \t"])
_BODIES = st.binary(max_size=30) | st.sampled_from([b"\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"0" * 1000])


@given(_BODIES, _BODIES, _LINES, _LINES, _LENGTHS, st.integers(0, 2000), st.binary(max_size=2))
def test_what_is_recognised_is_what_the_parser_reads(
    first: bytes,
    second: bytes,
    lines: tuple[str, ...],
    others: tuple[str, ...],
    length: str,
    place: int,
    instead: bytes,
) -> None:
    head = known_head(_request(first, lines, length), len(first))
    assert head is not None
    assert head.body_of(_request(second, lines, length)) == second
    changed = _request(second, others, length)
    changed = changed[:place] + instead + changed[place + len(instead) :]
    body = head.body_of(changed)
    if body is not None:
        assert _Read(changed).found == [(*_Read(_request(first, lines, length)).found[0][:2], body)]


@given(_BODIES, _BODIES)
def test_two_requests_are_not_one(first: bytes, second: bytes) -> None:
    both = _request(first) + _request(second)
    assert known_head(both, len(second)) is None
    head = known_head(_request(first), len(first))
    assert head is not None
    assert head.body_of(both) is None


@given(_BODIES, st.integers(0, 200))
def test_a_part_is_not_the_whole(body: bytes, size: int) -> None:
    whole = _request(body)
    part = whole[:size]
    head = known_head(whole, len(body))
    assert head is not None
    assert head.body_of(part) is None or part == whole
    assert known_head(part, min(size, len(body))) is None or part == whole


def test_what_is_not_remembered() -> None:
    assert known_head(_request(b"1", ("A: " + "x" * 5000,)), 1) is None
    assert known_head(_request(b"1", length="Content-Length: +"), 1) is None
    assert known_head(_request(b"1").replace(b"Content-Length: 1", b"Content-Length: 2"), 1) is None
