"""The first call of a version that has no worker: from nothing, and from its zygote."""

from __future__ import annotations

import statistics

from bench import predict
from bench.idle_states import ZYGOTE_SETTINGS, idle_to_zygote
from bench.load import Load, own
from bench.section import Findings, Options
from bench.servers import EchoServer, TrothServer, published, troth_server
from bench.table import Table, met, spread

TRIVIAL, SKLEARN, SKLEARN_ZYGOTE = "trivial, cold", "scikit-learn, cold", "scikit-learn, from its zygote"
#: Milliseconds that the first call may take.
TARGETS = {TRIVIAL: 80.0, SKLEARN: 2000.0, SKLEARN_ZYGOTE: 100.0}


def measure(options: Options) -> Findings:
    """Milliseconds of first calls, as many of each kind as there are rounds, on one server. Raises LoadFailed."""
    options.say(f"cold: {options.rounds} versions of each kind")
    found: dict[str, list[Load]] = {}
    with troth_server(ZYGOTE_SETTINGS) as server:
        trivial = [published(server, f"trivial{number}") for number in range(options.rounds)]
        heavy = [_with_sklearn(server, number, predict.SOURCE) for number in range(options.rounds)]
        found[TRIVIAL] = [_first(version) for version in trivial]
        found[SKLEARN] = [_first(version) for version in heavy]
        forkable = _with_sklearn(server, options.rounds, predict.ONE_THREAD_SOURCE)
        wrong = _first(forkable).wrong
        for _ in range(options.rounds):
            if idle_to_zygote(server):
                found.setdefault(SKLEARN_ZYGOTE, []).append(_first(forkable))
    rows = []
    for kind, target in TARGETS.items():
        spent = [load.p50 / 1e3 for load in found.get(kind, [])]
        if spent:
            rows.append([kind, *spread(spent, 1), f"{target:g}", met(statistics.median(spent) <= target)])
        else:
            rows.append([kind, "-", "-", "-", f"{target:g}", "not measured"])
    wrong += sum(load.wrong for loads in found.values() for load in loads)
    note = (
        "One call each, its connection open before; what was published is in the page cache. A zygote is forked where loading "
        "left one thread; its version tells scikit-learn's libraries to start none (`OPENBLAS_NUM_THREADS`, `OMP_NUM_THREADS`). "
        f"{wrong} wrong answers."
    )
    return Findings([Table("First calls, ms", ["version", "median", "least", "most", "target", ""], rows, note)], wrong)


def _with_sklearn(server: TrothServer, number: int, source: str) -> EchoServer:
    # a line more makes another source
    source += f"\nnumber = {number}\n"
    name = f"predict{number}"
    return published(server, name, source, predict.REQUIREMENTS, body=predict.ROW, result=predict.RESULT)


def _first(version: EchoServer) -> Load:
    """The load of exactly one call."""
    return own(version.target, 1, 0.0, patience=60.0)
