"""Clients of PyPI for accounts of the shared server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.author import Author
from tests.clients.python import PythonClient, interpreter
from tests.server import RunningServer

Connect = Callable[..., PythonClient]


@pytest.fixture(scope="session")
def connect(server: RunningServer) -> Iterator[Connect]:
    """Makes Python clients: from a key, and an address other than the server's where one is given."""
    python = interpreter()
    made: list[PythonClient] = []

    def connected(key: str, address: str = server.address) -> PythonClient:
        made.append(PythonClient(python, address, key))
        return made[-1]

    yield connected
    for client in made:
        client.close()


@pytest.fixture
def author(server: RunningServer, connect: Connect, tmp_path: Path) -> Author:
    """A user with a client and no algorithm yet."""
    return Author(server, connect, tmp_path)
