"""What runs versions: the interface that the call path knows, and the values that cross it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from troth.contracts.running import Running
from troth.errors import TrothError
from troth.runtime import worker
from troth.sandbox.isolation import Isolation

if TYPE_CHECKING:
    from troth.runtime.call import Call


class Outcome(StrEnum):
    """How a call ended, in one word; metrics, usage and receipts speak of these."""

    OK = "ok"
    #: the algorithm raised
    EXCEPTION = "exception"
    #: its module could not be imported, or its `load` failed
    LOAD_FAILURE = "load_failure"
    TIMEOUT = "timeout"
    #: the worker ended itself
    EXIT = "exit"
    #: the worker was ended by a signal
    SIGNAL = "signal"
    #: the worker used more memory than it may
    OUT_OF_MEMORY = "out_of_memory"
    #: too many calls waited already
    QUEUE_FULL = "queue_full"
    #: no worker was free in time
    QUEUE_DEADLINE = "queue_deadline"
    #: the caller's key makes more calls than it may
    RATE_LIMITED = "rate_limited"
    #: the caller left before the answer
    CANCELLED = "cancelled"
    #: this machine cannot honour what the version asks for
    REFUSED = "refused"
    #: a fault of troth's own
    INTERNAL = "internal"


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
    running: Running = field(default_factory=Running)
    #: the input of an example of the version, as JSON, with which the first fork tries whether forks work
    example: str | None = None
    #: environment variables that nobody may see but the version
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class CallRequest:
    """One call: `kind` is the content type of `body` (a frame kind of the worker), `seconds` its time limit."""

    kind: int
    body: bytes
    seconds: float
    raw: bool = False
    capture: bool = False
    #: W3C's traceparent and tracestate, a line each, which the algorithm finds in its environment; empty for none
    trace: str = ""
    #: for whom and with what rights it is made: what the key of the call leads to; None where the call has no key
    origin: Any = None
    #: the call in whose worker this one was made, which waits for it and with which it ends
    parent: Call | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls of a version run: what is in force around the process, and whether it is a fork of a loaded one."""

    start: str
    layers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class CallResult:
    """What came of a call. `body` is ready to send: JSON text of the result, or with `raw` the result itself."""

    kind: int
    body: bytes
    seconds: float
    output: str | None = None
    outcome: Outcome = Outcome.OK
    place: Place | None = None

    @property
    def failed(self) -> bool:
        return self.kind == worker.ERROR


#: Told once what came of a call; an error is one of the engine's own, such as Overloaded.
Settle = Callable[["CallResult | TrothError"], None]


class Ticket(Protocol):
    """A call under way."""

    def cancel(self) -> None:
        """Nobody wants the answer any more: a call that waits is dropped, one that runs is stopped. Nobody is told."""
        ...


class Items(Protocol):
    """Takes the results of a call that come one by one."""

    def take(self, item: bytes) -> bool:
        """One result as JSON. Says whether another may come at once; if not, `Flow.resume` is called later."""
        ...


class Flow(Ticket, Protocol):
    """A call whose results come one by one."""

    def resume(self) -> None:
        """More results can be taken."""
        ...


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

    def submit(self, spec: VersionSpec, request: CallRequest, settle: Settle, items: Items | None = None) -> Flow:
        """Runs one call, whose results come one by one where `items` takes them; never tries a call twice."""
        ...

    def call(self, spec: VersionSpec, request: CallRequest) -> Awaitable[CallResult]:
        """The same as something to wait for. Raises Overloaded, IsolationUnavailable or SourceAltered."""
        ...

    async def check(self, spec: VersionSpec, seconds: float) -> CheckResult:
        """Imports the entry module as a worker would, without running `load`."""
        ...

    def states(self) -> list[dict[str, Any]]:
        """Of each version that takes memory here: its workers by state, waiting calls, memory, and how it is started."""
        ...

    async def close(self, drain_seconds: float = 0.0) -> None:
        """Stops every worker, once the calls under way have ended or the time is over."""
        ...
