"""Bodies of calls that are broken, too large, mislabelled or cut off (algorithmia-api, sections 4.1 and 3.1)."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.faults.wire import BINARY, JSON, TEXT, Author, answered, call, call_error, exchange, head
from tests.server import RunningServer

_LIMIT = 10 << 20
_TOO_MUCH = 11 << 20


@pytest.fixture(autouse=True)
def _nothing_lost(author: Author, echo: str) -> Iterator[None]:
    """After each fault the same worker answers a good call."""
    yield
    assert author.call(echo, {"still": ["here", 1, None]}) == {"still": ["here", 1, None]}


def _chunks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"a": }',
        b'{"a": 1,}',
        b"'a'",
        b"nul",
        b"1 2",
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"a',
        b"[" * 100_000,
        b"1" * 10_000,
        b"--1",
        b"{1: 2}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_malformed_json(server: RunningServer, author: Author, echo: str, body: bytes) -> None:
    reply = call(server, echo, body, key=author.key)
    assert call_error(reply, "ParsingError").startswith("the input is not JSON: ")
    assert reply.headers["troth-version"] == "0.1.0"  # it was the algorithm's own worker that read it


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_no_json(server: RunningServer, author: Author, echo: str, word: str) -> None:
    reply = call(server, echo, b'{"a": [%b]}' % word.encode(), key=author.key)
    assert call_error(reply, "ParsingError") == f"the input is not JSON: {word} is not JSON"


def test_an_empty_body_is_no_json(server: RunningServer, author: Author, echo: str) -> None:
    assert call_error(call(server, echo, b"", key=author.key), "ParsingError").startswith("the input is not JSON")


@pytest.mark.parametrize(("kind", "name"), [(TEXT, "text"), ("application/text", "text"), (BINARY, "binary")])
def test_an_empty_body_is_text_and_is_binary(
    server: RunningServer, author: Author, echo: str, kind: str, name: str
) -> None:
    reply = call(server, echo, b"", key=author.key, kind=kind)
    assert reply.status_code == 200
    assert reply.json()["result"] == ""
    assert reply.json()["metadata"]["content_type"] == name


@pytest.mark.parametrize("body", [b"\xff", b"\xc3", b"a\xed\xa0\x80b", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf"])
def test_text_that_is_no_utf8(server: RunningServer, author: Author, echo: str, body: bytes) -> None:
    message = call_error(call(server, echo, body, key=author.key, kind=TEXT), "ParsingError")
    assert message.startswith("the input is not UTF-8 text: ")
    reply = call(server, echo, body, key=author.key, kind=BINARY)
    assert base64.b64decode(reply.json()["result"]) == body


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
@pytest.mark.parametrize("kind", [JSON, TEXT, BINARY])
def test_a_body_that_is_too_large(server: RunningServer, author: Author, echo: str, kind: str, chunked: bool) -> None:
    body = b"7" * _TOO_MUCH
    reply = call(server, echo, _chunks(body, 1 << 16) if chunked else body, key=author.key, kind=kind)
    assert ("content-length" in reply.request.headers) is not chunked
    message = call_error(reply, "TooLargeError")
    assert message == f"the body is larger than {_LIMIT} bytes"


def test_a_raw_call_hears_by_status_that_its_body_is_too_large(
    server: RunningServer, author: Author, echo: str
) -> None:
    reply = call(server, echo, b"7" * _TOO_MUCH, key=author.key, kind=TEXT, output="raw")
    assert "larger than" in call_error(reply, "TooLargeError", status=400)


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_the_limit_itself_is_allowed_and_one_byte_more_is_not(
    server: RunningServer, author: Author, echo: str, chunked: bool
) -> None:
    body = b"x" * _LIMIT
    reply = call(server, echo, _chunks(body, 1 << 20) if chunked else body, key=author.key, kind=TEXT, output="raw")
    assert reply.status_code == 200
    assert reply.content == body
    body += b"x"
    reply = call(server, echo, _chunks(body, 1 << 20) if chunked else body, key=author.key, kind=TEXT)
    assert "larger than" in call_error(reply, "TooLargeError")


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_small_chunks(server: RunningServer, author: Author, echo: str, size: int) -> None:
    """As Node's client sends every body."""
    body = '{"text": "grün", "numbers": [1, 2, 3]}'.encode()
    reply = call(server, echo, _chunks(body, size), key=author.key)
    assert "content-length" not in reply.request.headers
    assert reply.json()["result"] == {"text": "grün", "numbers": [1, 2, 3]}


def test_an_empty_chunked_body(server: RunningServer, author: Author, echo: str) -> None:
    """As the Python client sends an empty file."""
    reply = call(server, echo, iter(()), key=author.key, kind=BINARY)
    assert reply.json()["result"] == ""
    assert reply.json()["metadata"]["content_type"] == "binary"


def test_chunks_that_are_no_chunks(server: RunningServer, author: Author, echo: str) -> None:
    lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    reply = exchange(server, head(f"/v1/algo/{echo}", author.key, *lines), b"not a size\r\n{}\r\n0\r\n\r\n")
    assert reply is None or reply.status_code == 400


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/json-patch+json",
        "json",
        "text",
        "*/*",
        "application/json, text/plain",
        "text plain",
        "application/msgpack",
        "x" * 5000,
    ],
    ids=lambda kind: kind[:20],
)
def test_a_wrong_content_type(server: RunningServer, author: Author, echo: str, kind: str) -> None:
    message = call_error(call(server, echo, b"{}", key=author.key, kind=kind))
    assert kind[:30] in message
    assert len(message) < 300
    for legal in (TEXT, JSON, BINARY):
        assert legal in message


@pytest.mark.parametrize("lines", [(), ("Content-Type:",), ("Content-Type: ;charset=utf-8",)])
def test_a_missing_content_type(server: RunningServer, author: Author, echo: str, lines: tuple[str, ...]) -> None:
    reply = answered(server, head(f"/v1/algo/{echo}", author.key, "Content-Length: 2", *lines), b"{}")
    message = call_error(reply)
    assert message.startswith("the content type ")
    for legal in (TEXT, JSON, BINARY):
        assert legal in message


def test_a_content_type_that_is_not_even_ascii(server: RunningServer, author: Author, echo: str) -> None:
    lines = ("Content-Length: 2", "Content-Type: application/jsön\x80")
    call_error(answered(server, head(f"/v1/algo/{echo}", author.key, *lines), b"{}"))


@pytest.mark.parametrize(
    ("kind", "body", "result"),
    [
        ("application/json; charset=utf-8", b'{"a": 1}', {"a": 1}),
        ('APPLICATION/JSON ; CHARSET="UTF-8"', b'{"a": 1}', {"a": 1}),
        ("text/plain;charset=utf-8", "grün".encode(), "grün"),
        ("text/plain; charset=latin-1; format=flowed", "grün".encode(), "grün"),
        ("Application/Text; charset=us-ascii", b"x", "x"),
        ("application/octet-stream; x=y", b"\x00\xff", "AP8="),
    ],
)
def test_parameters_of_a_content_type_are_ignored(
    server: RunningServer, author: Author, echo: str, kind: str, body: bytes, result: object
) -> None:
    assert call(server, echo, body, key=author.key, kind=kind).json()["result"] == result


def test_text_that_looks_like_json_stays_text(server: RunningServer, author: Author, echo: str) -> None:
    assert call(server, echo, b'{"a": 1}', key=author.key, kind=TEXT).json()["result"] == '{"a": 1}'


@pytest.mark.parametrize(
    "cut_off",
    [
        ("Content-Length: 100", b""),
        ("Content-Length: 100", b'{"a": '),
        ("Transfer-Encoding: chunked", b""),
        ("Transfer-Encoding: chunked", b'4\r\n"abc\r\n'),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n"),
    ],
    ids=["length, nothing", "length, a part", "chunked, nothing", "chunked, a part", "chunked, all but the end"],
)
@pytest.mark.parametrize("kind", [JSON, TEXT, BINARY])
def test_a_request_that_is_cut_off_runs_nothing(
    server: RunningServer, author: Author, counting: str, kind: str, cut_off: tuple[str, bytes]
) -> None:
    """A client that dies in mid-request did not ask for a call with half a body, nor with none."""
    before = author.call(counting)
    line, body = cut_off
    request = head(f"/v1/algo/{counting}", author.key, f"Content-Type: {kind}", line)
    exchange(server, request, body, leave=True)
    assert author.call(counting) == before + 1


def test_a_large_request_that_is_cut_off_runs_nothing(server: RunningServer, author: Author, counting: str) -> None:
    before = author.call(counting)
    lines = ("Content-Type: text/plain", f"Content-Length: {_TOO_MUCH}")
    exchange(server, head(f"/v1/algo/{counting}", author.key, *lines), b"x" * 100_000, leave=True)
    assert author.call(counting) == before + 1


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
@pytest.mark.parametrize("fault", ["no key", "unknown algorithm", "wrong content type", "wrong method", "wrong option"])
def test_a_refusal_reaches_a_client_that_sends_its_body_first(
    server: RunningServer, author: Author, echo: str, fault: str, chunked: bool
) -> None:
    """Node's client asks for the connection to be closed, and reads the answer once its body is sent."""
    path = f"/v1/algo/{echo}" + ("x" if fault == "unknown algorithm" else "?timeout=0" if "option" in fault else "")
    key = "" if fault == "no key" else author.key
    kind = "text/html" if fault == "wrong content type" else TEXT
    size = 5 << 20
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    method = "PUT" if fault == "wrong method" else "POST"
    body = b"x" * size
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body) if chunked else body
    reply = answered(server, head(path, key, f"Content-Type: {kind}", length, method=method), framed)
    said = {
        "no key": "authorization required",
        "unknown algorithm": "not found",
        "wrong content type": "text/html",
        "wrong method": "calls are made by POST",
        "wrong option": "timeout is a number",
    }
    assert said[fault] in call_error(reply, status=405 if fault == "wrong method" else 200)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(server: RunningServer, author: Author, echo: str, method: str) -> None:
    reply = call(server, echo, b"{}", key=author.key, method=method)
    assert call_error(reply, status=405) == "calls are made by POST"


@pytest.mark.parametrize("timeout", ["0", "-1", "0.5", "nan", "-inf", "abc", "", "1e", "1,5"])
def test_a_time_limit_that_is_none(server: RunningServer, author: Author, echo: str, timeout: str) -> None:
    message = call_error(call(server, echo, b"{}", key=author.key, timeout=timeout))
    assert message.startswith("timeout is a number of seconds, at least 1")
    assert repr(timeout) in message


@pytest.mark.parametrize("timeout", ["1", "1.5", "3000", "3001", "1e300", "inf"])
def test_a_time_limit_beyond_the_longest_is_cut(server: RunningServer, author: Author, echo: str, timeout: str) -> None:
    assert call(server, echo, b"1", key=author.key, timeout=timeout).json()["result"] == 1


def test_an_unknown_output(server: RunningServer, author: Author, echo: str) -> None:
    message = call_error(call(server, echo, b"{}", key=author.key, output="xml"))
    assert message == "output is raw or void, and not 'xml'"


def test_queries_that_nobody_knows_are_ignored(server: RunningServer, author: Author, echo: str) -> None:
    """The Python client lets its users send any."""
    reply = call(server, f"{echo}?%ff=%00&=&&a=b&a=c;d", b"1", key=author.key)
    assert reply.json()["result"] == 1
