"""The Node client 0.3.10, as it is, calls algorithms of this server; every body of it is chunked (algorithmia-api, 1.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.node import PACKAGE, NodeClient, Thrown, module
from tests.server import RunningServer

BACK = """
def apply(input):
    if input == "raise":
        error = ValueError("not this"); error.error_type = "InputError"; raise error
    print("seen", type(input).__name__)
    return input
"""


@pytest.fixture(scope="module")
def algorithm(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """owner/name of a public algorithm that gives back what it is given."""
    reference, commit = server.build(tmp_path_factory.mktemp("node"), "owner", server.owner, code=BACK)
    server.owner.publish(reference, commit, bump="minor", visibility="public")
    return reference


@pytest.fixture(scope="module")
def node(server: RunningServer) -> Iterator[NodeClient]:
    client = NodeClient(module(), server.address, server.owner_key)
    yield client
    client.close()


@pytest.mark.digest("1.1 node", "1.2 node", "1.3 node_environment", "2.1 simple", "4.1 json", "4.2 node")
def test_values_there_and_back(node: NodeClient, algorithm: str) -> None:
    values: list[Any] = ["text \N{SNOWMAN}", b"\x00\xff", {"a": [1, 2.5, None, True]}, [], 7, "", True, None, "[1]"]
    for version in ("", "/0.1.0", "/0.1", "/latest"):
        for value in values:
            assert node.pipe(algorithm + version, value) == value
    assert node.pipe(algorithm, '{"a": 1}', way="pipeJson") == {"a": 1}
    assert node.pipe(algorithm, '"HAL"', way="pipeJson") == "HAL"
    answer = node.ask(reference=algorithm, input="x")
    assert answer["status"] == 200
    assert answer["metadata"]["content_type"] == "text"


@pytest.mark.digest("4.1 reference")
def test_options_in_the_reference(node: NodeClient, algorithm: str) -> None:
    answer = node.ask(reference=f"{algorithm}/0.1.0?stdout=true&timeout=20", input="x")
    assert (answer["returned"], answer["metadata"]["stdout"]) == ("x", "seen str\n")


@pytest.mark.digest("2.3 json", "3.1 message", "2.1 absent")
def test_errors_are_thrown_with_their_words(
    server: RunningServer, node: NodeClient, algorithm: str, tmp_path: Path
) -> None:
    with pytest.raises(Thrown, match="not this"):
        node.pipe(algorithm, "raise")
    with pytest.raises(Thrown, match="algorithm algo://owner/never not found"):
        node.pipe("owner/never", "x")
    nobody = NodeClient(module(), server.address, "")
    with pytest.raises(Thrown, match="authorization required"):
        nobody.pipe(algorithm, "x")
    nobody.close()


@pytest.mark.digest("2.1 simple")
def test_a_key_with_its_prefix(server: RunningServer, algorithm: str) -> None:
    client = NodeClient(module(), server.address, f"Simple {server.owner_key}")
    assert client.pipe(algorithm, "x") == "x"
    client.close()


@pytest.mark.digest("1.3 root")
def test_an_address_that_ends_in_a_slash(server: RunningServer, algorithm: str) -> None:
    client = NodeClient(module(), f"{server.address}/", server.owner_key)
    assert client.pipe(algorithm, "x") == "x"
    client.close()


def test_the_lock_holds_no_addresses() -> None:
    lock = json.loads((PACKAGE / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-")
