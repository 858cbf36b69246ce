"""A server that is killed again and again while commands come and are processed.

`make killing` does what the test does with ten thousand commands and twenty kills.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from tests.own_process import Up
from tests.server import ECHO, write_project
from troth.errors import TrothError
from troth.sdk import Client

_SENDERS = 8
_PATIENCE = 300.0
MAKE, ECHOED = "owner/make", "owner/echo"
_SCHEMA = {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]}


def _started(home: Path) -> Up:
    return Up(home, TROTH_COMMAND_RETRY_SECONDS="0.05").ready()


class Ordeal:
    """Commands sent to a server that is killed: which were asked for, and which were acknowledged."""

    def __init__(self, home: Path, count: int, kills: int, seed: int) -> None:
        self._home = home
        self._count = count
        self._kills = kills
        self._chance = random.Random(seed)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._own = threading.local()
        self.acknowledged: dict[str, int] = {}
        self.up: Up | None = None

    def run(self) -> dict[str, Any]:
        """Sends, kills, and holds the last server to what was acknowledged: the figures. Raises AssertionError."""
        self.up = _started(self._home)
        prepare(self.up, self._home.parent)
        senders = [threading.Thread(target=self._send) for _ in range(_SENDERS)]
        for sender in senders:
            sender.start()
        for number in range(self._kills):
            self._await(int((number + self._chance.random()) * self._count / self._kills))
            time.sleep(self._chance.uniform(0.0, 0.3))
            self.up.kill()
            self.up = _started(self._home)
        for sender in senders:
            sender.join(_PATIENCE)
            assert not sender.is_alive(), "a sender was not answered"
        assert len(self.acknowledged) == self._count
        return self._checked(self.up)

    def _await(self, acknowledged: int) -> None:
        """Until so many commands were acknowledged."""
        deadline = time.monotonic() + _PATIENCE
        while len(self.acknowledged) < acknowledged:
            assert time.monotonic() < deadline, "nothing is acknowledged any more"
            time.sleep(0.01)

    def _send(self) -> None:
        """Sends one command after the other, each until it is acknowledged, with the same uuid."""
        while (number := next(self._numbers)) < self._count:
            identity = str(uuid.uuid4())
            command = ECHOED if number % 20 == 0 else MAKE
            while not self._acknowledged(command, identity, number):
                time.sleep(0.02)
        if (known := getattr(self._own, "client", None)) is not None:
            known[1].close()

    def _acknowledged(self, command: str, identity: str, number: int) -> bool:
        up = self.up
        assert up is not None
        try:
            answer = self._client(up).submit(command, 1, {"product": f"owner/product{number}"}, uuid=identity)
        except TrothError as error:
            assert error.code in ("server-unreachable", "unavailable"), error
            return False
        assert answer["uuid"] == identity
        with self._lock:
            self.acknowledged[identity] = number
        return True

    def _client(self, up: Up) -> Client:
        """This thread's client of one run of the server."""
        known: tuple[Up, Client] | None = getattr(self._own, "client", None)
        if known is None or known[0] is not up:
            if known is not None:
                known[1].close()
            known = self._own.client = (up, up.new_client())
        return known[1]

    def _checked(self, up: Up) -> dict[str, Any]:
        with up.new_client() as client:
            deadline = time.monotonic() + _PATIENCE
            while any(client.queue(state=state, limit=1)["queue"] for state in ("waiting", "leased")):
                assert time.monotonic() < deadline, "the queue did not come to its end"
                time.sleep(0.2)
            rows = {row["uuid"]: row for row in _all(client)}
            products = {one["product"] for one in client.products()}
            journalled = Counter(json.loads(link.entry)["uuid"] for link in client.journal())
        assert self.acknowledged.keys() <= rows.keys(), "an acknowledged command is lost"
        for identity, number in self.acknowledged.items():
            row = rows[identity]
            assert row["state"] == "done", row
            if row["command"] == MAKE:
                assert f"owner/product{number}" in products
                assert journalled[identity] == 1, "its effect came more than once"
        attempts = Counter(row["attempts"] for row in rows.values())
        return {"commands": len(rows), "kills": self._kills, "attempts": dict(attempts)}


def prepare(up: Up, folder: Path) -> None:
    """A command that makes a product, which cannot be made twice, and one that an algorithm handles."""
    write_project(folder / "echo", "owner", "echo", ECHO)
    with up.new_client() as client:
        built = client.compile(folder / "echo")
        reference = f"owner/echo/{client.publish('owner/echo', built['hash'], bump='minor')['version']}"
        given = {"product": "owner/golden"}
        trial = {
            "payload": given, "command": ECHOED, "version": 1, "sent_version": 1, "attempt": 1, "accepted_at": "",
            "uuid": str(uuid.UUID(int=0)), "idempotency_key": f"trial:{uuid.UUID(int=0)}", "submitted_by": None,
            "trial": True,
        }  # fmt: skip
        golden = {MAKE: [{"payload": given}], ECHOED: [{"payload": given, "result": trial}]}
        for command, handler in ((MAKE, "troth/create_product"), (ECHOED, reference)):
            client.command("create_command", command=command)
            version = {"command": command, "version": 1, "format": {"schema": _SCHEMA}, "handler": handler}
            client.submit("publish_command_version", 1, {**version, "golden": golden[command]})


def _all(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": 0}
    while page["next"] is not None:
        page = client.queue(**({"after": page["next"]} if page["next"] else {}))
        found += page["queue"]
    return found


def main() -> None:
    """As many commands and kills as the command line says."""
    count, kills = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="troth-killing-") as folder:
        ordeal = Ordeal(Path(folder) / "home", count, kills, seed=random.randrange(1 << 30))
        started = time.monotonic()
        try:
            print({**ordeal.run(), "seconds": round(time.monotonic() - started)})
        finally:
            if ordeal.up is not None:
                ordeal.up.kill()


if __name__ == "__main__":
    main()
