"""Real workers of the real engine, over sources that a test writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from troth.runtime import worker
from troth.runtime.engine import CallRequest, CallResult, CheckResult, Loaded, VersionSpec
from troth.runtime.local import LocalEngine
from troth.sandbox.isolation import Isolation
from troth.sandbox.launcher import Launcher

Found = TypeVar("Found")

TEXT, JSON, BINARY, ERROR = worker.TEXT, worker.JSON, worker.BINARY, worker.ERROR


class Source:
    """One source, whose worker is started for each `call` and `check`."""

    def __init__(self, launcher: Launcher, isolation: Isolation, root: Path, entry: str, site: Path | None) -> None:
        self._launcher = launcher
        self._isolation = isolation
        self._loaded = Loaded(root, site)
        self._spec = VersionSpec("id", "algorithm", "hash", "manifest", entry, "environment", "isolated")

    def call(self, *given: Any) -> Any:
        """What one worker answers to these inputs in turn: the result of the last; an error as an exception."""
        return self.answers(*given)[-1]

    def answers(self, *given: Any) -> list[Any]:
        """What one worker answers to each of these inputs."""

        async def ask(engine: LocalEngine) -> list[CallResult]:
            return [await engine.call(self._spec, _request(value)) for value in given]

        return [_value(result) for result in self._with_engine(ask)]

    def error(self, given: Any) -> dict[str, str]:
        """The error that a call ends with."""

        async def ask(engine: LocalEngine) -> CallResult:
            return await engine.call(self._spec, _request(given))

        result = self._with_engine(ask)
        assert result.kind == ERROR, result
        found: dict[str, str] = json.loads(result.body)
        return found

    def check(self) -> CheckResult:
        """What a build learns of it."""
        return self._with_engine(lambda engine: engine.check(self._spec, 60))

    def _with_engine(self, ask: Callable[[LocalEngine], Awaitable[Found]]) -> Found:
        async def work() -> Found:
            engine = LocalEngine(self._launcher, self._isolation, lambda spec: self._loaded, trust_authors=True)
            try:
                return await ask(engine)
            finally:
                await engine.close()

        return asyncio.run(asyncio.wait_for(work(), 240))


class Refused(Exception):
    """A call that ended with an error: its type and message."""


class Workshop:
    """Writes sources into a folder."""

    def __init__(self, launcher: Launcher, isolation: Isolation, folder: Path) -> None:
        self._launcher = launcher
        self._isolation = isolation
        self._folder = folder
        self._made = 0

    def source(
        self,
        code: str,
        *,
        name: str = "thing",
        files: Mapping[str, str] | None = None,
        libraries: Mapping[str, str] | None = None,
        site: Path | None = None,
        package: bool = False,
    ) -> Source:
        """A source whose entry has this code, with other files and with libraries in a folder of their own."""
        self._made += 1
        root = self._folder / str(self._made)
        entry = f"src/{name}/__init__.py" if package else f"src/{name}.py"
        _write(root / "source", {entry: code, **(files or {})})
        if libraries:
            site = root / "site"
            _write(site, libraries)
        return Source(self._launcher, self._isolation, root / "source", entry, site)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)


def _request(value: Any) -> CallRequest:
    if isinstance(value, bytes):
        return CallRequest(BINARY, value, 60)
    if isinstance(value, str):
        return CallRequest(TEXT, value.encode(), 60)
    return CallRequest(JSON, json.dumps(value).encode(), 60)


def _value(result: CallResult) -> Any:
    found = json.loads(result.body)
    if result.kind == ERROR:
        raise Refused(found["error_type"], found["message"])
    return found
