"""What users of the Python client of PyPI do with data, in one go; prints what came of it as JSON (tests/clients/test_data.py)."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import Algorithmia  # type: ignore[import-not-found]
from Algorithmia.acl import ReadAcl  # type: ignore[import-not-found]

found: dict[str, Any] = {}
client = Algorithmia.client()
found["username"] = client.username()
found["root"] = [entry.path for entry in client.dir("").list()]

directory = client.dir("data://.my/things")
found["before"] = directory.exists()
directory.create()
found["after"] = directory.exists()
try:
    directory.create()
except Exception as error:
    found["again"] = type(error).__name__
found["usual acl"] = directory.get_permissions().read_acl.acl_string
directory.update_permissions(ReadAcl.public)
found["public acl"] = directory.get_permissions().read_acl.acl_string
shut = client.dir("data://.my/shut")
shut.create(ReadAcl.private)
found["private acl"] = shut.get_permissions().read_acl.acl_string

file = client.file("data://.my/things/a b%.txt")
found["file before"] = file.exists()
file.put("text \N{SNOWMAN}")
found["text"] = file.getString()
client.file("data://.my/things/bytes").put(b"\x00\xff")
found["bytes"] = list(client.file("data://.my/things/bytes").getBytes())
client.file("data://.my/things/number").put("42")  # parses as JSON, and is sent as that
found["number"] = client.file("data://.my/things/number").getBytes().decode()
client.file("data://.my/things/document").putJson({"a": [1, None]})
found["document"] = client.file("data://.my/things/document").getJson()
with tempfile.TemporaryDirectory() as folder:
    empty = Path(folder) / "empty"
    empty.write_bytes(b"")
    client.file("data://.my/things/empty").putFile(str(empty))  # the one body of this client that comes in chunks
found["empty"] = client.file("data://.my/things/empty").getBytes().decode()
got = client.file("data://.my/things/bytes").getFile()
found["as a file"] = list(Path(got.name).read_bytes())

listed = {entry.getName(): entry for entry in directory.files()}
found["listing"] = {name: entry.size for name, entry in listed.items()}
found["moments"] = all(entry.last_modified.year > 2000 for entry in listed.values())
found["many"] = []
for number in range(3):
    client.file(f"data://.my/shut/{number}").put(str(number))
found["folders"] = sorted(entry.path for entry in client.dir("data://.my").dirs())

acts: dict[str, Any] = {
    "full": lambda: directory.delete(),
    "missing file": lambda: client.file("data://.my/things/never").getString(),
    "missing delete": lambda: client.file("data://.my/things/never").delete(),
    "missing directory": lambda: client.file("data://.my/never/x").put("x"),
}
for name, act in acts.items():
    try:
        found[name] = act() or "nothing"
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
file.delete()
found["file after"] = file.exists()
directory.delete(True)
found["at last"] = directory.exists()

manifest = Path(sys.argv[1])
models = client.dir("data://.my/models")
models.create()
client.file("data://.my/models/one").put("the model")
required = [{"name": "one", "source_uri": "data://.my/models/one", "fail_on_tamper": True}]
manifest.write_text(json.dumps({"required_files": required, "optional_files": []}))
client.freeze(str(manifest), str(manifest.parent))
found["frozen"] = json.loads((manifest.parent / "model_manifest.json.freeze").read_text())
print(json.dumps(found))
