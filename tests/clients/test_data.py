"""Data by the Python client, the Node client and the `algo` command, as they are (algorithmia-api, sections 10, 14 and 17)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.node import NodeClient, module
from tests.clients.python import interpreter
from tests.clients.test_algo import Terminal
from tests.clients.test_algo import terminal as terminal
from tests.server import RunningServer

SCRIPT = Path(__file__).parent / "scripts" / "python_data.py"


@pytest.mark.digest(
    "1.2 python",
    "3.2 delete",
    "10.2 head_get",
    "10.3 last_modified",
    "10.6 public",
    "10.6 private",
    "10.6 my_algos",
    "10.1 root",
    "17 freeze",
    "10.7 md5",
)
def test_the_python_client(server: RunningServer, tmp_path: Path) -> None:
    name, _ = server.account("data")
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ALGORITHMIA_API": server.address,
                    "ALGORITHMIA_API_KEY": server.keys[name], "no_proxy": "127.0.0.1"}  # fmt: skip
    done = subprocess.run(
        [str(interpreter()), str(SCRIPT), str(tmp_path / "model_manifest.json")], env=surroundings, cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["username"] == name
    assert found["root"][0] == name
    assert (found["before"], found["after"]) == (False, True)
    assert found["again"] == "Exception"
    acls = [found[kind] for kind in ("usual acl", "public acl", "private acl")]
    assert acls == ["algo://.my/*", "user://*", None]
    assert (found["file before"], found["file after"]) == (False, False)
    assert (found["text"], found["bytes"], found["number"]) == ("text \N{SNOWMAN}", [0, 255], "42")
    assert (found["document"], found["empty"], found["as a file"]) == ({"a": [1, None]}, "", [0, 255])
    sizes = {"a b%.txt": 8, "bytes": 2, "number": 2, "document": 14, "empty": 0}
    assert set(found["listing"]) == set(sizes)
    assert all(found["listing"][name] == size for name, size in sizes.items() if name != "document")
    assert found["moments"]
    assert [folder.rsplit("/", 1)[1] for folder in found["folders"]] == ["shut", "things"]
    for failed in ("full", "missing file", "missing delete", "missing directory"):
        assert found[failed].startswith(("DataApiError", "AlgorithmException", "Exception")), (failed, found[failed])
    assert found["at last"] is False
    frozen = found["frozen"]["required_files"][0]
    assert frozen["md5_checksum"] == hashlib.md5(b"the model").hexdigest()
    assert found["frozen"]["lock_checksum"]


@pytest.fixture(scope="module")
def node(server: RunningServer) -> Iterator[NodeClient]:
    name, _ = server.account("nodedata")
    client = NodeClient(module(), server.address, server.keys[name])
    yield client
    client.close()


@pytest.mark.digest("1.2 node", "10.4 content_type", "10.4 octets", "10.2 delete_directory")
def test_the_node_client(node: NodeClient) -> None:
    folder = "data://.my/bits"
    assert node.data("dir", folder, "exists")[0] is False
    node.data("dir", folder, "create")
    assert node.data("dir", folder, "exists") == [True]
    node.data("file", f"{folder}/text", "putString", "text \N{SNOWMAN}")
    node.data("file", f"{folder}/json", "putJson", '{"a": 1}')
    node.data("file", f"{folder}/bytes", "put", b"\x00\xff")
    assert node.data("file", f"{folder}/text", "getString")[0] == "text \N{SNOWMAN}"
    assert node.data("file", f"{folder}/json", "getJson")[0] == {"a": 1}
    assert node.data("file", f"{folder}/bytes", "get") == [None, b"\x00\xff"]
    assert node.data("file", f"{folder}/bytes", "getString")[1] == 200  # a file that is no text does not end the client
    assert node.data("file", f"{folder}/never", "exists")[:2] == [False, 404]
    assert sorted(node.listing(folder)) == ["bytes", "json", "text"]
    assert node.data("file", f"{folder}/text", "delete")[0] == {"result": {"deleted": 1}}
    refused = node.data("dir", folder, "delete", False)
    assert refused[0]["error"]["deleted"] == 0
    assert node.data("dir", folder, "delete", True)[1] == 200
    assert node.data("dir", folder, "exists")[0] is False


@pytest.mark.digest("14 ls", "14 directories", "14 cp", "14 cat", "14 others", "17 freeze")
def test_the_algo_command(terminal: Terminal) -> None:
    (terminal.home / "one.txt").write_text("one\n")
    (terminal.home / "two.txt").write_text("two\n")
    terminal.algo("mkdir", "data://.my/box")
    terminal.algo("cp", str(terminal.home / "one.txt"), str(terminal.home / "two.txt"), "data://.my/box")
    listed = terminal.algo("ls", "data://.my/box/").split()
    assert [path.rsplit("/", 1)[1] for path in listed] == ["one.txt", "two.txt"]
    assert "4 " in terminal.algo("ls", "-l", "data://.my/box/one.txt")
    assert terminal.algo("cat", "data://.my/box/one.txt", "data://.my/box/two.txt").strip() == "one\ntwo"
    terminal.algo("cp", "data://.my/box/one.txt", "data://.my/box/three.txt")
    terminal.algo("cp", "data://.my/box/three.txt", "back.txt")
    assert (terminal.home / "back.txt").read_text() == "one\n"
    terminal.algo("rm", "data://.my/box/three.txt")
    assert "three.txt" not in terminal.algo("ls", "data://.my/box/")
    assert "box" in terminal.algo("ls", "data://.my/")
    assert terminal.algo("ls").split()[0].rstrip("/").startswith("algo")
    terminal.algo("rmdir", "data://.my/box")  # refused, because it is not empty
    assert "box" in terminal.algo("ls", "data://.my/")
    (terminal.home / "model_manifest.json").write_text(
        json.dumps({"required_files": [{"name": "one", "source_uri": "data://.my/box/one.txt"}], "optional_files": []})
    )
    terminal.algo("freeze")
    frozen = json.loads((terminal.home / "model_manifest.json.freeze").read_text())
    assert frozen["required_files"][0]["md5_checksum"] == hashlib.md5(b"one\n").hexdigest()
    terminal.algo("rmdir", "-f", "data://.my/box")
    assert "box" not in terminal.algo("ls", "data://.my/")


@pytest.mark.digest("17 freeze", "17 optional")
def test_what_freeze_writes_is_what_a_version_reads(terminal: Terminal, tmp_path: Path) -> None:
    """The command takes the sums of required files only, also where there are optional ones, and the lock holds for us."""
    terminal.algo("mkdir", "data://.my/models")
    for name in ("weights", "words"):
        (terminal.home / name).write_text(name)
        terminal.algo("cp", str(terminal.home / name), "data://.my/models")
    user = terminal.algo("ls").split()[0].rstrip("/")
    files = [{"name": name, "source_uri": f"data://{user}/models/{name}"} for name in ("weights", "words")]
    document = {"required_files": files[:1], "optional_files": files[1:]}
    (terminal.home / "model_manifest.json").write_text(json.dumps(document))
    terminal.algo("freeze")
    written = (terminal.home / "model_manifest.json.freeze").read_bytes()
    assert json.loads(written)["required_files"][0]["md5_checksum"] == hashlib.md5(b"weights").hexdigest()
    assert "md5_checksum" not in json.loads(written)["optional_files"][0]
    code = (
        "from Algorithmia import ADK\n"
        "def load(models):\n    return models\n"
        "def apply(input, models):\n    return [open(models.get_model(input)).read(), models.using_frozen]\n"
        "ADK(apply, load).init('weights')\n"
    )
    client = terminal.server.client(terminal.server.keys[user])
    found, commit = terminal.server.build(
        tmp_path / "source", user, client, code=code, files={"model_manifest.json.freeze": written}
    )
    for name in ("weights", "words"):
        assert json.loads(
            terminal.algo("run", f"{found}/{commit}", "-d", name).replace("'", '"').replace("True", "true")
        ) == [name, True]
