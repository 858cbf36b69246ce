"""Run beside the Python client of PyPI: everything that it can do with data. Prints what came of each step as a line of JSON.

Arguments: a folder for scratch files, and the name of somebody else who has a public directory `shown` and a private one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import Algorithmia  # type: ignore[import-not-found]
from Algorithmia.acl import ReadAcl  # type: ignore[import-not-found]
from Algorithmia.CLI import CLI  # type: ignore[import-not-found]


def raised(step: Callable[[], Any]) -> str:
    """The words of what a step raises."""
    try:
        step()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def steps(client: Any, scratch: Path, other: str) -> dict[str, Any]:
    """Each step by its name, and what came of it."""
    found: dict[str, Any] = {"username": client.username()}
    directory = client.dir("data://.my/story")
    found["missing"] = [directory.exists(), client.file("data://.my/story/x").exists()]
    found["put into nothing"] = raised(lambda: client.file("data://.my/story/x").put("x"))
    directory.create(ReadAcl.private)
    found["made twice"] = raised(directory.create)
    found["acl"] = [directory.get_permissions().read_acl.pseudonym]
    for acl in (ReadAcl.public, ReadAcl.my_algos):
        directory.update_permissions(acl)
        found["acl"].append(directory.get_permissions().read_acl.pseudonym)
    text = directory.file("text \N{SNOWMAN}.txt")
    text.put("snow \N{SNOWMAN}")
    found["text"] = [text.exists(), text.getString()]
    directory.file("number").put("42")
    found["number"] = directory.file("number").getJson()
    directory.file("value").putJson({"a": [1, None]})
    found["value"] = directory.file("value").getJson()
    directory.file("bytes").put(bytes(range(256)))
    found["bytes"] = list(directory.file("bytes").getBytes()) == list(range(256))
    for name, content in (("large", os.urandom(3_000_000)), ("empty", b"")):
        (scratch / name).write_bytes(content)
        directory.file(name).putFile(str(scratch / name))
        with open(directory.file(name).getFile(as_path=True), "rb") as file:
            found[name] = file.read() == content
    found["files"] = sorted(file.getName() for file in directory.files())
    found["sizes"] = {file.getName(): file.size for file in directory.list() if file.getName() in ("bytes", "large")}
    found["dirs"] = [one.getName() for one in client.dir("data://.my").dirs()]
    found["not empty"] = raised(directory.delete)
    directory.file("bytes").delete()
    found["deleted twice"] = raised(directory.file("bytes").delete)
    found["others"] = [
        client.file(f"data://{other}/shown/file").getString(),
        client.dir(f"data://{other}/hidden").exists(),
        raised(lambda: client.file(f"data://{other}/hidden/file").getString()),
        raised(lambda: client.file(f"data://{other}/shown/file").put("mine")),
        raised(client.file(f"data://{other}/shown/file").delete),
        raised(lambda: client.dir(f"data://{other}/shown").update_permissions(ReadAcl.private)),
    ]
    found["frozen"] = frozen(client, directory, scratch)
    found["deleted"] = directory.delete(True)
    found["gone"] = directory.exists()
    return found


def frozen(client: Any, directory: Any, scratch: Path) -> dict[str, Any]:
    """What `algo freeze` writes of a manifest."""
    directory.file("model").put("weights")
    files = [{"name": "model", "source_uri": "data://.my/story/model", "fail_on_tamper": True}]
    (scratch / "model_manifest.json").write_text(json.dumps({"required_files": files, "optional_files": []}))
    client.freeze(str(scratch / "model_manifest.json"), str(scratch))
    found: dict[str, Any] = json.loads((scratch / "model_manifest.json.freeze").read_text())
    return found


def commands(client: Any, scratch: Path) -> dict[str, Any]:
    """What the `algo` command does with data."""
    cli = CLI()
    found: dict[str, Any] = {}
    cli.mkdir("data://.my/command", client)
    (scratch / "note.txt").write_text("a note")
    cli.cp([str(scratch / "note.txt")], "data://.my/command", client)
    cli.cp(["data://.my/command/note.txt"], str(scratch / "back.txt"), client)
    found["copied"] = (scratch / "back.txt").read_text()
    found["listed"] = cli.ls("data://.my/command/", client)
    found["read"] = cli.cat(["data://.my/command/note.txt"], client)
    cli.rm("data://.my/command/note.txt", client)
    cli.rmdir("data://.my/command", client)
    found["gone"] = not client.dir("data://.my/command").exists()
    return found


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # the client prints
    client, scratch = Algorithmia.client(), Path(sys.argv[1])
    print(json.dumps({**steps(client, scratch, sys.argv[2]), "commands": commands(client, scratch)}), file=answers)


main()
