"""Data from inside an algorithm: as its caller, within the one call, and only what the directory's readers allow too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer, running_server
from tests.within.author import publish

KEEPER = """
import Algorithmia
from Algorithmia.acl import ReadAcl

client = Algorithmia.client()

def apply(input):
    directory = client.dir(input)
    found = [directory.exists()]
    directory.create(ReadAcl.private)
    found.append(directory.exists())
    file = directory.file("a.txt")
    file.put("hällo")
    found += [file.exists(), file.getString(), file.getBytes().decode(), client.file(input + "/none").exists()]
    directory.file("b.json").putJson({"a": 1})
    found.append(client.file(input + "/b.json").getJson())
    with open("/tmp/large", "wb") as large:
        large.write(bytes(range(256)) * 8000)
    directory.file("large").putFile("/tmp/large")
    found.append(len(open(directory.file("large").getFile(as_path=True), "rb").read()))
    found.append(sorted((one.getName(), one.size) for one in directory.files()))
    found.append(directory.get_permissions().read_acl.acl_string)
    directory.update_permissions(ReadAcl.public)
    found.append(directory.get_permissions().read_acl.acl_string)
    file.delete()
    found.append(file.exists())
    directory.delete(force=True)
    return found + [directory.exists(), client.username()]
"""
#: reads what it is told to, and writes beside it
READER = """
import Algorithmia

def apply(input):
    client = Algorithmia.client()
    found = []
    for what in (lambda: client.file(input).getString(), lambda: client.file(input + "2").put("x") and "written"):
        try:
            found.append(what())
        except Algorithmia.ApiError as error:
            found.append([str(error)])
    return found
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def reader(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(server, tmp_path_factory.mktemp("reader"), READER)


def put(server: RunningServer, key: str, owner: str, readers: list[str]) -> str:
    """The address of a file in a new directory with these readers."""
    name = server.new_name("collection")
    with httpx2.Client(base_url=server.address, headers={"Authorization": key}, trust_env=False, timeout=60) as http:
        made = http.post(f"/v1/data/{owner}", json={"name": name, "acl": {"read": readers}})
        assert made.status_code == 200, made.text
        assert http.put(f"/v1/data/{owner}/{name}/file", content=b"what is in it").status_code == 200
    return f"data://{owner}/{name}/file"


def test_directories_and_files(server: RunningServer, tmp_path: Path) -> None:
    name, client = server.account()
    keeper = publish(server, tmp_path, KEEPER, owner=name)
    found = client.call(keeper, "data://.my/kept").result
    assert found == [
        False, True, True, "hällo", "hällo", False, {"a": 1}, 2_048_000,
        [["a.txt", 6], ["b.json", 8], ["large", 2_048_000]], None, "user://*", False, False, name,
    ]  # fmt: skip


def refused(answer: Any) -> bool:
    return isinstance(answer, list) and bool(answer[0])


def test_a_public_algorithm_does_not_read_what_is_private_to_its_caller(server: RunningServer, reader: str) -> None:
    name, client = server.account()
    private = put(server, server.keys[name], name, [])
    read, _ = client.call(reader, private).result
    assert refused(read)


def test_an_algorithm_of_somebody_else_writes_nothing(server: RunningServer, reader: str) -> None:
    name, client = server.account()
    private = put(server, server.keys[name], name, [])
    _, written = client.call(reader, private).result
    assert refused(written)


def test_what_is_everybody_s(server: RunningServer, reader: str) -> None:
    name, client = server.account()
    public = put(server, server.keys[name], name, ["user://*"])
    assert client.call(reader, public).result[0] == "what is in it"
    _, stranger = server.account()
    read, written = stranger.call(reader, public).result
    assert read == "what is in it"
    assert refused(written)


def test_a_key_that_is_not_for_data_lends_no_data(server: RunningServer, reader: str) -> None:
    name, client = server.account()
    public = put(server, server.keys[name], name, ["user://*"])
    scope = {"algorithms": ["algo://*"], "data": "none", "manage": False, "administrator": False, "production": False,
             "origin": ""}  # fmt: skip
    key = client.command("create_key", version=2, account=name, label="calls", scope=scope)["key"]
    assert all(refused(one) for one in server.client(key).call(reader, public).result)
