"""From a folder to the first answer: compile, publish and call an algorithm that needs no libraries."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.servers import BODY, OWNER, troth_server, write_project
from troth.sdk import Client

#: Seconds within which the first answer shall come.
TARGET_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """Seconds that each step of one publication took, and whether the answer was right."""

    compile: float
    publish: float
    call: float
    right: bool

    @property
    def total(self) -> float:
        """Seconds from the start of the compilation to the answer."""
        return self.compile + self.publish + self.call


def measure(times: int, say: Callable[[str], None]) -> list[FirstAnswer]:
    """So many publications of new algorithms, one after the other, on one server that has published before."""
    say(f"publish: {times} algorithms")
    with troth_server() as server, server.client() as client:
        _publish(client, write_project(server.folder, "warm"))
        return [_publish(client, write_project(server.folder, f"first{number}")) for number in range(times)]


def _publish(client: Client, project: Path) -> FirstAnswer:
    value = json.loads(BODY)
    subject = f"{OWNER}/{project.name}"
    started = time.perf_counter()
    commit = client.compile(project)["hash"]
    compiled = time.perf_counter()
    version = client.publish(subject, commit, bump="minor")["version"]
    published = time.perf_counter()
    answer = client.call(f"{subject}/{version}", value)
    answered = time.perf_counter()
    return FirstAnswer(compiled - started, published - compiled, answered - published, answer.result == value)
