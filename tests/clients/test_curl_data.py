"""Data by curl, as the documentation and the rewrite of the Node client ask for it (algorithmia-api, section 10)."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.clients.curl import Curl
from tests.server import RunningServer

JSON, TEXT = "Content-Type: application/json", "Content-Type: text/plain"
CONTENT = bytes(range(256)) * 4


@pytest.fixture
def curl(server: RunningServer, tmp_path: Path) -> Curl:
    """The command with the key of a new user."""
    name, _ = server.account("data")
    return Curl(server.address, tmp_path, f"Simple {server.keys[name]}")


def user_of(curl: Curl) -> str:
    """Whose key it is: the first account that the root lists."""
    return str(curl("/v1/data/").done["folders"][0]["name"])


def directory(curl: Curl, name: str = "box", **more: object) -> str:
    """The path of a new directory."""
    made = curl("/v1/data/.my", "-H", JSON, "-d", json.dumps({"name": name, **more}))
    assert made.done == {"result": f"data://.my/{name}"}
    return f"/v1/data/.my/{name}"


def kept(curl: Curl, path: str, content: bytes, *options: str) -> None:
    """Uploads a file."""
    put = curl(path, "-X", "PUT", "--data-binary", "@-", *options, given=content)
    assert put.done == {"result": "data://" + path.removeprefix("/v1/data/")}


@pytest.mark.digest("10.2 mkdir", "10.2 mkdir_rewrite", "3.3 mkdir", "10.1 my", "10.1 root", "10.1 collections", "10.2 list",
                    "3.3 directory")  # fmt: skip
def test_directories(curl: Curl) -> None:
    name = user_of(curl)
    directory(curl)
    bare = curl("/v1/data/.my", "-H", TEXT, "-d", "bare")
    assert (bare.status, bare.json) == (200, {"result": "data://.my/bare"})
    assert "there is a directory" in curl("/v1/data/.my", "-H", JSON, "-d", '{"name": "box"}').refused(409)
    for path in ("/v1/data/.my", f"/v1/data/{name}/", f"/v1/connector/data/{name}"):
        listed = curl(path)
        assert sorted(folder["name"] for folder in listed.done["folders"]) == ["bare", "box"]
        assert listed.head["x-data-type"] == "directory"
    assert curl("/v1/data/.my/box").status == 200
    assert curl("/v1/data/.my/never").status == 404


@pytest.mark.digest(
    "10.2 upload", "10.2 download", "10.2 content_type", "10.2 missing_directory", "10.1 data", "2.4 encoding"
)
def test_files_up_and_down(curl: Curl, tmp_path: Path) -> None:
    box = directory(curl)
    source = tmp_path / "source.bin"
    source.write_bytes(CONTENT)
    assert curl(f"{box}/a%20b%25+.bin", "-T", str(source)).done == {"result": "data://.my/box/a b%+.bin"}
    found = curl(f"{box}/a%20b%25+.bin")
    assert (found.status, found.body, found.head["x-data-type"]) == (200, CONTENT, "file")
    assert [file["filename"] for file in curl(box).done["files"]] == ["a b%+.bin"]
    for said in (JSON, TEXT, "Content-Type: image/png", "Content-Type:", "Transfer-Encoding: chunked"):
        kept(curl, f"{box}/said", b"{not JSON \xff", "-H", said)
        assert curl(f"{box}/said").body == b"{not JSON \xff"
    kept(curl, f"{box}/said", b"")
    assert curl(f"{box}/said").body == b""
    assert curl("/v1/data/.my/never/file", "-T", str(source)).refused(404)
    assert curl("/v1/data/.my/box/..%2Ffile", "--path-as-is", "-T", str(source)).status == 400


def test_parts_of_files(curl: Curl) -> None:
    """Ranges, as `curl -r` and `curl -C` ask for them, and conditions."""
    path = directory(curl) + "/bytes"
    kept(curl, path, CONTENT)
    part = curl(path, "-r", "10-19")
    assert (part.status, part.body, part.head["content-range"]) == (206, CONTENT[10:20], "bytes 10-19/1024")
    assert curl(path, "-r", "1000-").body == CONTENT[1000:]
    assert curl(path, "-r", "-5").body == CONTENT[-5:]
    beyond = curl(path, "-r", "5000-")
    assert (beyond.refused(416) != "", beyond.head["content-range"]) == (True, "bytes */1024")
    whole = curl(path)
    assert whole.head["accept-ranges"] == "bytes"
    same = curl(path, "-H", f"If-None-Match: {whole.head['etag']}")
    assert (same.status, same.body) == (304, b"")
    head = curl(path, "-I")
    assert (head.status, head.head["content-length"]) == (200, "1024")


@pytest.mark.digest("10.4 content_type", "10.4 octets")
def test_accept_decides_what_a_file_is(curl: Curl) -> None:
    path = directory(curl) + "/file"
    kept(curl, path, b"<html>")
    for accept, kind in [
        ("text/plain", "text/plain; charset=utf-8"), ("application/json", "application/json"),
        ("application/octet-stream", "application/octet-stream"), ("text/html", "application/octet-stream"),
        ("*/*", "application/octet-stream; charset=utf-8"),
    ]:  # fmt: skip
        answer = curl(path, "-H", f"Accept: {accept}")
        assert (answer.head["content-type"], answer.body) == (kind, b"<html>")
        assert answer.head["x-content-type-options"] == "nosniff"
    assert curl(path, "-H", "Accept:").head["content-type"].startswith("application/octet-stream")


@pytest.mark.digest("10.2 exists", "10.2 head_get", "3.2 head", "3.3 head", "3.2 not_empty")
def test_head_says_whether_something_is_there(curl: Curl) -> None:
    box = directory(curl)
    kept(curl, f"{box}/file", b"x")
    for path in (box, f"{box}/", f"{box}/file"):
        assert curl(path, "-I").status == 200
    for path in (f"{box}/never", "/v1/data/.my/never", "/v1/data/nobody/at/all"):
        missing = curl(path, "-I")
        assert missing.status == 404
        assert "there is no" in missing.head["x-error-message"]
        assert "there is no" in curl(path).refused(404)


@pytest.mark.digest("10.2 delete_file", "10.2 delete_directory", "10.2 deleted", "10.2 force", "10.2 missing", "3.2 delete", "3.2 data",
                    "3.3 delete")  # fmt: skip
def test_deleting(curl: Curl) -> None:
    box = directory(curl)
    for name in ("one", "two", "three"):
        kept(curl, f"{box}/{name}", b"x")
    assert curl(f"{box}/one", "-X", "DELETE").done == {"result": {"deleted": 1}}
    for query in ("", "?force=false", "?force=undefined"):
        refused = curl(box + query, "-X", "DELETE")
        assert "not empty" in refused.refused(400)
        assert refused.json["error"]["deleted"] == 0
    assert curl(f"{box}?force=true", "-X", "DELETE").done == {"result": {"deleted": 3}}
    directory(curl, "empty")
    assert curl("/v1/data/.my/empty", "-X", "DELETE").done == {"result": {"deleted": 1}}
    for path in ("/v1/data/.my/empty", f"{box}/one"):
        gone = curl(path, "-X", "DELETE")
        assert "there is no" in gone.refused(404)
        assert gone.json["error"]["message"]


@pytest.mark.digest("10.2 list_acl", "10.2 acl", "3.3 acl", "10.6 private", "10.6 my_algos", "10.6 public", "10.6 others",
                    "10.1 no_acl")  # fmt: skip
def test_access_lists(server: RunningServer, curl: Curl) -> None:
    name, box = user_of(curl), directory(curl)
    kept(curl, f"{box}/file", b"x")
    other, _ = server.account("other")
    stranger = curl.with_key(server.keys[other])
    assert "acl" not in curl(box).done
    assert curl(f"{box}?acl=true").done["acl"] == {"read": ["algo://.my/*"]}
    assert stranger(f"/v1/data/{name}/box/file").status == 404
    for read, seen in ((["user://*"], 200), ([], 404), (["algo://.my/*"], 404)):
        changed = curl(box, "-X", "PATCH", "-H", JSON, "-d", json.dumps({"acl": {"read": read}}))
        assert (changed.status, changed.body) == (200, b"")
        assert curl(f"{box}?acl=true").done["acl"] == {"read": read}
        assert stranger(f"/v1/data/{name}/box/file").status == seen
        assert stranger(f"/v1/data/{name}/box/file", "-X", "PUT", "-d", "y").status != 200
    nothing_known: list[object] = [["everybody"], ["user://*", "algo://.my/*"], "user://*", None, [[]]]
    for nonsense in nothing_known:
        refused = curl(box, "-X", "PATCH", "-H", JSON, "-d", json.dumps({"acl": {"read": nonsense}}))
        assert refused.refused(400)
    assert curl(f"{box}?acl=true").done["acl"] == {"read": ["algo://.my/*"]}
    assert "acl" not in curl("/v1/data/.session?acl=true").json
    directory(curl, "shown", acl={"read": ["user://*"]})
    assert curl("/v1/data/.my/shown?acl=true").done["acl"] == {"read": ["user://*"]}


@pytest.mark.digest("10.3 absent", "10.3 last_modified", "10.3 size")
def test_the_listing_object(curl: Curl) -> None:
    box = directory(curl)
    assert not {"files", "folders"} & {key for key, value in curl(box).done.items() if not value}
    kept(curl, f"{box}/file", CONTENT)
    listing = curl(box).done
    (file,) = listing["files"]
    assert (file["filename"], file["size"]) == ("file", 1024)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z", file["last_modified"])
    time.strptime(file["last_modified"], "%Y-%m-%dT%H:%M:%S.%fZ")
    assert not listing.get("marker")


@pytest.mark.digest("10.1 connectors")
def test_connectors_that_there_are_not(curl: Curl) -> None:
    for path in (
        "/v1/data/s3+x://bucket/key",
        "/v1/connector/s3/key",
        "/v1/connector/dropbox+mine/a",
        "/v1/data/gs://x",
    ):
        assert "there is no connector" in curl(path).refused(400)
    directory(curl)
    kept(curl, "/v1/data/.my/box/file", b"x")
    assert curl("/v1/connector/data/.my/box/file").body == b"x"
    assert curl("/v1/data/data://.my/box/file").body == b"x"


def test_own_collections(curl: Curl) -> None:
    name = user_of(curl)
    directory(curl, "one")
    (one,) = curl("/v1/hostedData").done["result"]
    assert (one["collection_name"], one["username"], one["location"]) == ("one", name, f"data://{name}/one")
    assert one["acl"] == {"read_w": False, "read_g": False, "read_u": True, "read_a": True}


def test_a_large_file_in_both_directions(curl: Curl, tmp_path: Path) -> None:
    """What is larger than any buffer, uploaded from a file, with `Expect: 100-continue` as curl says it."""
    source = tmp_path / "large.bin"
    source.write_bytes(CONTENT * 20_000)
    path = directory(curl) + "/large"
    assert curl(path, "-T", str(source), "-H", "Expect: 100-continue").status == 200
    assert curl(path).body == source.read_bytes()


def test_keys_that_are_not_for_it(server: RunningServer, curl: Curl) -> None:
    name, box = user_of(curl), directory(curl)
    kept(curl, f"{box}/file", b"x")
    body = {
        "key_label": "calls only",
        "permissions": {"allow_data": False, "allow_algo": True, "algo_acl": ["algo://*"]},
    }
    made = curl(f"/v1/users/{name}/keys", "-H", JSON, "-d", json.dumps(body)).done
    assert re.fullmatch(r"sim[A-Za-z0-9]{25}", made["api_key"])
    calls = curl.with_key(made["api_key"])
    assert "this key is not for" in calls(f"{box}/file").refused(403)
    body["permissions"] = {"allow_data": True, "allow_data_write": False}
    reads = curl.with_key(curl(f"/v1/users/{name}/keys", "-H", JSON, "-d", json.dumps(body)).done["api_key"])
    assert reads(f"{box}/file").body == b"x"
    assert reads(f"{box}/file", "-X", "PUT", "-d", "y").status == 403
    assert curl.with_key("")(f"{box}/file").refused(401)
