"""A whole engine over versions that a test writes, and calls of them at the same time."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from tests.runtime.workshop import Refused
from troth.contracts.running import Running
from troth.runtime import worker
from troth.runtime.engine import CallRequest, CallResult, Loaded, VersionSpec
from troth.runtime.limits import PoolLimits
from troth.runtime.local import LocalEngine
from troth.sandbox.isolation import measure
from troth.sandbox.launcher import Launcher, Limits, find_bubblewrap

Found = TypeVar("Found")

#: runs what it is given, so that one algorithm can do everything; `meet(n)` returns when n calls are in it at the same time
OBEDIENT = """
import os, sys, time, uuid, random, signal
calls = 0
def load():
    global loaded
    loaded = time.time_ns()
def meet(count, place="/tmp/meeting"):
    os.makedirs(place, exist_ok=True)
    open(f"{place}/{os.getpid()}", "w").close()
    wait(lambda: len(os.listdir(place)) >= count)
def wait(condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("in vain")
        time.sleep(0.002)
def apply(input):
    global calls
    calls += 1
    scope = {**globals()}
    exec(input, scope)
    return scope.get("result")
"""


class Machine:
    """Runs scenes with an engine of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.launcher = Launcher(worker_uid=60001, bubblewrap=find_bubblewrap())
        self._isolation = measure(self.launcher, folder)
        self._versions: dict[str, Loaded] = {}

    def version(
        self,
        code: str = OBEDIENT,
        *,
        libraries: Mapping[str, str] | None = None,
        site: Path | None = None,
        **running: Any,
    ) -> VersionSpec:
        """A version of this code, which wants to be run so."""
        name = f"v{len(self._versions)}"
        files = {"source/src/thing.py": code, **{f"site/{path}": text for path, text in (libraries or {}).items()}}
        for path, content in files.items():
            target = self._folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        if libraries:
            site = self._folder / name / "site"
        self._versions[name] = Loaded(self._folder / name / "source", site, Running(**running))
        return VersionSpec(name, "algorithm", "hash", "manifest", "src/thing.py", "environment", "isolated")

    def libraries(self, *packages: Path) -> Path:
        """A folder with copies of these installed packages."""
        site = self._folder / "libraries"
        for package in packages:
            shutil.copytree(package, site / package.name)
        return site

    def run(
        self,
        scene: Callable[[LocalEngine], Awaitable[Found]],
        *,
        memory: int = 4 << 30,
        seconds: float = 240,
        **limits: Any,
    ) -> Found:
        """What comes of a scene with an engine of these limits."""

        async def work() -> Found:
            given = PoolLimits(**{"scale_seconds": 0.01, "workers": 4, **limits})
            engine = LocalEngine(
                self.launcher,
                self._isolation,
                lambda spec: self._versions[spec.id],
                limits=given,
                worker_limits=Limits(memory_bytes=memory),
                trust_authors=True,
            )
            try:
                async with asyncio.timeout(seconds):
                    return await scene(engine)
            finally:
                await engine.close()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work())


def answer(engine: LocalEngine, spec: VersionSpec, given: Any, *, seconds: float = 60) -> asyncio.Future[CallResult]:
    """A call: text as text, everything else as JSON."""
    kind, body = (worker.TEXT, given.encode()) if isinstance(given, str) else (worker.JSON, json.dumps(given).encode())
    return asyncio.ensure_future(engine.call(spec, CallRequest(kind, body, seconds)))


async def ask(engine: LocalEngine, spec: VersionSpec, given: Any = "result = 1", *, seconds: float = 60) -> Any:
    """The result of a call. Raises Refused."""
    result = await answer(engine, spec, given, seconds=seconds)
    found = json.loads(result.body)
    if result.failed:
        raise Refused(found["error_type"], found["message"])
    return found


async def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """The first true value of a condition."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := condition()):
        assert asyncio.get_running_loop().time() < end, f"waited in vain for {what}"
        await asyncio.sleep(0.005)
    return found


def state(engine: LocalEngine, spec: VersionSpec) -> dict[str, Any] | None:
    """What the engine says of a version that takes memory."""
    return next((one for one in engine.states() if one["id"] == spec.id), None)


def temperature(engine: LocalEngine, spec: VersionSpec) -> str:
    """Hot, warm or cold."""
    found = state(engine, spec)
    return found["state"] if found else "cold"
