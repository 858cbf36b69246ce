"""Bad input and bad luck: names, markers, limits, cut-off uploads, writers at once, quotas."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.data.conftest import User
from tests.server import RunningServer
from tests.within.author import wait_for
from troth.doors.algorithmia import data_streams

Make = Callable[..., User]
NAMES = {
    "dots": "..",
    "encoded dots": "%2e%2e",
    "one dot": "%2E",
    "an encoded slash": "a%2Fb",
    "dots behind an encoded slash": "a%2F..%2F..%2Fsecret",
    "a backslash": "a%5Cb",
    "NUL": "a%00b",
    "a new line": "a%0Ab",
    "4 KB": "a" * 4096,
    "more bytes than characters": "%C3%A9" * 128,
    "no UTF-8": "%FF",
    "half of a pair": "%ED%A0%80",
    "a slash that looks like one": "a%E2%81%84b",
    "a wide slash": "a%EF%BC%8Fb",
    "wide dots": "%EF%BC%8E%EF%BC%8E",
    "two dots in one": "%E2%80%A5",
    "nothing seen": "a%E2%80%8Bb",
    "turned round": "a%E2%80%AEgnp.exe",
    "a space at the end": "a%20",
    "a space alone": "%20",
}


@pytest.mark.parametrize("name", list(NAMES.values()), ids=list(NAMES))
def test_names_that_no_file_has(user: User, name: str) -> None:
    directory = user.directory()
    for method in ("PUT", "GET", "HEAD", "DELETE"):
        answer = asked(user, method, f"/v1/data/{directory}/{name}", b"x" if method == "PUT" else b"")
        assert answer[0] == 400, (method, answer)
    assert user.ask("GET", directory).json() == {"marker": None}


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a b", "a/b", "é", "a" * 256, "a\x00", "-", "ａ", "a\u200b"]
)
def test_names_that_no_directory_has(user: User, name: str) -> None:
    answer = user.ask("POST", ".my", json={"name": name})
    assert answer.status_code == 400, answer.text
    assert "is not a name" in answer.json()["error"]["message"]


def test_names_that_files_have(user: User) -> None:
    directory = user.directory()
    for name in (
        "a b.txt",
        "100%",
        "a+b",
        "#1",
        "?",
        ".dotfile",
        "snow \N{SNOWMAN}",
        "a" * 255,
        "..a",
        "a..",
        "'\";--",
    ):
        path = f"{directory}/{name}".replace("%", "%25").replace("#", "%23").replace("?", "%3F").replace(" ", "%20")
        assert user.ask("PUT", path, content=name.encode()).status_code == 200, name
        assert user.ask("GET", path).content == name.encode()
    listed = {file["filename"] for file in user.ask("GET", directory).json()["files"]}
    assert {"a+b", "100%", ".dotfile", "#1"} <= listed


def test_one_name_in_two_forms_is_one_file(user: User) -> None:
    """Some systems write é as one character, others as two."""
    directory = user.directory()
    assert asked(user, "PUT", f"/v1/data/{directory}/caf%C3%A9", b"one")[0] == 200
    assert asked(user, "PUT", f"/v1/data/{directory}/cafe%CC%81", b"two")[0] == 200
    (file,) = user.ask("GET", directory).json()["files"]
    assert file["filename"] == "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    assert user.ask("GET", f"{directory}/caf%C3%A9").content == b"two"


@pytest.mark.parametrize("path", ["a/b/c/d", "..", "%2e%2e/%2e%2e/etc/passwd", "a//b", "%00", "a/%2e%2e/b", ".my/../x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"])
def test_paths_that_lead_nowhere(user: User, path: str, method: str) -> None:
    body = b"{}" if method in ("POST", "PATCH") else b""
    assert asked(user, method, f"/v1/data/{path}", body)[0] in (400, 404)


@pytest.mark.parametrize(
    "acl",
    [None, [], "user://*", {}, {"read": None}, {"read": "user://*"}, {"read": ["user://ada"]}, {"read": ["user://*", "user://*"]},
     {"read": [["user://*"]]}, {"read": [7]}, {"read": [], "write": []}, {"write": ["user://*"]}, {"read": {"user://*": 1}}],
)  # fmt: skip
def test_access_lists_that_are_none(user: User, acl: object) -> None:
    directory = user.directory([])
    made = user.ask("POST", ".my", json={"name": "never", "acl": acl})
    changed = user.ask("PATCH", directory, json={"acl": acl})
    assert (made.status_code, changed.status_code) == (400, 400)
    assert "is no ACL" in changed.json()["error"]["message"]
    assert user.ask("GET", directory, params={"acl": "true"}).json()["acl"] == {"read": []}
    assert user.ask("GET", ".my/never").status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 100_000, b'{"name": 7}', b'{"name": null}', b"x" * 70_000]
)
def test_bodies_that_make_no_directory(user: User, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert user.ask("POST", ".my", content=body, headers=headers).status_code in (400, 413)
    assert user.ask("PATCH", user.directory(), content=body, headers=headers).status_code in (400, 413)


@pytest.mark.parametrize(
    "marker",
    ["x", "e30", "bnVsbA", "Nw", "Ii4uIg", "ImEvYiI", "IlxcdWQ4MDAi", "IgAi", "é", "A" * 5000, "IiI", "{}", "0"],
)
def test_markers_that_no_page_had(user: User, marker: str) -> None:
    for path in (user.directory(), ".my"):
        answer = user.ask("GET", path, params={"marker": marker})
        assert (answer.status_code, answer.json()["code"]) == (400, 5002), answer.text


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "1e3", "x", "９", "99999999999999999999"])
def test_limits_that_are_none(user: User, limit: str) -> None:
    answer = user.ask("GET", user.directory(), params={"limit": limit})
    assert (answer.status_code, answer.json()["code"]) == (400, 5003)


def test_what_is_not_for_files_or_directories(user: User) -> None:
    directory = user.directory()
    assert user.put(f"{directory}/a").status_code == 200
    assert user.put(directory).status_code == 400
    assert user.put("").status_code == 400
    assert user.put(".my/missing/x").status_code == 404
    assert user.ask("POST", directory, json={"name": "inner"}).status_code == 400
    assert user.ask("POST", "", json={"name": "account"}).status_code == 400
    assert user.ask("DELETE", ".my").status_code == 400
    assert user.ask("PATCH", "", json={"acl": {"read": []}}).status_code == 400
    assert user.ask("PATCH", directory, json={"acl": {"read": []}, "name": "x"}).status_code == 400
    assert user.ask("OPTIONS", directory).status_code == 405
    assert user.ask("GET", f"{directory}/a/b").status_code == 400


@pytest.mark.parametrize("head", ["Content-Length: 3000000", "Transfer-Encoding: chunked"])
def test_an_upload_that_is_cut_off_leaves_nothing(user: User, head: str) -> None:
    directory, uploads = user.directory(), user.server.home / "data" / "uploads"
    user.put(f"{directory}/kept", b"as it was")
    blobs = user.server.home / "data" / "blobs"
    before = sorted(blobs.rglob("*"))
    for name in ("new", "kept"):
        with connection(user) as wire:
            request = (
                f"PUT /v1/data/{directory}/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: {user.key}\r\n{head}\r\n\r\n"
            )
            wire.sendall(request.encode() + b"200000\r\n" + b"x" * 0x180000)  # as a chunk not the whole of it
            wait_for(lambda: bool(list(uploads.iterdir())))
        wait_for(lambda: not list(uploads.iterdir()))
    assert [file["filename"] for file in user.ask("GET", directory).json()["files"]] == ["kept"]
    assert user.ask("GET", f"{directory}/kept").content == b"as it was"
    assert sorted(blobs.rglob("*")) == before


def test_a_file_is_there_when_it_is_whole(user: User) -> None:
    directory = user.directory()
    seen: list[int] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(5):
            seen.append(user.ask("GET", f"{directory}/slow").status_code)
            yield b"x" * 0x100000

    with httpx2.Client(base_url=user.server.address, timeout=60) as client:
        headers = {"Authorization": user.key}
        assert client.put(f"/v1/data/{directory}/slow", content=pieces(), headers=headers).status_code == 200
    assert seen == [404] * 5
    assert user.ask("HEAD", f"{directory}/slow").headers["content-length"] == str(5 * 0x100000)


def test_of_two_writers_one_wins_whole(user: User) -> None:
    path = f"/v1/data/{user.directory()}/both"
    contents = [bytes([letter]) * 3_000_000 for letter in b"ab"]
    gate = threading.Barrier(2)
    statuses = []

    def write(content: bytes) -> None:
        def pieces() -> Iterator[bytes]:
            for start in range(0, len(content), 500_000):
                gate.wait(60)  # piece by piece, side by side
                yield content[start : start + 500_000]

        with httpx2.Client(base_url=user.server.address, timeout=60) as client:
            statuses.append(client.put(path, content=pieces(), headers={"Authorization": user.key}).status_code)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [200, 200]
    assert user.http.get(path, headers={"Authorization": user.key}).content in contents


def test_a_reader_keeps_what_it_began_to_read(user: User) -> None:
    path = f"{user.directory()}/large"
    user.put(path, b"a" * 8_000_000)
    request = user.http.build_request("GET", f"/v1/data/{path}", headers={"Authorization": user.key})
    reply = user.http.send(request, stream=True)
    pieces = reply.iter_raw(1000)
    read = len(next(pieces))
    assert user.put(path, b"b").status_code == 200
    user.server.server.data.collect()
    for piece in pieces:
        assert set(piece) == {ord("a")}
        read += len(piece)
    assert read == 8_000_000
    assert user.ask("GET", path).content == b"b"


def test_a_reader_that_leaves(user: User) -> None:
    path = f"{user.directory()}/large"
    user.put(path, os.urandom(1) * 30_000_000)
    for _ in range(3):
        with connection(user) as wire:
            head = f"GET /v1/data/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {user.key}\r\n\r\n"
            wire.sendall(head.encode())
            assert wire.recv(1000).startswith(b"HTTP/1.1 200")
            assert open_blobs(user)
    wait_for(lambda: not open_blobs(user))


def open_blobs(user: User) -> list[str]:
    """What the server, which is this process, holds open of its blobs."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            continue  # closed meanwhile
    return [path for path in found if path.startswith(str(user.server.home / "data" / "blobs"))]


@pytest.mark.parametrize("key", ["", "its own"])
def test_a_client_that_asks_before_it_sends_is_refused_at_once(user: User, key: str) -> None:
    with connection(user) as wire:
        head = (
            f"PUT /v1/data/.my/missing/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {1 << 40}\r\n"
        )
        wire.sendall((head + (f"Authorization: Simple {user.key}\r\n" if key else "") + "\r\n").encode())
        status = wire.recv(65536).split(b" ")[1]
    assert status == (b"404" if key else b"401")


def test_a_client_that_sends_all_the_same_hears_why(user: User) -> None:
    """Clients that read an answer only when they have sent everything would not hear of a connection that was closed."""
    content = b"x" * 20_000_000
    answer = user.put(".my/missing/x", content)
    assert answer.status_code == 404
    nobody = user.http.put("/v1/data/.my/missing/x", content=content)
    assert nobody.status_code == 401


@pytest.mark.parametrize(("method", "status"), [("REPORT", b"405"), ("PUT", b"401")])
def test_what_nobody_sends_is_not_read_without_end(
    user: User, monkeypatch: pytest.MonkeyPatch, method: str, status: bytes
) -> None:
    monkeypatch.setattr(data_streams, "PATIENCE", 1 << 20)
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with connection(user) as wire:
        wire.sendall(f"{method} /v1/data/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        waiting, sent = memoryview(chunk), 0
        while sent < 64 << 20:
            readable, writable, _ = select.select([wire], [wire], [], 60)
            if readable:
                break
            assert writable
            count = wire.send(waiting)
            sent, waiting = sent + count, waiting[count:] or memoryview(chunk)
        assert sent < 64 << 20
        assert wire.recv(65536).split(b" ")[1] == status


def test_a_directory_that_is_deleted_while_it_is_listed(user: User) -> None:
    directory = user.directory()
    for number in range(4):
        user.put(f"{directory}/{number}")
    page = user.ask("GET", directory, params={"limit": "2"}).json()
    user.ask("DELETE", directory, params={"force": "true"})
    following = user.ask("GET", directory, params={"limit": "2", "marker": page["marker"]})
    assert following.status_code == 404
    assert "there is no" in following.json()["error"]["message"]


def test_a_directory_that_is_deleted_while_a_file_comes(user: User) -> None:
    directory = user.directory()
    blobs = user.server.home / "data" / "blobs"

    def pieces() -> Iterator[bytes]:
        yield b"never seen" * 200_000
        assert user.ask("DELETE", directory).status_code == 200
        yield b"the rest"

    with httpx2.Client(base_url=user.server.address, timeout=60) as client:
        headers = {"Authorization": f"Simple {user.key}"}
        answer = client.put(f"/v1/data/{directory}/late", content=pieces(), headers=headers)
    assert answer.status_code == 404
    assert user.ask("GET", directory).status_code == 404
    user.server.server.data.collect()
    assert not any(path.stat().st_size == 2_000_008 for path in blobs.rglob("*"))


def test_a_key_that_is_revoked_while_a_file_comes(make_user: Make) -> None:
    user = make_user()
    directory = user.directory(["user://*"])
    key_id = user.server.client(user.key).keys()["keys"][0]["key_id"]

    def pieces() -> Iterator[bytes]:
        yield b"first"
        user.server.owner.command("revoke_key", key_id=key_id)
        yield b"rest"

    with httpx2.Client(base_url=user.server.address, timeout=60) as client:
        headers = {"Authorization": f"Simple {user.key}"}
        answer = client.put(f"/v1/data/{directory}/late", content=pieces(), headers=headers)
    assert answer.status_code == 401
    assert "files" not in make_user().ask("GET", directory).json()


def test_quotas(make_user: Make) -> None:
    user, other = make_user(), make_user()
    directory = user.directory()
    assert user.server.owner.command("set_data_quota", account=user.name, bytes=1000)["quota"] == 1000
    assert user.put(f"{directory}/a", b"x" * 600).status_code == 200
    for content in (b"y" * 500, iter([b"y" * 300, b"y" * 200])):
        full = user.put(f"{directory}/b", content)
        assert full.status_code == 413
        assert "may keep" in full.json()["error"]["message"]
    assert user.put(f"{directory}/a", b"z" * 1000).status_code == 200  # it takes the place of the other
    assert user.put(f"{directory}/b", b"y").status_code == 413
    assert user.put(f"{directory}/b", b"").status_code == 200
    inside = user.inside(other)
    assert inside.put(".algo/temp/x", b"x").status_code == 413
    assert [file["filename"] for file in user.ask("GET", directory).json()["files"]] == ["a", "b"]
    user.ask("DELETE", f"{directory}/a")
    assert user.put(f"{directory}/b", b"y" * 1000).status_code == 200
    assert user.server.owner.command("set_data_quota", account=user.name, bytes=None)["bytes"] == 1000
    assert user.put(f"{directory}/c", b"y" * 5000).status_code == 200
    with pytest.raises(Exception, match="may not set data quota"):
        user.server.client(user.key).command("set_data_quota", account=user.name, bytes=0)


def test_two_uploads_cannot_share_the_same_room(make_user: Make) -> None:
    user = make_user()
    directory = user.directory()
    user.server.owner.command("set_data_quota", account=user.name, bytes=1500)

    def pieces() -> Iterator[bytes]:
        yield b"x" * 500
        assert user.put(f"{directory}/first", b"y" * 1000).status_code == 200
        yield b"x" * 500

    with httpx2.Client(base_url=user.server.address, timeout=60) as client:
        headers = {"Authorization": f"Simple {user.key}"}
        second = client.put(f"/v1/data/{directory}/second", content=pieces(), headers=headers)
    assert second.status_code == 413
    assert [file["filename"] for file in user.ask("GET", directory).json()["files"]] == ["first"]


def test_what_no_file_has_is_removed(user: User) -> None:
    directory, other = user.directory(), user.directory()
    content = os.urandom(2000)
    for path in (f"{directory}/a", f"{other}/b"):
        user.put(path, content)

    def blobs() -> list[Path]:
        return [
            path
            for path in (user.server.home / "data" / "blobs").rglob("*")
            if path.is_file() and path.read_bytes() == content
        ]

    assert len(blobs()) == 1
    user.ask("DELETE", f"{directory}/a")
    user.server.server.data.collect()
    assert len(blobs()) == 1
    user.ask("DELETE", other, params={"force": "true"})
    user.server.server.data.collect()
    assert blobs() == []


def test_ten_thousand_files(user: User, data_server: RunningServer) -> None:
    directory = user.directory()
    user.put(f"{directory}/first")
    fill(data_server, user, directory, 10_000)
    names, marker, pages = [], "", 0
    while pages == 0 or marker:
        page = user.ask("GET", directory, params={"marker": marker} if marker else {}).json()
        names += [file["filename"] for file in page["files"]]
        marker, pages = page["marker"], pages + 1
    assert pages == 11
    assert names == sorted({f"n{number:05}" for number in range(10_000)} | {"first"})
    assert user.ask("GET", f"{directory}/n09999").content == b"x"
    assert user.ask("DELETE", directory).status_code == 400
    assert user.ask("DELETE", directory, params={"force": "true"}).json() == {"result": {"deleted": 10_002}}
    assert user.ask("GET", directory).status_code == 404


def fill(server: RunningServer, user: User, directory: str, count: int) -> None:
    """Writes so many files by the registry alone, each with the content of the first."""
    import uuid

    from troth.registry import data

    def write(connection: object) -> None:
        found = data.find_collection(connection, user.id, directory.split("/")[1])  # type: ignore[arg-type]
        assert found is not None
        (first,) = data.files(connection, found.id, "", 10)  # type: ignore[arg-type]
        for number in range(count):
            file = data.FileRow(str(uuid.uuid4()), f"n{number:05}", 1, first.digest, first.modified_at)
            data.put_file(connection, found, file)  # type: ignore[arg-type]

    server.server.database.write_now(write)


def connection(user: User) -> socket.socket:
    """A connection of its own."""
    return socket.create_connection(("127.0.0.1", urlsplit(user.server.address).port or 0), timeout=60)


def asked(user: User, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and body of the answer to a target exactly as it is written, which clients would mend."""
    with connection(user) as wire:
        head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {user.key}\r\nConnection: close\r\n"
        head += "Content-Type: application/json\r\n"
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body)
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
    return int(answer.split(b" ")[1]), answer.partition(b"\r\n\r\n")[2]
