"""From a folder to the first answer: compile, publish and call an algorithm that needs no libraries."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.section import Findings, Options
from bench.servers import BODY, OWNER, troth_server, write_project
from bench.table import Table, met, spread
from troth.sdk import Client

#: Seconds within which the first answer shall come.
TARGET_SECONDS = 2.0
_TIMES = 9


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


def measure(options: Options) -> Findings:
    """Publications of new algorithms, one after the other, on one server that has published before."""
    options.say(f"publish: {_TIMES} algorithms")
    with troth_server() as server, server.client() as client:
        _publish(client, write_project(server.folder, "warm"))
        projects = [write_project(server.folder, f"first{number}") for number in range(_TIMES)]
        found = [_publish(client, project) for project in projects]
    return Findings([_table(found)], sum(not one.right for one in found))


def _table(found: Sequence[FirstAnswer]) -> Table:
    """Seconds from a folder to the first answer."""
    rows = [
        ["compile", *spread([one.compile for one in found])],
        ["publish", *spread([one.publish for one in found])],
        ["first call", *spread([one.call for one in found])],
        ["together", *spread([one.total for one in found])],
    ]
    judged = met(statistics.median(one.total for one in found) <= TARGET_SECONDS)
    return Table(
        "From a folder to the first answer, seconds",
        ["step", "median", "least", "most"],
        rows,
        f"Target: at most {TARGET_SECONDS:g} s together: {judged}. {len(found)} new algorithms without "
        f"dependencies, {sum(not one.right for one in found)} wrong answers.",
    )


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
