"""How this benchmark brings troth's workers into the states that it measures. All that depends on troth's settings is here."""

from __future__ import annotations

import time

from bench.load import Target, own
from bench.servers import TrothServer

#: Settings of a server whose workers end a moment after their last call, while their zygote stays.
ZYGOTE_SETTINGS = {"idle_seconds": "1", "zygote_seconds": "1800"}
#: Settings of a server that runs one version in four workers when calls wait.
#: Calls of a millisecond wait too briefly for one more to be started, unless that is asked for.
FOUR_WORKERS_SETTINGS = {"version_workers": "4", "scale_seconds": "0.001"}
_PATIENCE = 30.0


def idle_to_zygote(server: TrothServer) -> bool:
    """Waits until only zygotes are left of the server's workers; False where that did not come in half a minute."""
    deadline = time.monotonic() + _PATIENCE
    while workers_of(server) and time.monotonic() < deadline:
        time.sleep(0.1)
    return workers_of(server) == 0


def worked_up(server: TrothServer, target: Target, workers: int) -> int:
    """Loads a version until it has so many workers, for half a minute at most; how many it has then."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and workers_of(server) < workers:
        own(target, 64, 0.5)
    return workers_of(server)


def workers_of(server: TrothServer) -> int:
    """How many workers a server has, of all versions."""
    with server.client() as client:
        lines = client.metrics().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("troth_workers"))
