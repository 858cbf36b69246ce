"""What runs versions: the interface that the call path knows, and the values that cross it."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from troth.runtime import worker
from troth.sandbox.isolation import Isolation


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """One runnable build, as an engine needs to know it. Equal `id`s run in the same workers."""

    id: str
    #: whose repository holds the commit `hash`
    algorithm_id: str
    hash: str
    #: digest of the source manifest; every load is checked against it (ALG-04)
    manifest: str
    #: path of the module with `apply`, below the root of the source
    entry: str
    #: digest of the environment's document
    environment: str
    network_access: str
    #: digest of the files that the environment had when it was first built; empty while that is being found out
    environment_content: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A version on this machine's disk, verified: the folder of its source, and that of its libraries if it has any."""

    root: Path
    site: Path | None


@dataclass(slots=True)
class CallRequest:
    """One call: `kind` is the content type of `body` (a frame kind of the worker), `seconds` its time limit."""

    kind: int
    body: bytes
    seconds: float
    raw: bool = False
    capture: bool = False


@dataclass(slots=True)
class CallResult:
    """What came of a call. `body` is ready to send: JSON text of the result, or with `raw` the result itself."""

    kind: int
    body: bytes
    seconds: float
    output: str | None = None

    @property
    def failed(self) -> bool:
        return self.kind == worker.ERROR


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What importing a version's entry module showed: an empty `error` means that it can be loaded."""

    error: str
    stacktrace: str
    output: str
    seconds: float
    #: JSON Schemas under `input` and `output`, and under `form` how the algorithm is written; None where nothing was said
    contract: dict[str, Any]
    #: Python files of its libraries that were imported, relative to their folder
    imported: tuple[str, ...]


class Engine(Protocol):
    """Runs versions in isolation. `local` is this machine; a cluster's engine keeps the same interface."""

    @property
    def isolation(self) -> Isolation:
        """What confines workers here, as proved when the engine was opened."""
        ...

    def call(self, spec: VersionSpec, request: CallRequest) -> Awaitable[CallResult]:
        """Runs one call. Raises Overloaded, IsolationUnavailable or SourceAltered; never tries a call twice."""
        ...

    async def check(self, spec: VersionSpec, seconds: float) -> CheckResult:
        """Imports the entry module as a worker would, without running `load`."""
        ...

    def states(self) -> list[dict[str, Any]]:
        """The versions that have workers, with their number of workers and of waiting calls."""
        ...

    async def close(self) -> None:
        """Stops every worker; calls under way fail."""
        ...
