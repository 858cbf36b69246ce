"""Load at a given rate, whatever becomes of it: requests leave when their time has come, not when an answer came."""

from __future__ import annotations

import select
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.load import Connection, LoadFailed, Target

#: Connections beyond which a request that is due is not sent but counted as late.
MOST_CONNECTIONS = 1024
#: Seconds that the last answers may take.
_PATIENCE = 15.0


@dataclass(slots=True)
class Outcomes:
    """What came of the requests of one load.

    `refused` are answers 503 and 429 with a Retry-After, `bare` those without one; `other` are by their status. `late`
    were never sent, because as many requests as the generator holds waited for their answers.
    """

    seconds: float = 0.0
    sent: int = 0
    right: int = 0
    wrong: int = 0
    refused: int = 0
    bare: int = 0
    late: int = 0
    other: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def goodput(self) -> float:
        """Right answers a second, of those that came before the end."""
        return self.right / self.seconds


def offer(target: Target, rate: float, seconds: float) -> Outcomes:
    """Sends so many requests a second for so many seconds. Raises LoadFailed."""
    run = _Offer(target, rate)
    try:
        run.go(seconds)
    except OSError as error:
        raise LoadFailed(f"port {target.port}: {error}") from error
    finally:
        run.close()
    return run.outcomes


class _Offer:
    """One load."""

    def __init__(self, target: Target, rate: float) -> None:
        self.outcomes = Outcomes()
        self._target = target
        self._request = target.request()
        self._rate = rate
        self._poll = select.epoll()
        self._all: dict[int, Connection] = {}
        self._free: list[Connection] = []
        self._ended = False

    def go(self, seconds: float) -> None:
        started = time.perf_counter()
        due = 0
        while (now := time.perf_counter() - started) < seconds:
            for _ in range(int(now * self._rate) - due):
                due += 1
                self._send()
            self._take(0.001)
        self.outcomes.seconds = now
        self._ended = True
        deadline = time.perf_counter() + _PATIENCE
        while len(self._free) < len(self._all) and time.perf_counter() < deadline:
            self._take(0.1)

    def close(self) -> None:
        for connection in self._all.values():
            connection.socket.close()
        self._poll.close()

    def _send(self) -> None:
        connection = self._free.pop() if self._free else self._new()
        if connection is None:
            self.outcomes.late += 1
            return
        connection.sent = time.perf_counter()
        if connection.socket.send(self._request) != len(self._request):
            raise LoadFailed("a request did not fit into the socket's buffer")
        self.outcomes.sent += 1

    def _new(self) -> Connection | None:
        if len(self._all) >= MOST_CONNECTIONS:
            return None
        connection = Connection(self._target.port)
        self._all[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)
        return connection

    def _take(self, seconds: float) -> None:
        for descriptor, _ in self._poll.poll(seconds):
            connection = self._all[descriptor]
            try:
                data = connection.read()
            except (ConnectionError, LoadFailed):
                self._drop(connection)
                continue
            if data is not None:
                self._count(data, connection)
                self._free.append(connection)

    def _drop(self, connection: Connection) -> None:
        """Lets go of a connection that the server closed; its request, if there was one, has no status."""
        if connection in self._free:
            self._free.remove(connection)
        else:
            self.outcomes.other[0] += 1
        del self._all[connection.socket.fileno()]
        self._poll.unregister(connection.socket)
        connection.socket.close()

    def _count(self, data: bytes, connection: Connection) -> None:
        status = int(data[9:12])
        if status == 200:
            if self._target.expected not in data:
                self.outcomes.wrong += 1
            elif not self._ended:
                self.outcomes.right += 1
                self.outcomes.latencies.append(time.perf_counter() - connection.sent)
        elif status in (429, 503):
            if b"\r\nretry-after: " in data.lower():
                self.outcomes.refused += 1
            else:
                self.outcomes.bare += 1
        else:
            self.outcomes.other[status] += 1
