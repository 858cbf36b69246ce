"""Examples replayed in the sandbox, as calls are: on a candidate, and on the version that it follows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from troth.access.roles import Actor
from troth.contracts.replays import Replay, Reply
from troth.runtime import worker
from troth.runtime.engine import CallRequest, Engine, VersionSpec

if TYPE_CHECKING:
    from troth.registry.build_records import BuildRow


def _nobody() -> None:
    """Nobody is acted for, so calls of others are refused."""


@dataclass(frozen=True, slots=True)
class Run:
    """A version whose examples are run. `origin` makes what the calls within each of them are admitted by."""

    spec: VersionSpec
    origin: Callable[[], Any] = _nobody


#: From who asks, `owner/name` and a build to what runs, in their name.
Acting: TypeAlias = "Callable[[Actor, str, BuildRow], Run]"


class Replaying:
    """Replays examples one after the other; those of one publication have `seconds` together."""

    def __init__(self, engine: Engine, *, seconds: float) -> None:
        self._engine = engine
        self._seconds = seconds

    def deadline(self) -> float:
        """When the replays of a publication that begin now have to be done."""
        return time.monotonic() + self._seconds

    async def replayed(
        self, plan: Sequence[Replay], candidate: Run, followed: Run | None, deadline: float
    ) -> list[Replay]:
        """The same with what both versions replied; what there was no time for stays open.

        Raises Unavailable where a version cannot be run at all.
        """
        done = []
        for replay in plan:
            wanted = [candidate, followed if replay.whose == "followed" else None]
            replies = await asyncio.gather(
                *(self._reply(run, replay.example["input"], deadline) for run in wanted if run is not None)
            )
            done.append(replace(replay, candidate=replies[0], followed=replies[1] if len(replies) > 1 else None))
        return done

    async def _reply(self, run: Run, given: Any, deadline: float) -> Reply | None:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        kind, body = (
            (worker.TEXT, given.encode()) if isinstance(given, str) else (worker.JSON, json.dumps(given).encode())
        )
        result = await self._engine.call(run.spec, CallRequest(kind, body, left, origin=run.origin()))
        found = json.loads(result.body)
        if result.failed:
            return Reply(result.seconds, fault=f"{found['error_type']}: {found['message']}"[:1000])
        return Reply(result.seconds, found)


def spec_of(build: BuildRow) -> VersionSpec:
    """What runs where a build is called by its hash."""
    return VersionSpec(
        id=f"{build.algorithm_id}:{build.hash}:{build.permissions.network_access}",
        algorithm_id=build.algorithm_id,
        hash=build.hash,
        manifest=build.source,
        entry=build.entry,
        environment=build.environment,
        network_access=build.permissions.network_access,
        environment_content=build.environment_content,
    )
