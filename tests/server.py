"""A real server for tests: in this process, on a free port, with its loop in a thread of its own.

In this process, so that `tests.mutants` can break one of its parts and see which test notices.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from tests.databases import new_home
from troth.doors.server.assembly import Server
from troth.doors.server.serve import listen, run
from troth.sdk import Client
from troth.settings import Settings

_NUMBERS = itertools.count(1)

ECHO = "def apply(input):\n    return input\n"


class RunningServer:
    """A server that runs, with clients for accounts made on the way."""

    def __init__(self, address: str, server: Server, key: str, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self.server = server
        self.owner_key = key
        self.loop = loop
        self._clients: list[Client] = []
        self.owner = self.client(key)
        self.keys = {"owner": key}

    @property
    def home(self) -> Path:
        """The folder of the server."""
        return self.server.home.root

    def new_name(self, stem: str) -> str:
        """A name that no other test uses."""
        return f"{stem}{next(_NUMBERS)}"

    def client(self, key: str = "") -> Client:
        """A client with this key."""
        client = Client(self.address, key)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Closes every client that was made here."""
        for client in self._clients:
            client.close()

    def account(self, stem: str = "user") -> tuple[str, Client]:
        """A new user's name and client."""
        name = self.new_name(stem)
        self.owner.command("create_account", name=name)
        key = self.owner.command("create_key", account=name)["key"]
        self.keys[name] = key
        return name, self.client(key)

    def organization(self, admin: Client, stem: str = "org") -> str:
        """A new organisation of which the client's account is the admin."""
        name = self.new_name(stem)
        admin.command("create_organization", name=name)
        return name

    def build(
        self, folder: Path, owner: str, client: Client, *, code: str = ECHO, stem: str = "algo", **options: Any
    ) -> tuple[str, str]:
        """(owner/name, hash) of a new algorithm with a successful build, made in `folder`."""
        name = self.new_name(stem)
        write_project(folder / name, owner, name, code, **options)
        built = client.compile(folder / name)
        assert built["status"] == "succeeded", built["log"]
        return f"{owner}/{name}", built["hash"]


def write_project(
    folder: Path,
    owner: str,
    name: str,
    code: str = ECHO,
    *,
    permissions: Mapping[str, Any] | None = None,
    dependencies: list[str] | None = None,
    files: Mapping[str, bytes] | None = None,
    contract: Mapping[str, str] | None = None,
) -> Path:
    """Writes a project; `permissions` and `contract` are the lines of these tables."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    lines = [
        "[algorithm]",
        f'owner = "{owner}"',
        f'name = "{name}"',
        f"dependencies = {dependencies or []}",
        "[permissions]",
    ]
    for key, value in (permissions or {}).items():
        lines.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {str(value).lower()}")
    if contract:
        lines += ["[contract]", *(f'{key} = "{path}"' for key, path in contract.items())]
    (folder / "troth.toml").write_text("\n".join(lines) + "\n")
    (folder / "src" / f"{name}.py").write_text(code)
    for path, content in (files or {}).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


@contextmanager
def running_server(home: Path, **settings: Any) -> Iterator[RunningServer]:
    """Runs a server over `home` until the block ends. A version has one worker unless told otherwise."""
    settings = {"version_workers": 1, **settings}
    if "database" not in settings:
        new_home(home)
    ready: threading.Event = threading.Event()
    found: dict[str, Any] = {}

    def told(address: str, server: Server, key: str | None) -> None:
        found.update(address=address, server=server, key=key or server.home.owner_key.read_text().strip())
        ready.set()

    async def main() -> None:
        found["loop"] = asyncio.get_running_loop()
        found["stop"] = asyncio.Event()
        listener = listen("127.0.0.1", 0)
        chosen = Settings(home=str(home), owner="owner", **settings)
        serving = asyncio.ensure_future(run(chosen, listener, told, signals=False, until=found["stop"]))
        await serving

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(main())
        except BaseException as error:
            found["error"] = error
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="server")
    thread.start()
    assert ready.wait(120), "the server did not start"
    if "error" in found:
        raise found["error"]
    try:
        running = RunningServer(found["address"], found["server"], found["key"], found["loop"])
        yield running
    finally:
        running.close()
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(120)
        assert not thread.is_alive(), "the server did not stop"
