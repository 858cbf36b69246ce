"""Comparing contracts: pairs of schemas with and without the search for a counterexample, and pairs of 1 MB APIs.

Run as `python -m bench.check`: prints one JSON object. A process of its own, so that the memory is the comparing's alone.
Each answer is compared with the label of the pair.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import apis
from bench.section import Findings, Options
from bench.table import Table, met
from troth.contracts.openapi.comparison import compare
from troth.contracts.schema import contained

COLLECTION = Path(__file__).parents[1] / "tests" / "collections" / "schema"
#: Milliseconds of a pair of schemas: the median without the search and with it, and the 95th of a hundred with it.
TARGETS = {"without the search": (2.0, None), "with the search": (15.0, 150.0)}
#: Seconds of a pair of APIs of a megabyte.
TARGET_SECONDS = 5.0
_EVERY = 3
APIS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "one more parameter": (apis.with_one_more_parameter, "compatible"),
    "one narrower field": (apis.with_one_narrower_field, "breaking"),
    "420 more fields": (apis.with_many_more_fields, "compatible"),
    "420 narrower fields": (apis.with_many_narrower_fields, "breaking"),
}


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Milliseconds of the pairs of schemas (median, 95th of a hundred, most), seconds of those of APIs, and the memory.

    All of processor time: comparing waits for nothing, so that it is the same on a busy machine but for its caches.
    """

    pairs: int
    schemas: dict[str, tuple[float, float, float]]
    apis: dict[str, float]
    api_bytes: int
    most_bytes: int
    wrong: int


def measure(options: Options) -> Findings:
    """The figures, measured in a process of its own."""
    options.say("check: comparing schemas and APIs")
    command = [sys.executable, "-m", "bench.check"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True, timeout=900)
    found = Comparisons(**json.loads(done.stdout))
    return Findings([_schemas(found), _apis(found)], found.wrong)


def _schemas(found: Comparisons) -> Table:
    rows = [[name, *(f"{value:.2f}" for value in values)] for name, values in found.schemas.items()]
    told = [f"{median:g} ms {name}: {met(found.schemas[name][0] < median)}" for name, (median, _) in TARGETS.items()]
    late = TARGETS["with the search"][1]
    told.append(f"{late:g} ms for 95 of 100 with it: {met(found.schemas['with the search'][1] < (late or 0))}")
    note = f"Targets: a median under {', '.join(told)}. {found.pairs:,} labelled pairs, {found.wrong} wrong answers in all."
    return Table("A pair of schemas compared, ms of processor time", ["", "median", "95th of 100", "most"], rows, note)


def _apis(found: Comparisons) -> Table:
    rows = [[name, f"{seconds:.2f}", met(seconds < TARGET_SECONDS)] for name, seconds in found.apis.items()]
    note = (
        f"Target: under {TARGET_SECONDS:g} s. Each document has {found.api_bytes / 1e6:.2f} MB as JSON; "
        f"the process took {found.most_bytes / 1e6:,.0f} MB at most."
    )
    return Table(
        "A pair of OpenAPI documents compared, s of processor time", ["what changed", "seconds", "target"], rows, note
    )


def main() -> None:
    lines = [line for path in sorted(COLLECTION.glob("*.ndjson")) for line in path.read_text().splitlines()]
    pairs = [json.loads(line) for line in lines[::_EVERY]]
    schemas: dict[str, tuple[float, float, float]] = {}
    wrong = 0
    for name, search in (("without the search", False), ("with the search", True)):
        spent, mistaken = _compared(pairs, search)
        schemas[name] = (statistics.median(spent), sorted(spent)[len(spent) * 95 // 100], max(spent))
        wrong += mistaken
    old = apis.description()
    text, seconds = json.dumps(old), {}
    for name, (change, label) in APIS.items():
        newer = json.dumps(change(old))
        began = time.process_time()
        wrong += compare(text, newer).answer.value != label
        seconds[name] = time.process_time() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(asdict(Comparisons(len(pairs), schemas, seconds, len(text), most, wrong))))


def _compared(pairs: list[dict[str, Any]], search: bool) -> tuple[list[float], int]:
    """Milliseconds of each pair, and how many answers are not the label."""
    spent, wrong = [], 0
    for pair in pairs:
        began = time.process_time()
        answer = contained(pair["old"], pair["new"], search=search).answer
        spent.append((time.process_time() - began) * 1e3)
        wrong += answer.value != pair["label"]["old_in_new"]
    return spent, wrong


if __name__ == "__main__":
    main()
