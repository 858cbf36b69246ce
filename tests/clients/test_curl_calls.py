"""Calls by curl, as the documentation and the rewrite of the Node client send them (algorithmia-api, sections 2 to 4)."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

from tests.clients.curl import Curl
from tests.server import RunningServer

BACK = """
def apply(input):
    if input == "raise":
        error = ValueError("not this"); error.error_type = "InputError"; raise error
    if input == "exit":
        import os; os._exit(3)
    print("seen", type(input).__name__)
    return input
"""
TEXT, JSON, BYTES = (f"Content-Type: {kind}" for kind in ("text/plain", "application/json", "application/octet-stream"))


@pytest.fixture(scope="module")
def algorithm(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """owner/name of a public algorithm that gives back what it is given."""
    reference, commit = server.build(tmp_path_factory.mktemp("curl"), "owner", server.owner, code=BACK)
    server.owner.publish(reference, commit, bump="minor", visibility="public")
    return reference


@pytest.fixture(scope="module")
def curl(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Curl:
    return Curl(server.address, tmp_path_factory.mktemp("curl"), f"Simple {server.owner_key}")


@pytest.mark.digest(
    "4.1 path", "4.1 text", "4.1 json", "4.1 bytes", "4.2 metadata", "4.2 duration", "4.2 binary", "3.3 calls"
)
def test_what_is_given_comes_back(curl: Curl, algorithm: str) -> None:
    for version in ("", "/0.1.0", "/0.1", "/0.1.*", "/0.*", "/latest"):
        answer = curl(f"/v1/algo/{algorithm}{version}", "-H", TEXT, "-d", '{"a": 1}').done
        assert answer["result"] == '{"a": 1}'
    for head, given, kind, result in [
        (TEXT, b"text \xe2\x98\x83", "text", "text \N{SNOWMAN}"),
        ("Content-Type: text/plain; charset=utf-8", b"[1]", "text", "[1]"),
        ("Content-Type: application/text", b"[1]", "text", "[1]"),
        (JSON, b'{"a": [1, 2.5, null, true]}', "json", {"a": [1, 2.5, None, True]}),
        (JSON, b'"HAL"', "text", "HAL"),
        (JSON, b"null", "json", None),
        (BYTES, b"\x00\xff", "binary", base64.b64encode(b"\x00\xff").decode()),
    ]:
        answer = curl(f"/v1/algo/{algorithm}", "-H", head, "--data-binary", "@-", given=given).done
        assert (answer["result"], answer["metadata"]["content_type"]) == (result, kind)
        assert isinstance(answer["metadata"]["duration"], float)
        assert "stdout" not in answer["metadata"]
        assert not {"async_protocol", "async"} & set(answer)


@pytest.mark.digest("2.1 bare", "2.1 bare_rewrite", "2.1 simple", "2.1 absent", "2.1 shape")
def test_every_form_of_a_key(server: RunningServer, curl: Curl, algorithm: str) -> None:
    key = server.owner_key
    assert re.fullmatch(r"sim[A-Za-z0-9]{25}", key)
    made = server.owner.command("create_key", account="owner")["key"]
    assert re.fullmatch(r"sim[A-Za-z0-9]{25}", made)
    for authorization in (key, f"Simple {key}", f"simple {key}", f"Bearer {key}"):
        asked = curl.with_key(authorization)
        assert asked(f"/v1/algo/{algorithm}", "-H", TEXT, "-d", "x").done["result"] == "x"
        assert asked(f"/v1/algorithms/{algorithm}").done["name"] == algorithm.split("/")[1]
    nobody = curl.with_key("")
    for options in ((), ("-H", "Authorization;"), ("-H", "Authorization: Simple")):
        called = nobody(f"/v1/algo/{algorithm}", "-H", TEXT, "-d", "x", *options)
        assert (called.status, called.json["error"]["message"]) == (200, "authorization required")
        assert "authorization required" in nobody(f"/v1/algorithms/{algorithm}", *options).refused(401)
    assert "authorization required" in curl.with_key(f"Simple {key}x")(f"/v1/algorithms/{algorithm}").refused(401)


@pytest.mark.digest("2.4 booleans", "4.1 stdout", "4.2 stdout", "4.1 timeout", "4.1 extras", "4.1 owner")
def test_options(server: RunningServer, curl: Curl, algorithm: str) -> None:
    for word, printed in (("true", True), ("True", True), ("false", False), ("False", False)):
        query = f"?stdout={word}&timeout=20&something=else"
        metadata = curl(f"/v1/algo/{algorithm}{query}", "-H", TEXT, "-d", "x").done["metadata"]
        assert metadata.get("stdout") == ("seen str\n" if printed else None)
    name, _ = server.account("stranger")
    other = curl.with_key(server.keys[name])
    assert "stdout" not in other(f"/v1/algo/{algorithm}?stdout=true", "-H", TEXT, "-d", "x").done["metadata"]
    assert re.fullmatch(r"\w+/\w+", algorithm, re.ASCII)
    told = curl("/v1/algorithms/owner", "-H", JSON, "-d", json.dumps({"name": "no-dash"}))
    assert told.status == 400


@pytest.mark.digest("3.1 message", "3.1 error_type", "3.1 stack_trace", "3.1 status", "3.1 internal")
def test_errors_of_calls(server: RunningServer, curl: Curl, algorithm: str) -> None:
    raised = curl(f"/v1/algo/{algorithm}", "-H", TEXT, "-d", "raise")
    assert raised.status == 200
    error = raised.json["error"]
    assert ("not this" in error["message"], error["error_type"]) == (True, "InputError")
    assert "in apply" in error["stacktrace"]
    assert error["stack_trace"] == error["stacktrace"]
    assert isinstance(raised.json["metadata"]["duration"], float)
    name, _ = server.account("stranger")
    seen = curl.with_key(server.keys[name])(f"/v1/algo/{algorithm}", "-H", TEXT, "-d", "raise").json["error"]
    assert not {"stacktrace", "stack_trace"} & set(seen)
    died = curl(f"/v1/algo/{algorithm}", "-H", TEXT, "-d", "exit")
    assert (died.status, died.json["error"]["error_type"]) == (200, "SystemExit")
    never = curl("/v1/algo/owner/never/1.2.3", "-H", TEXT, "-d", "x")
    assert (never.status, never.json["error"]["message"]) == (200, "algorithm algo://owner/never/1.2.3 not found")
    unknown = curl(f"/v1/algo/{algorithm}", "-H", "Content-Type: image/png", "-d", "x")
    assert (unknown.status, unknown.json["error"]["error_type"]) == (200, "SystemError")
    assert curl(f"/v1/algo/{algorithm}", "-H", JSON, "-d", "{").json["error"]["error_type"]


@pytest.mark.digest(
    "4.3 raw", "3.1 raw", "4.1 output", "1.1 rewrite", "2.4 slashes", "4.1 buffer_rewrite", "4.4 void", "4.4 status"
)
def test_output_of_another_form(curl: Curl, algorithm: str) -> None:
    """The rewrite has a slash before the query and always asks for raw output, unless somebody wants another."""
    address = f"/v1/algo/{algorithm}/?timeout=300&stdout=false&output=raw"
    for head, given, kind, body in [
        (TEXT, b"x", "text/plain; charset=utf-8", b"x"),
        (JSON, b'{"a":1}', "application/json", b'{"a":1}'),
        (BYTES, b'{\n "type": "Buffer"\n}', "application/octet-stream", b'{\n "type": "Buffer"\n}'),
    ]:
        answer = curl(address, "-H", head, "--data-binary", "@-", given=given)
        assert (answer.status, answer.head["content-type"], answer.body) == (200, kind, body)
    assert curl(f"/v1/algo/{algorithm}/0.1.0/?output=raw", "-H", TEXT, "-d", "x").text == "x"
    refused = curl(address, "-H", TEXT, "-d", "raise")
    assert (refused.status, refused.json["error"]["error_type"]) == (400, "InputError")
    assert curl.with_key("")(address, "-H", TEXT, "-d", "x").status >= 400
    void = curl(f"/v1/algo/{algorithm}?output=void", "-H", TEXT, "-d", "x")
    assert void.status in (200, 202)
    assert (void.json["async"], void.json["request_id"][:4]) == (True, "req-")
    assert "async_protocol" not in void.json


@pytest.mark.digest("1.3 root", "1.2 python", "2.4 encoding")
def test_addresses(curl: Curl, algorithm: str) -> None:
    """Doubled slashes at the beginning, slashes at the end; nothing answers by leading elsewhere."""
    assert curl(f"//v1/algo/{algorithm}/", "-H", TEXT, "-d", "x").done["result"] == "x"
    assert curl(f"//v1/algorithms/{algorithm}/").done["resource_type"] == "algorithm"
    encoded = algorithm.replace("a", "%61")
    assert curl(f"/v1/algo/{encoded}", "-H", TEXT, "-d", "x").done["result"] == "x"
    for path in (f"/v1/algorithms/{algorithm}/", "/v1/data/", "/v1/data", "//v1/data/", "/v1/users/"):
        assert curl(path).status == 200
    chunked = curl(
        f"/v1/algo/{algorithm}",
        "-H",
        TEXT,
        "-H",
        "Transfer-Encoding: chunked",
        "--data-binary",
        "@-",
        given=b"x" * 100_000,
    )
    assert chunked.done["result"] == "x" * 100_000


@pytest.mark.digest("2.3 json", "4.2 content_type", "4.2 node", "4.2 asynchronous", "4.1 output_type")
def test_types_of_results(server: RunningServer, curl: Curl, tmp_path: Path) -> None:
    """Bytes are binary, text is text, and everything else is JSON, whatever was asked for."""
    code = (
        "VALUES = {'bytes': b'x', 'array': bytearray(b'x'), 'text': 'x', 'nothing': None, 'number': 1.5, 'list': [1]}\n"
    )
    reference, commit = server.build(
        tmp_path, "owner", server.owner, code=f"{code}def apply(input):\n    return VALUES[input]\n"
    )
    expected = {
        "bytes": "binary",
        "array": "binary",
        "text": "text",
        "nothing": "json",
        "number": "json",
        "list": "json",
    }
    for given, kind in expected.items():
        answer = curl(f"/v1/algo/{reference}/{commit}?output_type=default", "-H", TEXT, "-d", given)
        assert answer.done["metadata"]["content_type"] == kind
        assert not {"async_protocol", "request_id"} <= set(answer.json)


@pytest.mark.digest("2.4 head")
def test_head(curl: Curl, algorithm: str) -> None:
    found = curl(f"/v1/algorithms/{algorithm}", "-I")
    assert (found.status, found.body[:5]) == (200, b"HTTP/")  # with -I curl writes the head where the body goes
    missing = curl("/v1/algorithms/owner/never", "-I")
    assert (missing.status, missing.head["x-error-message"]) == (404, "No such algorithm")
