"""References resolved in a routing table of 1,000,000 versions of 10,000 algorithms.

Run as `python -m bench.resolution`: builds the table, measures, and prints one JSON object. A process of its own, so that
the memory is the table's alone.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from immutables import Map

from bench.processes import resident_bytes
from bench.section import Findings, Options
from bench.table import Table, met
from troth.calls.routing import AlgorithmRoutes, Caller, Route, RoutingTable, VersionFact, algorithm_routes
from troth.runtime.engine import VersionSpec

ALGORITHMS = 10_000
NUMBERS = [(major, minor, revision) for major in range(4) for minor in range(5) for revision in range(5)]
#: Microseconds that one resolution shall take at most.
TARGET_MICROSECONDS = 5.0
KINDS = ("exact", "M.m", "latest", "latestPrivate", "hash")
_OWNERS = 1_000
_REPETITIONS = 7
_REFERENCES = 50_000
_CHECKED = 20_000
_SEED = 20_240_607

#: Algorithm, kind of reference, index of the version that it is made from, and who asks: 0 owner, 1 member, 2 stranger.
Question = tuple[int, str, int, int]


@dataclass(frozen=True, slots=True)
class Resolutions:
    """The size of the table in versions and bytes, seconds to build it, and microseconds a resolution by kind."""

    versions: int
    table_bytes: int
    build_seconds: float
    #: median, least and most of the repetitions; `mix` is all kinds in random order
    microseconds: dict[str, tuple[float, float, float]]
    checked: int
    wrong: int


def measure(options: Options) -> Findings:
    """The figures, measured in a process of its own."""
    options.say(f"resolution: building a table of {ALGORITHMS * len(NUMBERS):,} versions")
    command = [sys.executable, "-m", "bench.resolution"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True, timeout=600)
    found = Resolutions(**json.loads(done.stdout))
    return Findings([_table_of(found)], found.wrong)


def _table_of(found: Resolutions) -> Table:
    """Microseconds a resolution, and the table's size."""
    rows = [[kind, *(f"{value:.2f}" for value in values)] for kind, values in found.microseconds.items()]
    judged = met(found.microseconds["mix"][0] < TARGET_MICROSECONDS)
    return Table(
        f"Resolution among {found.versions:,} versions, µs",
        ["reference", "median", "least", "most"],
        rows,
        f"Target: under {TARGET_MICROSECONDS:g} µs for the mix: {judged}. The table takes "
        f"{found.table_bytes / 1e6:,.0f} MB and {found.build_seconds:.0f} s to build; {found.checked:,} answers "
        f"checked, {found.wrong} wrong.",
    )


def main() -> None:
    chance = random.Random(_SEED)
    before = resident_bytes()
    started = time.perf_counter()
    table = _table()
    built = time.perf_counter() - started
    size = resident_bytes() - before
    spent = {kind: _timed(table, chance, [kind]) for kind in KINDS}
    spent["mix"] = _timed(table, chance, list(KINDS))
    questions = list(_questions(chance, list(KINDS), _CHECKED))
    wrong = sum(_answer(table, question) != _expected(question) for question in questions)
    print(json.dumps(asdict(Resolutions(ALGORITHMS * len(NUMBERS), size, built, spent, len(questions), wrong))))


def _table() -> RoutingTable:
    """The table as a server would hold it."""
    gc.disable()
    routes = {f"{_owner(algorithm)}/algorithm{algorithm}": _routes(algorithm) for algorithm in range(ALGORITHMS)}
    members = {f"account-{owner}": frozenset([f"member-{owner}"]) for owner in range(_OWNERS)}
    table = RoutingTable(Map(routes), Map(), Map(members))
    gc.enable()
    return table


def _routes(algorithm: int) -> AlgorithmRoutes:
    facts, built = [], {}
    for index, number in enumerate(NUMBERS):
        commit = _hash(algorithm, index)
        facts.append(VersionFact(number, _public(algorithm, number[0]), _route(algorithm, commit, _text(number))))
        built[commit] = _route(algorithm, commit, commit)
    return algorithm_routes(f"account-{algorithm % _OWNERS}", facts, built)


def _route(algorithm: int, commit: str, version: str) -> Route:
    source = f"{commit}{algorithm:024x}"
    spec = VersionSpec(
        id=f"{algorithm}:{commit}:isolated",
        algorithm_id=str(algorithm),
        hash=commit,
        manifest=source,
        entry="src/algorithm.py",
        environment="bare",
        network_access="isolated",
    )
    return Route(version, source, spec, True, False)


def _owner(algorithm: int) -> str:
    return f"owner{algorithm % _OWNERS}"


def _hash(algorithm: int, index: int) -> str:
    """Forty hexadecimal digits, different for each version, spread like those of commits."""
    return f"{((algorithm * len(NUMBERS) + index + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276B) % (1 << 160):040x}"


def _public(algorithm: int, major: int) -> bool:
    """Every tenth algorithm is private; of the others, those with an even number have a private major version 3."""
    return algorithm % 10 != 9 and not (major == 3 and algorithm % 2 == 0)


def _text(number: tuple[int, int, int]) -> str:
    return ".".join(map(str, number))


def _timed(table: RoutingTable, chance: random.Random, kinds: list[str]) -> tuple[float, float, float]:
    """Median, least and most microseconds of a resolution over the repetitions."""
    found = []
    for _ in range(_REPETITIONS):
        asked = [_asked(question) for question in _questions(chance, kinds, _REFERENCES)]
        found.append(_spent(table, asked))
    return statistics.median(found), min(found), max(found)


def _spent(table: RoutingTable, asked: list[tuple[str, str, Caller]]) -> float:
    resolve = table.resolve
    started = time.perf_counter()
    for subject, version, caller in asked:
        resolve(subject, version, caller)
    return (time.perf_counter() - started) / len(asked) * 1e6


def _questions(chance: random.Random, kinds: list[str], count: int) -> Iterator[Question]:
    for _ in range(count):
        yield (
            chance.randrange(ALGORITHMS),
            chance.choice(kinds),
            chance.randrange(len(NUMBERS)),
            chance.randrange(3),
        )


def _asked(question: Question) -> tuple[str, str, Caller]:
    """Subject, version and caller, the texts cut out of a path, so that nothing about them is known beforehand."""
    algorithm, kind, index, who = question
    major, minor, _ = NUMBERS[index]
    versions = {"exact": _text(NUMBERS[index]), "M.m": f"{major}.{minor}", "hash": _hash(algorithm, index)}
    path = f"{_owner(algorithm)}/algorithm{algorithm}/{versions.get(kind, kind)}"
    owner, name, version = path.split("/")
    account = (f"account-{algorithm % _OWNERS}", f"member-{algorithm % _OWNERS}", "stranger")[who]
    return f"{owner}/{name}", version, Caller(account, account, False)


def _answer(table: RoutingTable, question: Question) -> tuple[str, str] | None:
    found = table.resolve(*_asked(question))
    return (found.version, found.spec.hash) if found else None


def _expected(question: Question) -> tuple[str, str] | None:
    """Version and hash that the reference means, worked out by going through all versions of the algorithm."""
    algorithm, kind, index, who = question
    member = who < 2
    if kind == "hash":
        return (_hash(algorithm, index),) * 2 if member else None
    candidates = [number for number in NUMBERS if _meant(kind, number, NUMBERS[index])]
    if kind == "latestPrivate":
        seen = [number for number in candidates if member and not _public(algorithm, number[0])]
    else:
        seen = [number for number in candidates if _public(algorithm, number[0]) or (member and kind == "exact")]
    if not seen:
        return None
    return _text(max(seen)), _hash(algorithm, NUMBERS.index(max(seen)))


def _meant(kind: str, number: tuple[int, int, int], asked: tuple[int, int, int]) -> bool:
    if kind == "exact":
        return number == asked
    return kind != "M.m" or number[:2] == asked[:2]


if __name__ == "__main__":
    main()
