"""One call of a project's folder on this machine, without a server, as a server would run its build."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from troth.artifacts.store import ArtifactStore
from troth.builds.declared import contract_of_source
from troth.builds.dependencies import DEPENDENCY_FILES, read_dependencies
from troth.builds.environments import Environments
from troth.builds.trees import Trees
from troth.commands.replaying import Replaying, Run
from troth.contracts.project import Project
from troth.contracts.replays import Replay
from troth.errors import BuildFailed, CallFailed, MalformedSetting, NotFound
from troth.runtime import worker
from troth.runtime.engine import CallRequest, CallResult, CheckResult, Loaded, VersionSpec
from troth.runtime.limits import PoolLimits
from troth.runtime.local import LocalEngine
from troth.sandbox.isolation import Isolation, measure
from troth.sandbox.launcher import Launcher, Limits, find_bubblewrap
from troth.sdk import Answer
from troth.sdk.client import body_of
from troth.sdk.folder import read_source
from troth.settings import Settings
from troth.versions.manifest import Manifest

_KINDS = {"text/plain": worker.TEXT, "application/json": worker.JSON, "application/octet-stream": worker.BINARY}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ran:
    """A call that was run here, and what it ran with."""

    project: Project
    spec: VersionSpec
    isolation: Isolation
    result: CallResult

    def answer(self) -> Answer:
        """What came of it. Raises CallFailed, whose `found` is the algorithm's stack."""
        result = self.result
        if result.failed:
            error = json.loads(result.body)
            why = f"{error['error_type']} in {self.project.subject}"
            raise CallFailed(error["message"], why=why, found=error["stacktrace"])
        kind, value = _decoded(result)
        return Answer(value, kind, result.seconds, result.output, self._receipt())

    def _receipt(self) -> dict[str, str]:
        return {
            "algorithm": self.project.subject,
            "source": self.spec.manifest,
            "environment": self.spec.environment,
            "isolation": str(self.isolation.level),
        }


def ran(path: Path, project: Project, value: Any, settings: Settings, seconds: float, tell: Say) -> Ran:
    """One call of the folder's source with `value`. The source is forgotten afterwards, its libraries are kept.

    `tell` hears how they are made. Raises what a build raises, and IsolationUnavailable.
    """
    content, kind = body_of(value)
    request = CallRequest(_KINDS[kind], content, seconds, raw=True, capture=True)
    bench = _Bench(settings, _cache())
    with tempfile.TemporaryDirectory(prefix="troth-") as scratch:
        manifest, root = _stored(path, Path(scratch))
        spec, loaded = bench.prepare(project, manifest, root, tell)
        return Ran(project, spec, bench.isolation, bench.call(spec, loaded, request))


def contract_here(path: Path, project: Project, settings: Settings, tell: Say) -> bytes:
    """The contract of the folder's source, as a build finds it: what files say, else what its annotations say in a sandbox.

    Nothing is run where files describe both sides. Raises BuildFailed for what cannot be imported, and what a build raises.
    """
    with tempfile.TemporaryDirectory(prefix="troth-") as scratch:
        manifest, root = _stored(path, Path(scratch))
        if {"input", "output"} <= set(project.contract):
            return contract_of_source(project, root, {})
        bench = _Bench(settings, _cache())
        spec, loaded = bench.prepare(project, manifest, root, tell)
        found = bench.checked(spec, loaded)
        if found.error:
            raise BuildFailed(
                f"{project.subject} cannot be imported", why=found.stacktrace.rstrip() or found.error, repair="mend it"
            )
        return contract_of_source(project, root, found.contract)


def replayed_here(
    plan: Sequence[Replay],
    candidate: tuple[Path, Project],
    followed: tuple[Path, Project] | None,
    settings: Settings,
    tell: Say,
) -> list[Replay]:
    """The same with what the folders' sources replied here, within `replay_seconds` together.

    Raises what a build raises, and IsolationUnavailable.
    """
    bench = _Bench(settings, _cache())
    loaded: dict[str, Loaded] = {}
    with tempfile.TemporaryDirectory(prefix="troth-") as scratch:
        specs: list[VersionSpec | None] = []
        for name, source in (("candidate", candidate), ("followed", followed)):
            if source is None:
                specs.append(None)
                continue
            manifest, root = _stored(source[0], Path(scratch) / name)
            spec, found = bench.prepare(source[1], manifest, root, tell)
            specs.append(replace(spec, id=name))
            loaded[name] = found

        async def replayed() -> list[Replay]:
            engine = bench.engine(lambda spec: loaded[spec.id])
            try:
                replaying = Replaying(engine, seconds=settings.replay_seconds)
                first, second = (Run(spec) if spec is not None else None for spec in specs)
                assert first is not None
                return await replaying.replayed(plan, first, second, replaying.deadline())
            finally:
                await engine.close()

        return asyncio.run(replayed())


class _Bench:
    """What of a server it takes to run a version here. `cache` holds what is kept between runs."""

    def __init__(self, settings: Settings, cache: Path) -> None:
        self._settings = settings
        self._cache = cache
        self._launcher = Launcher(
            worker_uid=settings.worker_uid, service_uid=settings.service_uid, bubblewrap=find_bubblewrap()
        )
        self.isolation = measure(self._launcher, cache)

    def prepare(self, project: Project, manifest: Manifest, root: Path, tell: Say) -> tuple[VersionSpec, Loaded]:
        """What is to run, with its libraries locked and installed as a build does. Other runs wait meanwhile."""
        files = {name: (root / name).read_bytes() for name in DEPENDENCY_FILES if (root / name).is_file()}
        dependencies = read_dependencies(files, project.dependencies)
        entry = project.entry({entry.path for entry in manifest.entries})
        with _alone(self._cache):
            environments = self._environments()
            digest = environments.lock(dependencies, tell).digest
            is_new = _is_new(environments, digest)
            loaded = Loaded(root, environments.ready(digest, tell), project.running)
            spec = VersionSpec("run", "run", "", manifest.digest, entry, digest, project.permissions.network_access)
            if is_new:
                # none where it cannot be imported, which its call will tell
                environments.warm(digest, self.checked(spec, loaded).imported)
        return spec, loaded

    def call(self, spec: VersionSpec, loaded: Loaded, request: CallRequest) -> CallResult:
        """What comes of one call."""

        async def call() -> CallResult:
            engine = self.engine(lambda spec: loaded)
            try:
                return await engine.call(spec, request)
            finally:
                await engine.close()

        return asyncio.run(call())

    def checked(self, spec: VersionSpec, loaded: Loaded) -> CheckResult:
        """What importing it shows."""
        return asyncio.run(self.engine(lambda spec: loaded).check(spec, self._settings.load_seconds))

    def _environments(self) -> Environments:
        cache = self._cache
        environments = Environments(
            cache / "environments",
            cache / "packages",
            ArtifactStore(cache / "artifacts"),
            self._launcher,
            seconds=self._settings.build_seconds,
        )
        environments.recover()
        return environments

    def engine(self, load: Callable[[VersionSpec], Loaded]) -> LocalEngine:
        """An engine for what `load` gives."""
        settings = self._settings
        return LocalEngine(
            self._launcher,
            self.isolation,
            load,
            limits=PoolLimits(load_seconds=settings.load_seconds, result_bytes=settings.result_bytes),
            worker_limits=Limits(
                memory_bytes=settings.worker_memory,
                processes=settings.worker_processes,
                temporary_bytes=settings.worker_temporary,
            ),
            trust_authors=settings.trust_authors,
        )


def _stored(path: Path, scratch: Path) -> tuple[Manifest, Path]:
    """The manifest of a folder's source, and a folder with nothing else in it."""
    manifest, archive = read_source(path)
    trees = Trees(scratch / "trees", ArtifactStore(scratch / "artifacts"))
    trees.keep_archive(io.BytesIO(archive), manifest.digest)
    return manifest, trees.path(manifest.digest)


def _is_new(environments: Environments, digest: str) -> bool:
    """Whether an environment was never built here."""
    try:
        environments.content(digest)
    except NotFound:
        return True
    return False


def _cache() -> Path:
    """The folder of what is kept between runs, which only this user can enter."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "troth"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise MalformedSetting(
            f"{folder} cannot be used: {error.strerror}",
            why="libraries are kept there between runs",
            repair="set XDG_CACHE_HOME to a folder that you may write to",
        ) from None
    return folder


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Keeps other runs from making environments at the same time."""
    with open(cache / "lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _decoded(result: CallResult) -> tuple[str, Any]:
    """Content type and value of a raw result."""
    if result.kind == worker.BINARY:
        return "binary", bytes(result.body)
    text = result.body.decode()
    return ("text", text) if result.kind == worker.TEXT else ("json", json.loads(text))
