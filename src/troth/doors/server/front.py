"""A further process that takes calls: `python -m troth.doors.server.front LISTENER LINK`, started by the server only."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from troth.calls.failures import Failures
from troth.calls.insights import Insights
from troth.calls.limits import Limits
from troth.calls.loading import TableLoader
from troth.calls.own_apis import OwnApis
from troth.calls.routing import RoutingTable
from troth.calls.within import CallKeys
from troth.contracts.running import Running
from troth.doors.algorithmia.calls import PREFIX, CallDoor
from troth.doors.algorithmia.endpoints import EndpointDoor
from troth.doors.algorithmia.inside import INSIGHTS, InsightRow
from troth.doors.authorization import caller_of, is_production
from troth.doors.server import tokens
from troth.doors.server.explaining import Explaining
from troth.doors.server.launching import launcher_of, local_engine
from troth.doors.server.links import Link
from troth.doors.server.observation import allowance
from troth.doors.server.own_states import OwnStates
from troth.doors.server.protocol import protocol_of
from troth.doors.server.proxy import Proxy
from troth.doors.server.relaying import Relaying
from troth.doors.server.serve import inner_socket
from troth.errors import Failed, TrothError
from troth.observe import logs
from troth.observe.tracing import Tracing
from troth.queries.apis import own_tables
from troth.registry.database import Database
from troth.runtime.engine import Loaded, VersionSpec
from troth.runtime.local import LocalEngine
from troth.sandbox import sockets
from troth.settings import Settings
from troth.versions.history import Readings

_SECOND = 1.0


class Kept:
    """What the server is to be told of calls; it stands for the usage, the records and the results of the server itself."""

    def __init__(self, settings: Settings, fronts: int) -> None:
        self.usage: Any = self
        self.records: Any = self
        self.failures = Failures()
        self.insights = Insights()
        self.sessions: list[str] = []
        # each front has its share, because none knows of the others' calls
        self.limits = Limits(allowance(settings).share(fronts))
        self.tracing = Tracing.open(settings.traces, settings.traces_ratio)
        self._calls: list[Any] = []
        self._begun: list[Any] = []
        self._finished: list[Any] = []

    def add(self, *counted: Any) -> None:
        """The server counts what is kept."""

    def keep(
        self, request: str, caller: str, reference: str, route: Any, outcome: str, seconds: float, place: Any
    ) -> None:
        """Keeps the facts of a call."""
        where = (place.start, dict(place.layers)) if place is not None else None
        self._calls.append((request, caller, reference, route.version, outcome, seconds, where))

    def begin(self, request: str, caller_id: str, subject: str) -> None:
        """A call began that is not waited for."""
        self._begun.append((request, caller_id, subject))

    def finish(self, request: str, body: bytes) -> None:
        """Such a call ended."""
        self._finished.append((request, body.decode()))

    def end_session(self, open_ones: set[str], session: str) -> None:
        """An outermost call ended; the server is to remove what it kept for its session, if it did."""
        if session in open_ones:
            open_ones.discard(session)
            self.sessions.append(session)

    def taken(self) -> dict[str, Any]:
        """Everything since the last time."""
        found = {"calls": self._calls, "begun": self._begun, "finished": self._finished}
        insights = [astuple(one) for one in self.insights.take()]
        found |= {"failures": self.failures.take(), "insights": insights, "sessions": self.sessions}
        self.insights.done()
        self._calls, self._begun, self._finished, self.sessions = [], [], [], []
        return found


class Follower:
    """Does what the server says: reads changes, ends; and has versions made ready by it."""

    def __init__(self, link: Link, database: Database, loader: TableLoader, apis: OwnApis) -> None:
        self._link = link
        self._apis = apis
        self._database = database
        self._loader = loader
        self._numbers = itertools.count(1)
        self._loading: dict[int, tuple[threading.Event, list[dict[str, Any]]]] = {}
        self.stop = asyncio.Event()
        self.serve = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def listen(self) -> None:
        """Follows until the server is gone; without it nothing is right any more."""
        while (message := self._link.receive()) is not None:
            if "refresh" in message:
                with self._database.read() as connection:
                    self._loader.refresh(connection, set(message["algorithms"]), set(message["accounts"]))
                    if message["apis"]:
                        self._apis.take(own_tables(connection))
                self._link.send({"refreshed": message["refresh"]})
            elif "loaded" in message:
                said, answer = self._loading.pop(message["loaded"])
                answer.append(message)
                said.set()
            elif "serve" in message:
                self._loop.call_soon_threadsafe(self.serve.set)
            elif "stop" in message:
                self._loop.call_soon_threadsafe(self.stop.set)
        os._exit(1)

    def load(self, spec: VersionSpec) -> Loaded:
        """The version, made ready by the server. Blocks."""
        number, said, answer = next(self._numbers), threading.Event(), []  # type: ignore[var-annotated]
        self._loading[number] = said, answer
        if not self._link.send({"load": number, "spec": asdict(spec)}):
            raise Failed("the server is gone")
        said.wait()
        if "problem" in answer[0]:
            raise TrothError.from_problem(answer[0]["problem"])
        found = answer[0]["version"]
        site = Path(found["site"]) if found["site"] else None
        return Loaded(Path(found["root"]), site, Running(**found["running"]), found["example"], found["secrets"])


async def main(listener: socket.socket, link: Link) -> None:
    """Serves until the server says otherwise."""
    told = await asyncio.to_thread(link.receive)
    if told is None:
        return
    settings = Settings(**told["settings"])
    logs.configure(settings.log_format, settings.log_level)
    database = Database(told["database"])
    apis = OwnApis()
    table, readings = RoutingTable.empty(), Readings(settings.visibility_fixed_per, settings.latest_private)
    loader = TableLoader(table, readings)
    follower = Follower(link, database, loader, apis)
    launcher = launcher_of(settings)
    engine = local_engine(settings, settings.home_path(), launcher, follower.load)
    kept = Kept(settings, told["fronts"])
    with database.read() as connection:
        loader.load(connection)
        apis.take(own_tables(connection))
    tokens.opened(settings, table)
    # what is changed from now on lies in the link; when `serve` comes out of it, this process is as far as the server
    link.send({"ready": True})
    threading.Thread(target=follower.listen, name="follower", daemon=True).start()
    await follower.serve.wait()
    keys = CallKeys(engine, table, lambda origin: caller_of(table, origin.authorization, origin.head))
    door: Any = CallDoor(
        table, engine, kept, kept, Explaining(database, readings), keys, apis, call_seconds=settings.call_seconds,  # type: ignore[arg-type]
        longest_call_seconds=settings.longest_call_seconds, request_bytes=settings.request_bytes,
    )  # fmt: skip
    relaying = Relaying(told["secret"], keys, engine.loading)
    door.sessions = relaying.sessions
    door.end_session = lambda session: kept.end_session(relaying.sessions, session)
    insights = EndpointDoor(InsightRow(kept.insights).rows(), table, keys)
    telling = asyncio.ensure_future(_tell(link, kept, engine, table))
    try:
        marked = [OwnStates(one, apis, lambda headers: is_production(table, headers)) for one in (door, insights)]
        own = dict(zip((PREFIX, INSIGHTS), marked, strict=True))
        proxy = Proxy(sockets.within_reach(Path(told["inner"])), own, relaying)
        with inner_socket(launcher) as inner:
            await _serve(settings, door, proxy, (listener, inner), follower.stop)
        await engine.close(settings.stop_seconds)
    finally:
        telling.cancel()
        link.send({**kept.taken(), "uses": table.uses.gathered(), "states": []})
        if kept.tracing is not None:
            kept.tracing.close()
        launcher.close()


async def _serve(
    settings: Settings, door: Any, app: Any, listening: tuple[socket.socket, socket.socket], stop: asyncio.Event
) -> None:
    listener, inner = listening
    config = uvicorn.Config(
        app, http=protocol_of(door, ordinary=settings.http == "asgi"), ws="none", lifespan="off", access_log=False,
        log_level="warning", proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.stop_seconds)),
    )  # fmt: skip
    front = _Server(config, inner)
    stopping = asyncio.ensure_future(front.stop_after(stop))
    await front.serve(sockets=[listener])
    stopping.cancel()


class _Server(uvicorn.Server):
    """uvicorn's server, which also listens on the socket for workers of this process."""

    def __init__(self, config: uvicorn.Config, inner: socket.socket) -> None:
        super().__init__(config)
        self._inner = inner

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)

        def connection() -> asyncio.Protocol:
            make = self.config.http_protocol_class
            return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]

        self.servers.append(await asyncio.get_running_loop().create_unix_server(connection, sock=self._inner))

    def capture_signals(self) -> Any:
        """The server's signals are not ours: it tells us to stop."""
        import contextlib

        return contextlib.nullcontext()

    async def stop_after(self, event: asyncio.Event) -> None:
        await event.wait()
        self.should_exit = True


async def _tell(link: Link, kept: Kept, engine: LocalEngine, table: RoutingTable) -> None:
    from troth.doors.server.launching import named_states

    while True:
        await asyncio.sleep(_SECOND)
        message = {**kept.taken(), "uses": table.uses.gathered(), "states": named_states(engine, table)}
        await asyncio.to_thread(link.send, message)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(socket.socket(fileno=int(sys.argv[1])), Link(socket.socket(fileno=int(sys.argv[2])))))
