"""Bounds of what one machine runs."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of the local engine. Times are seconds, sizes are bytes."""

    #: calls that may wait for one version
    queue: int = 256
    #: the bodies of all calls that may wait, whatever their version
    queue_bytes: int = 256 << 20
    #: time that a call may wait for a worker
    queue_seconds: float = 60.0
    #: time that a call waits before another worker is started
    scale_seconds: float = 0.05
    #: time that a version may take to load
    load_seconds: float = 60.0
    #: time without a call after which a worker is stopped
    idle_seconds: float = 300.0
    #: time that what was loaded is kept longer than its last worker
    zygote_seconds: float = 1800.0
    #: workers that one version may have
    workers: int = max(2, os.cpu_count() or 1)
    #: workers of all versions
    all_workers: int = 64
    #: versions that may be loaded at the same time
    versions: int = 64
    #: memory of everything that is loaded; 0 for no limit but those above
    memory_bytes: int = 0
    #: size of one result
    result_bytes: int = 64 << 20
