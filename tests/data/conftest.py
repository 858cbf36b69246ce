"""One server for the tests of data, and users of it who speak HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.server import RunningServer, running_server
from troth.access.scopes import EVERYTHING, DataAccess
from troth.calls.routing import BoundCall, Caller

_LETTERS = "0123456789abcdefghijklmno"


@dataclass(frozen=True)
class User:
    """A user, or an algorithm in a call of one, with a key for data."""

    name: str
    id: str
    key: str
    http: httpx2.Client
    server: RunningServer

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The answer to a request for a path below /v1/data, which is quoted unless it has a % in it."""
        headers = {"Authorization": f"Simple {self.key}", **options.pop("headers", {})}
        written = path if "%" in path else quote(path, safe="/:.")
        return self.http.request(method, f"/v1/data/{written}", headers=headers, **options)

    def directory(self, acl: list[str] | None = None) -> str:
        """A new directory of the user's, as NAME/DIRECTORY."""
        name = self.server.new_name("dir")
        body: dict[str, Any] = {"name": name} if acl is None else {"name": name, "acl": {"read": acl}}
        made = self.ask("POST", self.name, json=body)
        assert made.status_code == 200, made.text
        return f"{self.name}/{name}"

    def put(self, path: str, content: bytes | Iterator[bytes] = b"x") -> httpx2.Response:
        """The answer to an upload."""
        return self.ask("PUT", path, content=content)

    def with_scope(self, data: DataAccess) -> User:
        """The same user with a key of this data access."""
        caller = Caller(self.id, self.name, False, "a-key", replace(EVERYTHING, data=data))
        return replace(self, key=_admit(self.server, caller))

    def inside(
        self, owner: User, name: str = "algo", *, data: DataAccess = DataAccess.WRITE, session: str = ""
    ) -> User:
        """The key that an algorithm of the owner's has in a call of this user's."""
        request = self.server.new_name("req")
        bound = BoundCall(request, f"{owner.name}/{name}", owner.id, outermost=session or request)
        scope = replace(EVERYTHING, data=data, manage=False, administrator=False)
        caller = Caller(self.id, self.name, False, "bound", scope, within=bound)
        return replace(self, key=_admit(self.server, caller))


def _admit(server: RunningServer, caller: Caller) -> str:
    """A key for this caller, put where the server keeps those of calls."""
    key = f"sim{server.new_name('bound')}{_LETTERS}"[:28]
    digest = hashlib.sha256(key.encode()).hexdigest()
    server.server.table.callers = server.server.table.callers.set(digest, caller)
    return key


@pytest.fixture(scope="module")
def data_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server for the tests of one module."""
    with running_server(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def http(data_server: RunningServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=data_server.address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def make_user(data_server: RunningServer, http: httpx2.Client) -> Callable[..., User]:
    """Makes users."""

    def made(stem: str = "user") -> User:
        name, _ = data_server.account(stem)
        key = data_server.keys[name]
        caller = data_server.server.table.callers[hashlib.sha256(key.encode()).hexdigest()]
        return User(name, caller.id, key, http, data_server)

    return made


@pytest.fixture(scope="module")
def user(make_user: Callable[..., User]) -> User:
    """A user for the tests of one module, which use directories of their own."""
    return make_user()
