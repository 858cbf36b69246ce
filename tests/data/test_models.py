"""Model manifests: what is pinned by `algo freeze` and what is not (algorithmia-api, section 17; ALG-04a)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.data.conftest import User
from tests.server import RunningServer
from tests.within.author import error_of, publish

Make = Callable[..., User]
CODE = """
from Algorithmia import ADK

def load(models):
    models["seen"] = models.available()
    return models

def apply(input, models):
    return [open(models.get_model(input)).read(), models["seen"], models.using_frozen]

ADK(apply, load).init("weights")
"""


@pytest.fixture(scope="module")
def author(make_user: Make) -> User:
    return make_user("author")


def manifest(directory: str, **more: Any) -> dict[str, Any]:
    """A manifest of one required and one optional file."""
    files = [{"name": name, "source_uri": f"data://{directory}/{name}"} for name in ("weights", "words")]
    files[0] |= more
    return {"required_files": files[:1], "optional_files": files[1:]}


def frozen(document: dict[str, Any], content: bytes) -> bytes:
    """What `algo freeze` makes of it: the Python client's own output is compared in test_clients."""
    document["timestamp"] = "1700000000.5"
    document["required_files"][0]["md5_checksum"] = hashlib.md5(content).hexdigest()
    document["lock_checksum"] = hashlib.md5(str(document).encode()).hexdigest()
    return json.dumps(document).encode()


def stored(author: User) -> str:
    """A directory with both files."""
    directory = author.directory()
    for name in ("weights", "words"):
        author.put(f"{directory}/{name}", name.encode())
    return directory


def test_a_frozen_model_is_what_it_was(author: User, data_server: RunningServer, tmp_path: Path) -> None:
    directory = stored(author)
    files = {"model_manifest.json.freeze": frozen(manifest(directory), b"weights")}
    reference = publish(data_server, tmp_path, CODE, owner=author.name, files=files)
    client = data_server.client(author.key)
    assert client.call(reference, "weights").result == ["weights", True, True]
    error = error_of(data_server, reference, "nothing", author.key)
    assert "there is no model 'nothing': the manifest has none such" in error["message"]
    # one that is loaded later, when the file is another
    author.put(f"{directory}/weights", b"other weights")
    other = publish(data_server, tmp_path, CODE, owner=author.name, files=files)
    error = error_of(data_server, other, "weights", author.key)
    assert error["error_type"] == "LoadingError"
    assert "model weights is not what was frozen" in error["message"]
    author.put(f"{directory}/weights", b"weights")
    assert client.call(other, "weights").result == ["weights", True, True]


def test_a_change_that_its_entry_allows(author: User, data_server: RunningServer, tmp_path: Path) -> None:
    directory = stored(author)
    files = {"model_manifest.json.freeze": frozen(manifest(directory, fail_on_tamper=False), b"what it was")}
    reference = publish(data_server, tmp_path, CODE, owner=author.name, files=files)
    assert data_server.client(author.key).call(reference, "weights").result == ["weights", True, True]


def test_a_manifest_that_is_not_frozen(author: User, data_server: RunningServer, tmp_path: Path) -> None:
    directory = stored(author)
    files = {"model_manifest.json": json.dumps(manifest(directory)).encode()}
    reference = publish(data_server, tmp_path, CODE, owner=author.name, files=files)
    assert data_server.client(author.key).call(reference, "weights").result == ["weights", True, False]
    # optional files come in the call that asks first, with the rights of its caller
    assert data_server.client(author.key).call(reference, "words").result == ["words", True, False]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model_manifest.json.freeze", b'{"required_files": [], "optional_files": [], "lock_checksum": "0"}', "changed after"),
        ("model_manifest.json.freeze", b'{"required_files": []}', "changed after"),
        ("model_manifest.json", b"{", "is not JSON"),
        ("model_manifest.json", b"[]", "is no model manifest"),
        ("model_manifest.json", b'{"required_files": [{"name": "a"}]}', "is no model manifest"),
        ("model_manifest.json", b'{"required_files": [{"name": "a", "source_uri": "data://no_one/x/y"}]}', "there is no data://"),
        ("model_manifest.json", b'{"required_files": [{"name": "a", "source_uri": ""}, {"name": "a", "source_uri": ""}]}', "two files"),
    ],
)  # fmt: skip
def test_manifests_that_are_none(
    author: User, data_server: RunningServer, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    reference = publish(data_server, tmp_path, CODE, owner=author.name, files={name: content})
    error = error_of(data_server, reference, "a", author.key)
    assert error["error_type"] == "LoadingError"
    assert words in error["message"]
