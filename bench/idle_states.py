"""How this benchmark brings troth's workers into the states that it measures. All that depends on troth's settings is here."""

from __future__ import annotations

import time

from bench.load import Target, own
from bench.servers import TrothServer

#: Settings of a server whose workers end a moment after their last call, while their zygote stays; none as yet.
ZYGOTE_SETTINGS: dict[str, str] = {}
#: Settings of a server that runs one version in so many workers when calls wait; none as yet.
FOUR_WORKERS_SETTINGS: dict[str, str] = {}
_PATIENCE = 30.0


def idle_to_zygote(server: TrothServer) -> bool:
    """Waits until only zygotes are left of the server's workers; False where this release has no zygotes."""
    return bool(ZYGOTE_SETTINGS) and _until(server, 0)


def worked_up(server: TrothServer, target: Target, workers: int) -> int:
    """Loads a version until it has so many workers, for half a minute at most; how many it has then."""
    deadline = time.monotonic() + (_PATIENCE if FOUR_WORKERS_SETTINGS else 1.0)
    while time.monotonic() < deadline and workers_of(server) < workers:
        own(target, 64, 0.5)
    return workers_of(server)


def workers_of(server: TrothServer) -> int:
    """How many workers a server has, of all versions."""
    with server.client() as client:
        lines = client.metrics().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("troth_workers"))


def _until(server: TrothServer, workers: int) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if workers_of(server) == workers:
            return True
        time.sleep(0.1)
    return False
