"""From a commit to a build: its source, its environment, and whether it can be imported in isolation.

Every fault of the source, of its dependencies or of the code itself ends in a failed build that says so (ALG-22).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from troth.builds.declared import contract_of_source
from troth.builds.dependencies import DEPENDENCY_FILES, read_dependencies
from troth.builds.environments import Environments
from troth.builds.logs import BuildLog, BuildLogs
from troth.builds.repository import Repositories
from troth.builds.trees import Trees
from troth.contracts.pinning import FROZEN, PLAIN, pinning
from troth.contracts.project import FILE, LEGACY_FILE, Project, project_of
from troth.errors import BuildFailed, NotFound, TrothError
from troth.registry.build_records import BuildFacts, EnvironmentFacts
from troth.registry.catalog import AlgorithmRow
from troth.runtime.engine import CheckResult, Engine, VersionSpec
from troth.versions.history import BuildStatus
from troth.versions.manifest import Manifest

log = structlog.get_logger()
Found = TypeVar("Found")
#: Records something about a build.
Step = Callable[[], Awaitable[None]]

#: Files at the root of a source that say something about it.
_DECLARING = (FILE, LEGACY_FILE, *DEPENDENCY_FILES)
_MOST_NAMED = 50
#: Users of Algorithmia's clients wait for these words (algorithmia-api, section 8).
_FIRST_LINE = "Beginning container customization"


@dataclass(frozen=True, slots=True)
class Built:
    """How the build of a commit ended; without a manifest its source could not be read."""

    facts: BuildFacts
    manifest: Manifest | None = None


class Building:
    """Builds commits, each once at a time: who asks for a build that is under way gets that one."""

    def __init__(
        self,
        trees: Trees,
        repositories: Repositories,
        environments: Environments,
        engine: Engine,
        logs: BuildLogs,
        *,
        load_seconds: float,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._trees = trees
        self._repositories = repositories
        self._environments = environments
        self._engine = engine
        self._logs = logs
        self._load_seconds = load_seconds
        self._threads = threads
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._ended: dict[tuple[str, str], Built] = {}
        self._room = asyncio.Semaphore(os.cpu_count() or 1)

    async def build(self, algorithm: AlgorithmRow, commit: str, start: Step, finish: Step) -> None:
        """Builds a commit, or waits for its build that is under way; afterwards the registry knows how it ended.

        `start` records that it began, and `finish` how it ended, which `ended` then tells. Neither is the business of those
        who asked for the build: they may have lost their right to it meanwhile.
        """
        key = (algorithm.id, commit)
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.create_task(self._logged(algorithm, commit, start, finish))
            running.add_done_callback(lambda _: self._running.pop(key, None))
        await asyncio.shield(running)

    def ended(self, subject: str, commit: str) -> Built:
        """How a build ended that is being recorded. Raises NotFound where there is none."""
        if found := self._ended.get((subject, commit)):
            return found
        raise NotFound(
            f"no build of {commit} of {subject} ends now",
            why="the end of a build is recorded while it ends",
            repair="compile it",
            asked=commit,
        )

    async def _logged(self, algorithm: AlgorithmRow, commit: str, start: Step, finish: Step) -> None:
        said = self._logs.open(algorithm.id, commit)
        key = (algorithm.subject, commit)
        try:
            await start()
            said.say(f"{_FIRST_LINE}\nbuilding {algorithm.subject} at commit {commit}")
            async with self._room:
                self._ended[key] = await self._tried(algorithm, commit, said)
            await finish()
        finally:
            self._ended.pop(key, None)
            self._logs.close(algorithm.id, commit, said)

    async def _tried(self, algorithm: AlgorithmRow, commit: str, said: BuildLog) -> Built:
        started = time.perf_counter()
        try:
            built = await self._steps(algorithm, commit, said)
        except TrothError as problem:
            said.say("\n".join(line for line in (problem.what, problem.why, problem.repair) if line))
        except Exception:
            log.exception("a build failed inside the server", algorithm=algorithm.subject, commit=commit)
            said.say("the server failed in the middle of this build; its log says why. Compile again.")
        else:
            said.say(f"the build succeeded in {time.perf_counter() - started:.2f} seconds")
            return replace(built, facts=replace(built.facts, log=said.text))
        said.say("the build failed")
        return Built(BuildFacts(BuildStatus.FAILED, said.text))

    async def _steps(self, algorithm: AlgorithmRow, commit: str, said: BuildLog) -> Built:
        manifest = await self._long(self._source, algorithm, commit)
        said.say(f"source: {len(manifest.entries)} files, {manifest.size} bytes, manifest {manifest.digest}")
        root = self._trees.path(manifest.digest)
        project, entry = await self._long(_declared, algorithm, root, manifest)
        for line in await self._long(_pinning, root):
            said.say(line)
        environment = await self._long(self._environment, root, project, said)
        spec = VersionSpec(
            id=f"{algorithm.id}:{commit}",
            algorithm_id=algorithm.id,
            hash=commit,
            manifest=manifest.digest,
            entry=entry,
            environment=environment.digest,
            network_access="isolated",
        )
        found = await self._check(spec, said)
        if found.imported:
            await self._long(self._environments.warm, environment.digest, found.imported)
        facts = BuildFacts(
            BuildStatus.SUCCEEDED,
            "",
            source=manifest.digest,
            entry=entry,
            environment=environment,
            permissions=project.permissions,
            visibility_declared=project.visibility_declared,
            contract=await self._long(contract_of_source, project, root, found.contract),
        )
        return Built(facts, manifest)

    async def _long(self, work: Callable[..., Found], *arguments: Any) -> Found:
        """What takes long runs in threads of its own, so that no question to the registry waits behind it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*arguments))

    def _source(self, algorithm: AlgorithmRow, commit: str) -> Manifest:
        return self._trees.keep_files(self._repositories.files(algorithm.id, commit))

    def _environment(self, root: Path, project: Project, said: BuildLog) -> EnvironmentFacts:
        files = {name: (root / name).read_bytes() for name in DEPENDENCY_FILES if (root / name).is_file()}
        dependencies = read_dependencies(files, project.dependencies)
        if dependencies.requirements:
            named = ", ".join(dependencies.requirements[:_MOST_NAMED])
            more = len(dependencies.requirements) - _MOST_NAMED
            said.say(f"dependencies from {dependencies.origin}: {named}" + (f" and {more} more" if more > 0 else ""))
        document = self._environments.lock(dependencies, said.say)
        self._environments.ready(document.digest, said.say)
        return EnvironmentFacts(document.digest, self._environments.content(document.digest), document.packages)

    async def _check(self, spec: VersionSpec, said: BuildLog) -> CheckResult:
        said.say(f"importing {spec.entry} in a sandbox ({self._engine.isolation.level})")
        found = await self._engine.check(spec, self._load_seconds)
        if found.output.strip():
            said.say(found.output)
        if found.error:
            raise BuildFailed(found.stacktrace.rstrip() or found.error)
        return found


def _declared(algorithm: AlgorithmRow, root: Path, manifest: Manifest) -> tuple[Project, str]:
    paths = {entry.path for entry in manifest.entries}
    files = {name: (root / name).read_bytes() for name in _DECLARING if name in paths}
    project = project_of(files, algorithm.subject, algorithm.permissions)
    return project, project.entry(paths)


def _pinning(root: Path) -> list[str]:
    return pinning({name: (root / name).read_bytes() for name in (FROZEN, PLAIN) if (root / name).is_file()})
