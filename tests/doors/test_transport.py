"""How requests come and answers go: packed and chunked bodies, slashes, words for true and false, HEAD (algorithmia-api, 2)."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator

import httpx2
import pytest

from tests.doors.conversation import Ways, both_ways
from tests.doors.http import SETTINGS, Http, done, refused
from tests.server import RunningServer

TEXT = {"Content-Type": "text/plain"}
#: 20 MB of one letter, in a few kilobytes
_BOMB = gzip.compress(b"x" * (20 << 20))


@pytest.fixture(scope="module")
def published(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """(owner/name, key) of an algorithm that gives back what it is given."""
    name, client = server.account("sender")
    reference, commit = server.build(tmp_path_factory.mktemp("sender"), name, client)
    client.publish(reference, commit, bump="minor", visibility="public")
    return reference, server.keys[name]


@pytest.fixture(scope="module")
def ways(server: RunningServer) -> Iterator[Ways]:
    with both_ways(server) as found:
        yield found


def sent(ways: Ways, published: tuple[str, str], body: bytes, *lines: str, query: str = "") -> bytes:
    """The one answer to a call, whichever way it takes."""
    reference, key = published
    head = [f"POST /v1/algo/{reference}{query} HTTP/1.1", "Host: t", f"Authorization: {key}", *lines]
    if not any(line.startswith("Transfer-Encoding") for line in lines):
        head.append(f"Content-Length: {len(body)}")
    (answer,) = ways.same("\r\n".join([*head, "", ""]).encode() + body)
    return answer


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_calls_with_packed_bodies(ways: Ways, published: tuple[str, str], encoding: str) -> None:
    packed = gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo")  # members may follow each other
    answer = sent(ways, published, packed, "Content-Type: text/plain", f"Content-Encoding: {encoding}")
    assert b'"result":"hello"' in answer


def test_calls_with_base64(ways: Ways, published: tuple[str, str]) -> None:
    body = base64.b64encode(b"\x00\xff")
    answer = sent(ways, published, body, "Content-Type: application/octet-stream", "Content-Encoding: base64")
    assert b'"result":"AP8="' in answer


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (b"plain", "gzip", b"is not gzip"),
        (gzip.compress(b"cut off" * 1000, mtime=0)[:-20], "gzip", b"cut off"),
        (_BOMB, "gzip", b"TooLargeError"),
        (gzip.compress(b"", mtime=0) * 101, "gzip", b"members of gzip"),
        (zlib.compress(b"x"), "gzip", b"is not gzip"),
        (b"x", "br", b"is not taken"),
        (b"x", "gzip, gzip", b"is not taken"),
        (b"!!", "base64", b"is not base64"),
    ],
)
def test_calls_with_bodies_that_are_not_what_they_say(
    ways: Ways, published: tuple[str, str], body: bytes, encoding: str, words: bytes
) -> None:
    answer = sent(ways, published, body, "Content-Type: text/plain", f"Content-Encoding: {encoding}")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert words in answer


@pytest.mark.digest("1.2 node")
def test_calls_in_chunks(ways: Ways, published: tuple[str, str]) -> None:
    chunks = b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    answer = sent(ways, published, chunks, "Content-Type: text/plain", "Transfer-Encoding: chunked")
    assert b'"result":"hello"' in answer


@pytest.mark.digest("2.4 booleans")
@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_words_for_true(ways: Ways, published: tuple[str, str], word: str) -> None:
    assert b'"stdout":""' in sent(ways, published, b"x", "Content-Type: text/plain", query=f"?stdout={word}&more=x")


@pytest.mark.parametrize("word", ["false", "False", "", "undefined"])
def test_words_for_false(ways: Ways, published: tuple[str, str], word: str) -> None:
    assert b'"stdout"' not in sent(ways, published, b"x", "Content-Type: text/plain", query=f"?stdout={word}")


def test_management_with_packed_and_chunked_bodies(ada: Http) -> None:
    body = json.dumps({"name": "packed", "details": {"label": "P"}, "settings": SETTINGS}).encode()
    packed = {"Content-Encoding": "gzip"}
    assert done(ada.client.post(f"/v1/algorithms/{ada.name}", content=gzip.compress(body, mtime=0), headers=packed))
    chunked = body.replace(b"packed", b"chunks")
    assert done(ada.client.post(f"/v1/algorithms/{ada.name}", content=iter([chunked[:9], chunked[9:]])))
    refused(ada.client.post(f"/v1/algorithms/{ada.name}", content=_BOMB, headers=packed), 413, 6001)
    refused(ada.client.post(f"/v1/algorithms/{ada.name}", content=b"{}", headers=packed), 400, 6001)


def test_long_answers_are_packed_for_who_takes_that(ada: Http) -> None:
    address = "/v1/openapi.json"
    replies = {
        word: ada.client.get(address, headers={"Accept-Encoding": word}) for word in ("gzip", "identity", "gzip;q=0")
    }
    assert replies["gzip"].headers["content-encoding"] == "gzip"
    assert all("content-encoding" not in replies[word].headers for word in ("identity", "gzip;q=0"))
    assert {reply.headers["vary"] for reply in replies.values()} == {"Accept-Encoding"}
    assert len({reply.text for reply in replies.values()}) == 1
    assert int(replies["gzip"].headers["content-length"]) < len(replies["identity"].content)
    head = ada.client.head(address, headers={"Accept-Encoding": "gzip"})
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.digest("1.3 root", "2.4 slashes")
def test_slashes(ada: Http, server: RunningServer, published: tuple[str, str]) -> None:
    algorithm = ada.created()
    for path in (f"//v1/algorithms/{algorithm}", f"///v1/algorithms/{algorithm}//", f"/v1/algorithms/{algorithm}/"):
        assert ada.client.get(server.address + path).json()["resource_type"] == "algorithm"
    reference, _ = published
    for path in (f"//v1/algo/{reference}", f"/v1/algo/{reference}/", f"/v1/algo/{reference}/0.1/?timeout=3"):
        reply = httpx2.post(server.address + path, content="x", headers={**TEXT, "Authorization": ada.key})
        assert reply.json()["result"] == "x"


@pytest.mark.digest("2.4 head")
def test_head_of_everything_that_is_read(ada: Http, server: RunningServer) -> None:
    algorithm = ada.created()
    for path in ("scms", "scms/internal", f"algorithms/{algorithm}", f"algorithms/{algorithm}/log", "openapi.json",
                 "scms/nope", f"algorithms/{algorithm}/scm/webhook", "config/frontend/x"):  # fmt: skip
        got, head = ada.client.get(f"/v1/{path}"), ada.client.head(f"/v1/{path}")
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert ("x-error-message" in head.headers) == (got.status_code >= 400)
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        reply = httpx2.request(method, f"{server.address}/v1/algo/{algorithm}", headers={"Authorization": ada.key})
        assert reply.status_code == 405


@pytest.mark.digest("2.1 absent")
def test_an_empty_key_is_none(server: RunningServer, published: tuple[str, str]) -> None:
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Simple"}, {"Authorization": "Bearer"}):
        reply = httpx2.post(f"{server.address}/v1/algo/{published[0]}", content="x", headers={**TEXT, **headers})
        assert (reply.status_code, reply.json()["error"]["message"]) == (200, "authorization required")
