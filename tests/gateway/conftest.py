"""A server whose gateway may reach this machine, and an API behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from tests.gateway.upstream import Upstream, running_upstream
from tests.server import RunningServer, running_server
from troth.sdk import Client


@dataclass
class Served:
    """An API that runs behind the gateway: v3 retired, v4 deprecated, v5 current, v6 experimental."""

    server: RunningServer
    owner: str
    client: Client
    api: str
    upstream: Upstream
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(trust_env=False, timeout=30))

    def ask(self, method: str, path: str, key: str = "", **how: Any) -> httpx2.Response:
        """A request through the gateway, below the API."""
        headers = {**how.pop("headers", {}), **({"Troth-Key": key} if key else {})}
        return self.http.request(method, f"{self.server.address}/gateway/{self.api}{path}", headers=headers, **how)

    def move(self, command: str, version: str, release: str, **more: Any) -> dict[str, Any]:
        return self.client.command(command, api=self.api, api_version=version, release=release, **more)

    def set_upstream(self, **more: Any) -> dict[str, Any]:
        found = {"url": f"{self.upstream.address}/base", **more}
        return self.client.command("set_upstream", api=self.api, **found)


def lived(served: Served) -> None:
    """Takes the API from its first release to where v3 is retired and v4 deprecated."""
    served.move("create_api_version", "v3", "5.1.0")
    served.move("graduate_api", "v3", "5.2.0")
    served.move("create_api_version", "v4", "6.0.0")
    served.move("graduate_api", "v4", "6.1.0")
    served.move("create_api_version", "v5", "6.2.0")
    served.move("retire_api", "v3", "7.0.0")
    served.move("graduate_api", "v5", "7.1.0", sunset="2999-01-31")
    served.move("create_api_version", "v6", "7.2.0")


@pytest.fixture(scope="module")
def gateway_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("gateway") / "home", gateway_allow="127.0.0.0/8") as server:
        yield server


_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def served(gateway_server: RunningServer) -> Iterator[Served]:
    """A public one, which tests leave as it is."""
    with running_upstream() as upstream:
        owner, client = gateway_server.account("ada")
        found = Served(gateway_server, owner, client, f"{owner}/shop{next(_NUMBERS)}", upstream)
        client.command("create_api", api=found.api, public=True, starting_point="v3")
        lived(found)
        found.set_upstream()
        yield found
        found.http.close()
