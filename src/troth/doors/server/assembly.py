"""Puts the parts of one server together. Everything is handed to what needs it; nothing is looked up."""

from __future__ import annotations

import asyncio
import json
import platform
import time
import uuid
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import IO, Any

import structlog

from troth.access.roles import Actor
from troth.artifacts.blobs import BlobStore
from troth.artifacts.store import ArtifactStore
from troth.builds.environments import Environments
from troth.builds.logs import BuildLogs
from troth.builds.origins import Origins
from troth.builds.repository import Repositories
from troth.builds.trees import Trees
from troth.calls.loading import TableLoader
from troth.calls.receipts import Receipt
from troth.calls.results import Results
from troth.calls.routing import Caller, Route, RoutingTable
from troth.calls.warming import Warming
from troth.calls.within import CallKeys
from troth.commands.api_moves import MoveApi, api_handlers
from troth.commands.building import Building
from troth.commands.bus import Bus, Envelope, Handler, Outcome
from troth.commands.cuts import Cuts
from troth.commands.data_keeping import DataKeeping
from troth.commands.excusing import Excusing
from troth.commands.formats import shipped
from troth.commands.garbage import Garbage
from troth.commands.judging import Judging
from troth.commands.lines import line_handlers
from troth.commands.moving import Moving, RecordReplay
from troth.commands.release_room import ReleaseRoom
from troth.commands.replaying import Replaying
from troth.commands.rolling_back import RollBack
from troth.commands.waiving import waiver_handlers
from troth.commands.waiving_apis import RequestApiWaiver
from troth.doors.server import tokens
from troth.doors.server.data_parts import data_handlers, open_data
from troth.doors.server.fronts import Fronts
from troth.doors.server.gateway_parts import Gateway, handlers_of_gateway, open_gateway
from troth.doors.server.handler_calls import HandlerCalls
from troth.doors.server.handlers import handlers_of
from troth.doors.server.holders import holder_of
from troth.doors.server.launching import launcher_of, listed, local_engine, named_states
from troth.doors.server.loading import environments_of, loaded
from troth.doors.server.observation import Observation, observation
from troth.doors.server.product_parts import open_release_files, open_sites, product_handlers
from troth.doors.server.queue_parts import QueueParts, open_queue
from troth.doors.server.rehearsing import acting
from troth.doors.server.tokens import Tokens
from troth.errors import TrothError
from troth.home import Home
from troth.observe.metrics import Faults
from troth.queries import algorithms as algorithm_queries
from troth.registry import accounts, secret_records
from troth.registry.database import Database
from troth.registry.sealing import Sealing
from troth.runtime.engine import CallResult, Loaded, VersionSpec
from troth.runtime.local import LocalEngine
from troth.runtime.worker import WORKER_VERSION
from troth.sandbox.launcher import Launcher
from troth.settings import Settings, default_owner
from troth.signing import SigningKey
from troth.sites.store import Sites
from troth.versions.history import Readings
from troth.versions.lifecycles.subject import Move

log = structlog.get_logger()

_LONG_AT_ONCE = 8


@dataclass(slots=True)
class Server:
    """One running server's parts."""

    settings: Settings
    home: Home
    database: Database
    bus: Bus
    table: RoutingTable
    engine: LocalEngine
    trees: Trees
    repositories: Repositories
    origins: Origins
    environments: Environments
    build_logs: BuildLogs
    garbage: Garbage
    data: DataKeeping
    release_files: BlobStore
    sites: Sites
    cuts: Cuts
    judging: Judging
    signing_key: SigningKey
    launcher: Launcher
    observation: Observation
    results: Results
    readings: Readings
    lock: IO[str]
    #: for what takes long: git, uv, the files of builds
    threads: ThreadPoolExecutor
    warming: Warming
    #: further processes that take calls
    fronts: Fronts
    #: keys of calls that run, which algorithms use
    call_keys: CallKeys
    sealing: Sealing
    gateway: Gateway
    #: commands of teams
    queue: QueueParts
    moving: Moving
    #: work that goes on behind an answered request
    behind: set[asyncio.Task[None]] = field(default_factory=set)
    #: None where no signed tokens are taken
    tokens: Tokens | None = None

    async def repository(self, caller: Caller, owner: str, name: str) -> str | None:
        """The id of an algorithm whose repository the caller may use, or None."""

        def ask() -> str | None:
            with self.database.read() as connection:
                return algorithm_queries.repository(connection, caller.actor, owner, name)

        return await asyncio.to_thread(ask)

    def pushed(self, caller: Caller, subject: str, commit: str) -> None:
        """Builds what was pushed, in the name of who pushed it."""
        self.build_behind(caller.actor, subject, commit)

    def build_behind(self, actor: Actor, subject: str, commit: str = "") -> None:
        """Builds a commit, else the newest one, after the request is answered."""
        payload = json.dumps({"algorithm": subject, **({"commit": commit} if commit else {})}).encode()
        envelope = Envelope("compile_algorithm", 1, payload, actor, str(uuid.uuid4()))

        async def build() -> None:
            try:
                await self.bus.submit(envelope)
            except TrothError as error:
                log.warning("a push was not built", algorithm=subject, commit=commit, why=str(error))
            except Exception:
                log.exception("a push was not built", algorithm=subject, commit=commit)

        self.begin(build())

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on with work that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self.behind.add(task)
        task.add_done_callback(self.behind.discard)

    def serves(self) -> None:
        """From now on it takes calls, those of its own algorithms too."""
        self.begin(self.moving.behind())

    def receipt(self, facts: tuple[Any, ...]) -> dict[str, Any]:
        """The receipt of a call from the facts that were kept of it."""
        request, caller, reference, route, outcome, seconds, place = facts
        assert isinstance(route, Route)
        return Receipt(
            request=request,
            caller=caller,
            algorithm="/".join(reference.split("/")[:2]),
            reference=reference,
            version=route.version,
            hash=route.spec.hash,
            source=route.source,
            environment=route.spec.environment,
            interpreter=platform.python_version(),
            worker=WORKER_VERSION,
            isolation={**self.engine.isolation.as_dict(), **(place.layers if place else {})},
            start=place.start if place else None,
            outcome=outcome,
            seconds=seconds,
        ).as_dict()

    def handled(self, request: str, caller: Caller, reference: str, route: Route, result: CallResult) -> None:
        """Counts and records a call that handled a command, and ends what it kept for itself."""
        observed, subject = self.observation, "/".join(reference.split("/")[:2])
        observed.usage.add(subject, route.version, caller.name, result.outcome, result.seconds)
        observed.records.keep(request, caller.name, reference, route, result.outcome, result.seconds, result.place)
        if request in self.data.sessions:
            self.data.end_session(request)

    def states(self) -> list[dict[str, Any]]:
        """The states of the versions that run, here and in every front, with the names that people know them by."""
        return named_states(self.engine, self.table) + self.fronts.states()

    def load(self, spec: VersionSpec) -> Loaded:
        """A version on this disk, complete and verified. Blocks."""
        if not self.trees.has(spec.manifest):
            self.trees.keep_files(self.repositories.files(spec.algorithm_id, spec.hash), spec.manifest)
        site = self.environments.ready(spec.environment, content=spec.environment_content)
        with self.database.read() as connection:
            variables = secret_records.variables_of(connection, spec.algorithm_id, self.sealing)
        return replace(loaded(self.trees.verified(spec.manifest), site), secrets=variables)

    async def close(self, drain_seconds: float = 0.0) -> None:
        """Lets calls under way end for so long, stops the workers and finishes every write."""
        for task in list(self.behind):
            task.cancel()
        self.warming.stop()
        if self.tokens is not None:
            self.tokens.close()
        self.launcher.stop_services()
        await self.queue.close(drain_seconds)
        await self.engine.close(drain_seconds)
        await self.gateway.close()
        await self.observation.close()
        await self.data.close()
        await asyncio.to_thread(self.threads.shutdown, wait=True, cancel_futures=True)
        await asyncio.to_thread(self.cuts.close)
        await asyncio.to_thread(self.judging.close)
        await asyncio.to_thread(self.database.close)
        self.launcher.close()
        self.lock.close()


async def open_server(settings: Settings) -> tuple[Server, str | None]:
    """A server over its home, and the owner's key where it was made just now.

    At the first start the home, the registry, the owner's account and its key are made.
    """
    home = Home.open(settings.home_path())
    lock = home.lock()
    try:
        return await _opened(settings, home, lock)
    except BaseException:
        lock.close()
        raise


def _registry(home: Home, address: str) -> Database:
    """The registry of a home, brought up to this release."""
    database = Database(home.registry(address))
    database.bring_up(home.backups)
    home.note_registry(address)
    return database


async def _opened(settings: Settings, home: Home, lock: IO[str]) -> tuple[Server, str | None]:
    database = await asyncio.to_thread(_registry, home, settings.database)
    artifacts = ArtifactStore(home.artifacts)
    trees = Trees(home.trees, artifacts)
    trees.recover()
    repositories = Repositories(home.repositories)
    repositories.recover()
    origins = Origins(repositories, listed(settings.scm_allow), seconds=settings.git_seconds)
    readings = Readings(settings.visibility_fixed_per, settings.latest_private, settings.compatibility)
    table = RoutingTable.empty()
    loader = TableLoader(table, readings)
    launcher = launcher_of(settings)
    faults, build_logs = Faults(), BuildLogs()
    environments = environments_of(settings, home, artifacts, launcher, faults)
    environments.recover()
    engine = local_engine(settings, home.root, launcher, lambda spec: server.load(spec))
    threads = ThreadPoolExecutor(max_workers=_LONG_AT_ONCE, thread_name_prefix="builds")
    building = Building(
        trees, repositories, environments, engine, build_logs, load_seconds=settings.load_seconds, threads=threads
    )
    garbage = Garbage(trees, repositories, environments)
    replaying = Replaying(engine, seconds=settings.replay_seconds)
    excusing = Excusing(signing_key := SigningKey.open(home.signing_key))
    judging = Judging(database, readings, replaying, acting, excusing, seconds=settings.judging_seconds)
    handlers: dict[str, Handler] = {}
    fronts = Fronts(loader)
    sealing = Sealing(settings.secrets_key_path())
    bus = Bus(database, shipped(), handlers, fronts)
    handlers |= handlers_of(bus, database, trees, repositories, origins, building, garbage, judging, sealing)
    gateway = open_gateway(settings, home, database, table, bus, fronts)
    data = open_data(settings, home, database, bus)
    handlers |= {**data_handlers(data.blobs, settings.data_bytes), "record_replay": RecordReplay()}
    room = ReleaseRoom(database, settings.release_bytes)
    release_files = open_release_files(home, database, room)
    sites, cuts = open_sites(home, release_files, database), Cuts()
    handlers |= product_handlers(database, release_files, sites, room, excusing, settings.judging_seconds, cuts)
    calls = HandlerCalls(database, table, engine, lambda *told: server.handled(*told))
    queue = open_queue(settings, database, bus, launcher, table, calls)
    handlers |= {**api_handlers(database, excusing), **queue.handlers, **handlers_of_gateway(home, settings)}
    handlers |= line_handlers(excusing, settings.usage_days, lambda: server.observation.bookkeeping.flush())
    handlers["roll_back"] = RollBack(database, handlers, MoveApi("roll_back", Move.RETURN, database, excusing))
    handlers |= {**waiver_handlers(judging, signing_key), "request_api_waiver": RequestApiWaiver(database, excusing)}
    observed = observation(
        settings, database, faults, lambda facts: server.receipt(facts), lambda: server.states(), table.uses, gateway.ledger,
    )  # fmt: skip
    server = Server(
        settings,
        home,
        database,
        bus,
        table,
        engine,
        trees,
        repositories,
        origins,
        environments,
        build_logs,
        garbage,
        data,
        release_files,
        sites,
        cuts,
        judging,
        signing_key,
        launcher,
        observed,
        Results(size=settings.kept_bytes, seconds=settings.kept_seconds, now=time.monotonic),
        readings,
        lock,
        threads,
        Warming(listed(settings.keep_warm), table, engine),
        fronts,
        CallKeys(engine, table, lambda origin: holder_of(table, origin)),
        sealing,
        gateway,
        queue,
        Moving(database, replaying, acting, bus.submit, seconds=settings.judging_seconds),
    )
    return server, await _begun(server, loader)


async def _begun(server: Server, loader: TableLoader) -> str | None:
    """Everything that goes on by itself goes on; the owner's key where it was made just now."""
    server.tokens = tokens.opened(server.settings, server.table)
    key = await _found(server)
    if server.settings.replay_at_start == "before":
        await server.moving.replay(before=True)
    with server.database.read() as connection:
        loader.load(connection)
    server.observation.bookkeeping.start()
    server.warming.start()
    server.data.start()
    server.gateway.start(server.database)
    server.observation.metrics.more.append(server.queue.metrics)
    server.queue.processor.start()
    return key


async def _found(server: Server) -> str | None:
    """The owner's account and key at the first start, and the end of builds that a crash left behind."""
    owner = server.settings.owner or default_owner()
    with server.database.read() as connection:
        administrators = accounts.administrators(connection)
    if administrators:
        owner = administrators[0]
    else:
        await _as_system(server.bus, "create_account", name=owner, administrator=True)
    await _as_system(server.bus, "fail_interrupted_builds")
    if server.home.owner_key.exists():
        return None
    # also where the file was lost: who can write to the home owns the server anyway
    made = await _as_system(server.bus, "create_key", account=owner, label="owner.key")
    server.home.write_owner_key(made.secrets["key"])
    return made.secrets["key"]


async def _as_system(bus: Bus, command: str, **payload: Any) -> Outcome:
    return await bus.submit(Envelope(command, 1, json.dumps(payload).encode(), accounts.SYSTEM, str(uuid.uuid4())))
