"""Directories and files over HTTP (algorithmia-api, section 10)."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable

import pytest

from tests.data.conftest import User

Make = Callable[..., User]


def test_the_life_of_a_directory_and_a_file(make_user: Make) -> None:
    user = make_user()
    made = user.ask("POST", ".my", json={"name": "photos"})
    assert (made.status_code, made.json()) == (200, {"result": "data://.my/photos"})
    assert user.ask("GET", ".my").json() == {"folders": [{"name": "photos"}], "marker": None}
    listing = user.ask("GET", ".my/photos")
    assert (listing.json(), listing.headers["x-data-type"]) == ({"marker": None}, "directory")
    put = user.put(".my/photos/cat.png", b"\x89PNG")
    assert (put.status_code, put.json()) == (200, {"result": "data://.my/photos/cat.png"})
    (file,) = user.ask("GET", f"{user.name}/photos").json()["files"]
    assert (file["filename"], file["size"]) == ("cat.png", 4)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", file["last_modified"])
    got = user.ask("GET", f"{user.name}/photos/cat.png")
    assert (got.content, got.headers["x-data-type"]) == (b"\x89PNG", "file")
    assert user.put(".my/photos/cat.png", b"other").status_code == 200
    assert user.ask("GET", ".my/photos/cat.png").content == b"other"
    assert user.ask("DELETE", ".my/photos/cat.png").json() == {"result": {"deleted": 1}}
    assert user.ask("GET", ".my/photos/cat.png").status_code == 404
    assert user.ask("DELETE", ".my/photos").json() == {"result": {"deleted": 1}}
    assert user.ask("GET", ".my/photos").status_code == 404


def test_the_other_address_of_the_same(user: User) -> None:
    directory = user.directory()
    headers = {"Authorization": user.key}
    put = user.http.put(f"/v1/connector/data/{directory}/x", content=b"same", headers=headers)
    assert put.status_code == 200
    for path in (f"/v1/data/{directory}/x", f"//v1/data/{directory}/x/", f"/v1/data/data://{directory}/x"):
        assert user.http.get(user.server.address + path, headers=headers).content == b"same"
    for path in ("/v1/connector/s3/x/y", "/v1/data/s3+label://bucket/key", "/v1/connector", "/v1/connector/data+x/y"):
        answer = user.http.get(path, headers=headers)
        assert 400 <= answer.status_code < 500
        assert "no connector" in answer.json()["error"]["message"]


def test_a_bare_name_makes_a_directory(user: User) -> None:
    headers = {"Content-Type": "text/plain"}
    assert user.ask("POST", ".my", content=b"plain", headers=headers).json() == {"result": "data://.my/plain"}
    assert user.ask("GET", ".my/plain").status_code == 200


def test_a_directory_is_made_once(user: User) -> None:
    assert user.ask("POST", ".my", json={"name": "once"}).status_code == 200
    again = user.ask(
        "POST", ".my", json={"name": "once"}, headers={"User-Agent": "python-requests/2", "Authorization": user.key}
    )
    assert again.status_code == 409
    assert "already" in again.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"", b"42", b"{broken", b"\xff\xfe\x00", "snow \N{SNOWMAN}".encode()])
@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "text/html; charset=latin-1"])
def test_bytes_are_kept_whatever_they_are_said_to_be(user: User, content: bytes, kind: str | None) -> None:
    path = f"{user.directory()}/bytes"
    headers = {"Content-Type": kind} if kind else {}
    assert user.ask("PUT", path, content=content, headers=headers).status_code == 200
    assert user.ask("PUT", path + "2", content=iter([content]), headers=headers).status_code == 200  # chunked
    assert user.ask("GET", path).content == user.ask("GET", path + "2").content == content
    assert user.ask("HEAD", path).headers["content-length"] == str(len(content))


@pytest.mark.parametrize(
    ("accept", "said"),
    [
        ("text/plain", "text/plain; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/octet-stream", "application/octet-stream"),
        ("*/*", "application/octet-stream; charset=utf-8"),
        ("text/html,application/xhtml+xml", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
    ],
)
def test_accept_decides_what_a_file_is_said_to_be(user: User, accept: str, said: str) -> None:
    path = f"{user.directory()}/page.html"
    user.put(path, b"<script>alert(1)</script>")
    got = user.ask("GET", path, headers={"Accept": accept})
    assert got.headers["content-type"] == said
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "sandbox"
    assert user.ask("HEAD", path, headers={"Accept": accept}).headers["content-type"] == said


@pytest.mark.parametrize(
    ("asked", "status", "part", "content"),
    [
        ("bytes=0-3", 206, "bytes 0-3/10", b"0123"),
        ("bytes=8-", 206, "bytes 8-9/10", b"89"),
        ("bytes=-2", 206, "bytes 8-9/10", b"89"),
        ("bytes=-20", 206, "bytes 0-9/10", b"0123456789"),
        ("bytes=4-400", 206, "bytes 4-9/10", b"456789"),
        ("bytes=10-", 416, "bytes */10", None),
        ("bytes=-0", 416, "bytes */10", None),
        ("bytes=5-4", 200, None, b"0123456789"),
        ("bytes=0-1,4-5", 200, None, b"0123456789"),
        ("lines=0-1", 200, None, b"0123456789"),
        ("bytes=-", 200, None, b"0123456789"),
        ("bytes=99999999999999999999-", 200, None, b"0123456789"),
    ],
)
def test_ranges(user: User, asked: str, status: int, part: str | None, content: bytes | None) -> None:
    path = f"{user.directory()}/digits"
    user.put(path, b"0123456789")
    got = user.ask("GET", path, headers={"Range": asked})
    assert (got.status_code, got.headers.get("content-range")) == (status, part)
    if content is None:
        assert "10 bytes" in got.json()["error"]["message"]
    else:
        assert got.content == content
        assert got.headers["content-length"] == str(len(content))


def test_a_range_of_what_was_replaced_is_the_whole(user: User) -> None:
    path = f"{user.directory()}/digits"
    user.put(path, b"0123456789")
    tag = user.ask("GET", path).headers["etag"]
    assert tag == f'"{hashlib.sha256(b"0123456789").hexdigest()}"'
    assert user.ask("GET", path, headers={"Range": "bytes=0-1", "If-Range": tag}).content == b"01"
    assert user.ask("GET", path, headers={"If-None-Match": tag}).status_code == 304
    user.put(path, b"abcdefghij")
    assert user.ask("GET", path, headers={"Range": "bytes=0-1", "If-Range": tag}).content == b"abcdefghij"


def test_head_tells_why_not(user: User) -> None:
    missing = user.ask("HEAD", ".my/nothing/here")
    assert (missing.status_code, missing.content) == (404, b"")
    assert "there is no data://.my/nothing/here" in missing.headers["x-error-message"]
    directory = user.directory()
    assert user.ask("HEAD", directory).status_code == 200
    nobody = user.http.head(f"/v1/data/{directory}")
    assert (nobody.status_code, nobody.headers["x-error-message"]) == (401, "authorization required")


def test_access_lists(user: User) -> None:
    assert user.ask("GET", user.directory(), params={"acl": "true"}).json()["acl"] == {"read": ["algo://.my/*"]}
    directory = user.directory(["user://*"])
    assert "acl" not in user.ask("GET", directory).json()
    assert user.ask("GET", directory, params={"acl": "True"}).json()["acl"] == {"read": ["user://*"]}
    changed = user.ask("PATCH", directory, json={"acl": {"read": []}})
    assert (changed.status_code, changed.content) == (200, b"")
    assert user.ask("GET", directory, params={"acl": "true"}).json()["acl"] == {"read": []}


def test_deleting_directories(user: User) -> None:
    directory = user.directory()
    for name in ("a", "b", "c"):
        user.put(f"{directory}/{name}")
    refused = user.ask("DELETE", directory, params={"force": "undefined"})
    assert refused.status_code == 400
    assert refused.json()["error"]["deleted"] == 0
    assert "not empty" in refused.json()["error"]["message"]
    assert len(user.ask("GET", directory).json()["files"]) == 3
    assert user.ask("DELETE", directory, params={"force": "True"}).json() == {"result": {"deleted": 4}}
    gone = user.ask("DELETE", directory)
    assert (gone.status_code, gone.json()["error"]["deleted"]) == (404, 0)
    assert user.ask("DELETE", f"{directory}/a").status_code == 404


@pytest.mark.digest("10.5 pages", "10.5 marker")
def test_pages(make_user: Make) -> None:
    user = make_user()
    directory = user.directory()
    for number in range(7):
        user.put(f"{directory}/f{number}")
    pages, marker = [], ""
    for turn in itertools.count():
        page = user.ask("GET", directory, params={"limit": "3", **({"marker": marker} if marker else {})}).json()
        pages.append([file["filename"] for file in page["files"]])
        if turn == 0:  # what comes and goes meanwhile neither hides nor repeats another
            user.ask("DELETE", f"{directory}/f2")
            user.put(f"{directory}/f0a")
        marker = page["marker"]
        if not marker:
            break
    assert pages == [["f0", "f1", "f2"], ["f3", "f4", "f5"], ["f6"]]
    names = [user.directory().split("/")[1] for _ in range(3)]
    first = user.ask("GET", ".my", params={"limit": "2"}).json()
    second = user.ask("GET", ".my", params={"limit": "2", "marker": first["marker"]}).json()
    found = [folder["name"] for page in (first, second) for folder in page["folders"]]
    assert found == sorted([*names, directory.split("/")[1]])
    assert second["marker"] is None


def test_own_collections(make_user: Make) -> None:
    user = make_user()
    directory = user.directory(["user://*"])
    answer = user.http.get("/v1/hostedData", headers={"Authorization": user.key})
    (found,) = answer.json()["result"]
    assert (found["collection_name"], found["username"]) == (directory.split("/")[1], user.name)
    assert found["location"] == f"data://{directory}"
    assert found["acl"] == {"read_w": True, "read_g": False, "read_u": True, "read_a": True}


def test_each_write_is_in_the_journal(user: User) -> None:
    directory = user.directory()
    user.put(f"{directory}/a", b"first")
    entry = list(user.server.owner.journal())[-1].entry
    assert b"store_file" in entry
    assert hashlib.sha256(b"first").hexdigest().encode() in entry
