"""What confines processes and what runs versions, with the limits that the settings give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from troth.calls.routing import RoutingTable
from troth.runtime.engine import Loaded, VersionSpec
from troth.runtime.limits import PoolLimits
from troth.runtime.local import LocalEngine
from troth.sandbox.isolation import measure
from troth.sandbox.launcher import EgressRules, Launcher, Limits, find_bubblewrap
from troth.settings import Settings


def launcher_of(settings: Settings) -> Launcher:
    """What confines processes, as the settings say."""
    allow, deny = listed(settings.egress_allow), listed(settings.egress_deny)
    return Launcher(
        worker_uid=settings.worker_uid,
        worker_uids=settings.worker_uids,
        service_uid=settings.service_uid,
        bubblewrap=find_bubblewrap(),
        egress=EgressRules(tuple(allow), tuple(deny)),
    )


def listed(setting: str) -> list[str]:
    """What stands between the commas of a setting."""
    return [one.strip() for one in setting.split(",") if one.strip()]


def local_engine(
    settings: Settings, home: Path, launcher: Launcher, load: Callable[[VersionSpec], Loaded]
) -> LocalEngine:
    """An engine with the limits that the settings give."""
    return LocalEngine(
        launcher,
        measure(launcher, home),
        load,
        limits=PoolLimits(
            queue=settings.queue_calls,
            queue_bytes=settings.queue_bytes,
            queue_seconds=settings.queue_seconds,
            load_seconds=settings.load_seconds,
            scale_seconds=settings.scale_seconds,
            idle_seconds=settings.idle_seconds,
            zygote_seconds=settings.zygote_seconds,
            workers=settings.version_workers or PoolLimits().workers,
            all_workers=settings.workers,
            memory_bytes=settings.warm_memory,
            versions=settings.warm_versions,
            result_bytes=settings.result_bytes,
        ),
        worker_limits=Limits(
            memory_bytes=settings.worker_memory,
            processes=settings.worker_processes,
            temporary_bytes=settings.worker_temporary,
        ),
        trust_authors=settings.trust_authors,
    )


def named_states(engine: LocalEngine, table: RoutingTable) -> list[dict[str, Any]]:
    """An engine's states with `algorithm` and `version`; a build that was never published has its hash."""
    found = engine.states()
    for state in found:
        state["algorithm"], state["version"] = table.name(state.pop("algorithm_id"), state["id"])
    return found
