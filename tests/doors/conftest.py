"""Accounts that speak raw HTTP to the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.doors.http import Http
from tests.server import RunningServer


@pytest.fixture
def ada(server: RunningServer) -> Iterator[Http]:
    with httpx2.Client(base_url=server.address, timeout=60) as client:
        yield Http(server, client, server.account("ada")[0])


@pytest.fixture
def sam(server: RunningServer) -> Iterator[Http]:
    with httpx2.Client(base_url=server.address, timeout=60) as client:
        yield Http(server, client, server.account("sam")[0])


@pytest.fixture
def root(server: RunningServer) -> Iterator[Http]:
    """The administrator."""
    with httpx2.Client(base_url=server.address, timeout=60) as client:
        yield Http(server, client, "owner")
