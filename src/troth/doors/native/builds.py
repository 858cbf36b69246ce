"""Operations on builds: their logs, what they are made of, whether they can be made again, and what is not needed."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import msgspec

from troth.builds.environments import Environments
from troth.builds.logs import BuildLogs, grown
from troth.builds.repository import Repositories
from troth.commands.garbage import Garbage
from troth.doors.native.operations import Asked, Operation
from troth.errors import BuildFailed, Forbidden, MalformedReference, NotFound, Overloaded, Refused
from troth.queries import algorithms as algorithm_queries
from troth.registry import build_records
from troth.registry.database import Database
from troth.versions.manifest import Manifest

_LONGEST_WAIT = 30


class _Build(msgspec.Struct):
    algorithm: str
    hash: str


class _Log(msgspec.Struct):
    algorithm: str
    hash: str
    after: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    wait: Annotated[int, msgspec.Meta(ge=0, le=_LONGEST_WAIT)] = 0


class BuildApi:
    """Handlers of the rows below, over the parts that they need."""

    def __init__(
        self,
        database: Database,
        repositories: Repositories,
        environments: Environments,
        logs: BuildLogs,
        garbage: Garbage,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._database = database
        self._repositories = repositories
        self._environments = environments
        self._logs = logs
        self._garbage = garbage
        self._threads = threads
        self._rebuilding = False

    def operations(self) -> list[Operation]:
        """The rows."""
        hidden = (MalformedReference, NotFound)
        return [
            Operation("GET", "/api/v1/builds/log", "read_build_log",
                      "The log of a build from a character on; waits up to `wait` seconds for more while it is under way.",
                      self._log, query=_Log, errors=hidden),
            Operation("GET", "/api/v1/builds/sbom", "read_bill_of_materials",
                      "What a build is made of, as a CycloneDX document.", self._bill, query=_Build, errors=(*hidden, Refused)),
            Operation("GET", "/api/v1/builds/rebuild", "verify_rebuild",
                      "Builds the environment of a build again, beside it, and compares the digests of both.",
                      self._rebuild, query=_Build, errors=(*hidden, Refused, BuildFailed, Overloaded)),
            Operation("GET", "/api/v1/query/garbage", "query_garbage",
                      "What no successful build needs, for administrators.", self._unneeded, errors=(Forbidden,)),
        ]  # fmt: skip

    async def _log(self, asked: Asked) -> dict[str, Any]:
        query: _Log = asked.query
        build = await self._build(asked)
        live = self._logs.find(build.algorithm_id, build.hash)
        if live is not None:
            await grown(live, query.after, query.wait)
            if live.ended:
                build = await self._build(asked)
        text = live.text if live is not None else build.log
        return {"status": build.status.value, "log": text[query.after :], "next": len(text)}

    async def _bill(self, asked: Asked) -> dict[str, Any]:
        build = await self._succeeded(asked)
        subject = asked.query.algorithm
        return await asyncio.to_thread(self._environments.bill_of_materials, build.environment, subject, build.hash)

    async def _rebuild(self, asked: Asked) -> dict[str, Any]:
        build = await self._succeeded(asked)
        recorded = build.environment_content
        if self._rebuilding:
            raise Overloaded(
                "another build is being made again", why="one is at a time", repair="try again a little later"
            )
        self._rebuilding = True
        try:
            source, content = await asyncio.get_running_loop().run_in_executor(self._threads, self._rebuilt, build)
        finally:
            self._rebuilding = False
        return {
            "hash": build.hash,
            "same": (source, content) == (build.source, recorded),
            "source": {"recorded": build.source, "rebuilt": source},
            "environment": {"digest": build.environment, "recorded": recorded, "rebuilt": content},
        }

    async def _unneeded(self, asked: Asked) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            with self._database.read() as connection:
                return {"things": self._garbage.listed(connection, asked.actor)}

        return await asyncio.to_thread(ask)

    def _rebuilt(self, build: build_records.BuildRow) -> tuple[str, str]:
        return self._source(build), self._environments.rebuild(build.environment)

    def _source(self, build: build_records.BuildRow) -> str:
        """The digest of the source as the repository gives it now."""
        files = self._repositories.files(build.algorithm_id, build.hash)
        return Manifest.of(entry for entry, _ in files).digest

    async def _build(self, asked: Asked) -> build_records.BuildRow:
        def ask() -> build_records.BuildRow:
            with self._database.read() as connection:
                return algorithm_queries.member_build(connection, asked.actor, asked.query.algorithm, asked.query.hash)

        return await asyncio.to_thread(ask)

    async def _succeeded(self, asked: Asked) -> build_records.BuildRow:
        build = await self._build(asked)
        if not build.environment:
            raise Refused(
                f"the build {build.hash} has no environment",
                why=f"it is {build.status}",
                repair="name a build that succeeded",
                clauses=["ALG-22"],
            )
        return build
