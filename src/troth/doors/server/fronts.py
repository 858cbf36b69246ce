"""Further processes that take calls beside the server, for machines with more processors: `troth up --fronts N`.

They listen on the same socket, have a routing table and workers of their own, and hand everything but calls to the server. The
server is the only one that writes: fronts tell it what was called. A commit is in force in all of them before who made it hears
of it; a front that does not say so in time is ended, and started anew with what holds then.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection

from troth.calls.loading import TableLoader
from troth.doors.server.links import Link
from troth.errors import TrothError
from troth.registry.failures import Failure
from troth.registry.insights import Insight
from troth.runtime.engine import Loaded, Place, VersionSpec
from troth.versions.lifecycles.own import OWN

log = structlog.get_logger()

_ACKNOWLEDGING, _STOPPING = 2.0, 5.0


@dataclass(slots=True)
class Front:
    """One further process, as the server knows it."""

    number: int
    process: subprocess.Popen[bytes]
    link: Link
    #: by which the server knows what this process says of requests that it hands on
    secret: str
    #: whether it takes calls; before that it may take its time to read the registry
    serves: bool = False
    states: list[dict[str, Any]] = field(default_factory=list)
    #: what it has to say of the last change: number of the change, and the event of its saying so
    acknowledged: dict[int, threading.Event] = field(default_factory=dict)


class Fronts:
    """All of them. It stands between the bus and the table, so that a change reaches everybody."""

    def __init__(self, loader: TableLoader) -> None:
        self._loader = loader
        self._fronts: list[Front] = []
        self._changes = itertools.count(1)
        self._stopping = False
        self._start: Callable[[int], Front] | None = None
        self._server: Any = None
        self._places: dict[str, Place] = {}
        self._guard = threading.Lock()

    def refresh(self, connection: Connection, algorithms: set[str], accounts: set[str]) -> None:
        """Reads the named entries anew, here and in every front."""
        self._loader.refresh(connection, algorithms, accounts)
        self._tell({"algorithms": sorted(algorithms), "accounts": sorted(accounts), "apis": []})

    def refresh_apis(self, connection: Connection, apis: set[str]) -> None:
        """Has every front read the states of troth's own APIs anew; those of others are the server's affair."""
        if own := sorted(apis & OWN.keys()):
            self._tell({"algorithms": [], "accounts": [], "apis": own})

    def _tell(self, changed: dict[str, list[str]]) -> None:
        """Tells every front of a change, and waits until it holds there."""
        change = next(self._changes)
        message = {"refresh": change, **changed}
        waiting = []
        with self._guard:
            for front in self._fronts:
                if front.serves:
                    front.acknowledged[change] = said = threading.Event()
                    waiting.append((front, said))
                front.link.send(message)
        for front, said in waiting:
            if not said.wait(_ACKNOWLEDGING):
                log.warning("a front did not follow a change and is ended", front=front.number)
                front.process.kill()  # it must not answer with what does not hold any more
                front.process.wait()
            front.acknowledged.pop(change, None)

    def start(self, server: Any, listener: socket.socket, inner: str, count: int) -> None:
        """Starts so many, over a server that is open. Must run on its loop's thread."""
        self._server = server
        loop = asyncio.get_running_loop()

        def start(number: int) -> Front:
            front = _started(number, server, listener, inner, count + 1)
            threading.Thread(target=self._listen, args=(front, loop), name=f"front {number}", daemon=True).start()
            return front

        self._start = start
        for number in range(1, count + 1):
            with self._guard:
                self._fronts.append(start(number))

    def states(self) -> list[dict[str, Any]]:
        """What their engines do, as they said last."""
        return [state for front in self._fronts for state in front.states]

    def vouches(self, secret: str) -> bool:
        """Whether this is the secret of one of them."""
        return any(secrets.compare_digest(front.secret.encode(), secret.encode()) for front in self._fronts)

    def described(self) -> list[dict[str, Any]]:
        """Each of them: its number, its process and whether it takes calls by now."""
        return [
            {"number": front.number, "process": front.process.pid, "serves": front.serves} for front in self._fronts
        ]

    def stop(self, seconds: float) -> None:
        """Lets each answer what is under way, and ends it."""
        self._stopping = True
        for front in self._fronts:
            front.link.send({"stop": seconds})
        for front in self._fronts:
            try:
                front.process.wait(seconds + _STOPPING)
            except subprocess.TimeoutExpired:
                front.process.kill()
                front.process.wait()
            front.link.close()
        self._fronts = []

    def _listen(self, front: Front, loop: asyncio.AbstractEventLoop) -> None:
        while (message := front.link.receive()) is not None:
            if "ready" in message:
                with self._guard:  # what was changed meanwhile lies before this in its link
                    front.serves = True
                    front.link.send({"serve": True})
            elif "refreshed" in message:
                said = front.acknowledged.get(message["refreshed"])
                if said is not None:
                    said.set()
            elif "load" in message:
                self._server.threads.submit(self._load, front, message["load"], message["spec"])
            else:
                loop.call_soon_threadsafe(self._told, front, message)
        front.process.wait()
        for said in list(front.acknowledged.values()):
            said.set()
        if not self._stopping:
            log.warning("a front ended and is started anew", front=front.number, status=front.process.returncode)
            loop.call_soon_threadsafe(loop.call_later, 1.0, self._replace, front)

    def _replace(self, front: Front) -> None:
        if not self._stopping and front in self._fronts and self._start is not None:
            with self._guard:
                self._fronts[self._fronts.index(front)] = self._start(front.number)
            front.link.close()

    def _load(self, front: Front, number: int, spec: dict[str, Any]) -> None:
        """Makes a version ready on this disk for a front, which then finds it there."""
        try:
            found = self._server.load(VersionSpec(**spec))
            front.link.send({"loaded": number, "version": _described(found)})
        except TrothError as error:
            front.link.send({"loaded": number, "problem": error.as_problem()})
        except Exception:
            log.exception("a version could not be loaded for a front")
            front.link.send({"loaded": number, "problem": {"code": "failed", "detail": "the version cannot be loaded"}})

    def _told(self, front: Front, message: dict[str, Any]) -> None:
        """Takes over what a front counted, kept and knows."""
        front.states = message.get("states", front.states)
        for request, caller_id, subject in message.get("begun", ()):
            self._server.results.begin(request, caller_id, subject)
        for request, body in message.get("finished", ()):
            self._server.results.finish(request, body.encode())
        self._server.observation.failures.add([Failure(*one) for one in message.get("failures", ())])
        self._server.observation.insights.add([Insight(*one) for one in message.get("insights", ())])
        for session in message.get("sessions", ()):
            self._server.data.end_session(session)
        used, floated = message.get("uses", ((), ()))
        self._server.table.uses.fresh.update(used)
        for reference, key_id, calls in floated:
            self._server.table.uses.floated(reference, key_id, calls)
        for call in message.get("calls", ()):
            self._keep(*call)

    def _keep(
        self, request: str, caller: str, reference: str, version: str, outcome: str, seconds: float, place: Any
    ) -> None:
        subject = "/".join(reference.split("/", 2)[:2])
        routes = self._server.table.algorithms.get(subject)
        if routes is None:
            return
        route = routes.open.get(version) or routes.closed.get(version)
        self._server.observation.usage.add(subject, version, caller, outcome, seconds)
        if route is not None:
            words = json.dumps(place)
            known = self._places.setdefault(words, Place(*place)) if place is not None else None
            self._server.observation.records.keep(request, caller, reference, route, outcome, seconds, known)


def _started(number: int, server: Any, listener: socket.socket, inner: str, all_of_them: int) -> Front:
    ours, theirs = socket.socketpair()
    settings = {name: value for name, value in asdict(server.settings).items() if name not in ("key", "server")}
    process = subprocess.Popen(
        [sys.executable, "-m", "troth.doors.server.front", str(listener.fileno()), str(theirs.fileno())],
        pass_fds=[listener.fileno(), theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("TROTH_")},
        start_new_session=True,
    )
    theirs.close()
    link = Link(ours)
    secret = secrets.token_hex(16)
    told = {"settings": settings, "inner": inner, "database": server.database.url, "fronts": all_of_them}
    link.send({**told, "secret": secret})
    return Front(number, process, link, secret)


def _described(found: Loaded) -> dict[str, Any]:
    return {
        "root": str(found.root),
        "site": str(found.site) if found.site else None,
        "running": asdict(found.running),
        "example": found.example,
        "secrets": dict(found.secrets),
    }
