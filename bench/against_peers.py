"""Echo of 100 bytes of JSON: troth with one isolated worker against other servers with one worker and their defaults."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import samples
from bench.load import LoadFailed
from bench.peer_servers import PEERS, Peer, running_peer, set_up
from bench.processes import below, proportional_bytes
from bench.samples import Sample
from bench.section import Findings, Options
from bench.servers import TROTH, DidNotStart, EchoServer, troth_echo
from bench.table import Table, each, met, rounds_of

CONNECTIONS = (16, 64)
_WARM_UP = 1.0
_MIB = 1 << 20


@dataclass(slots=True)
class Beside:
    """A peer's samples with those of troth taken beside them, its bytes when it had started, and seconds until then."""

    samples: list[Sample] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)


def measure(options: Options) -> Findings:
    """Ratios, then each server's own figures.

    In every round each peer is started alone beside troth, warmed up, loaded in turn with troth, and stopped. One that fails
    is told, and the others are measured.
    """
    failures: list[str] = []
    folders: dict[Peer, Path] = {}
    for peer in PEERS:
        try:
            folders[peer] = set_up(peer, options.say)
        except DidNotStart as error:
            failures.append(str(error))
    found = {peer.name: Beside() for peer in folders}
    with troth_echo() as troth:
        options.generator(troth.target, 16, min(_WARM_UP, options.seconds))
        for number in range(options.rounds):
            for peer, folder in folders.items():
                options.say(f"peers: round {number + 1} of {options.rounds}, {peer.name}")
                try:
                    _round(peer, folder, troth, found[peer.name], options)
                except (DidNotStart, LoadFailed) as error:
                    failures.append(f"{peer.name}, round {number + 1}: {error}")
    measured = {name: beside for name, beside in found.items() if beside.samples}
    everything = [one for beside in measured.values() for one in beside.samples]
    if not everything:
        return Findings([], 0, failures)
    note = "One worker each, their defaults, access logs off."
    own = samples.table("Peers, echo of 100 bytes of JSON: each server", everything, options.generator_name, note)
    tables = [_ratios(measured), own, _starts(measured)]
    return Findings(tables, samples.wrong_answers(everything), failures)


def _round(peer: Peer, folder: Path, troth: EchoServer, beside: Beside, options: Options) -> None:
    with running_peer(peer, folder) as started:
        server = started.server
        processes = [server.process_id, *below(server.process_id)]
        memory = proportional_bytes(processes)
        with started.reached():
            options.generator(server.target, 16, min(_WARM_UP, options.seconds))
        taken = []
        for connections in CONNECTIONS:
            with started.reached():
                taken.append(samples.sample(server, connections, options.seconds, options.generator))
            taken.append(samples.sample(troth, connections, options.seconds, options.generator))
    beside.samples += taken
    beside.memory.append(memory)
    beside.starts.append(started.seconds)


def _ratios(found: Mapping[str, Beside]) -> Table:
    rounds = max(len(beside.starts) for beside in found.values())
    rows = []
    for peer in PEERS:
        if peer.name not in found:
            continue
        mine = found[peer.name].samples
        for connections in CONNECTIONS:
            values = samples.ratios(mine, TROTH, peer.name, connections, samples.rate)
            by_cost = statistics.median(samples.ratios(mine, peer.name, TROTH, connections, samples.cost))
            target = peer.targets[connections]
            judged = met(statistics.median(values) >= target)
            cells = _padded(each(values, 1), rounds + 1)
            rows.append([f"{peer.name} {peer.version}, {connections}", *cells, f"{target:g}", judged, f"{by_cost:.1f}"])
    everything = [one for beside in found.values() for one in beside.samples]
    return Table(
        "Peers, echo of 100 bytes of JSON: requests a second of troth over those of others",
        ["over, connections", *rounds_of(rounds), "target", "", "by CPU"],
        rows,
        "By CPU: processor time a request of the other server over that of troth, workers included, median. "
        f"{samples.wrong_answers(everything)} wrong answers. {samples.others(everything)}",
    )


def _padded(cells: Sequence[str], width: int) -> list[str]:
    """A row of a peer that failed in some rounds, its median last."""
    return [*cells[:-1], *["-"] * (width - len(cells)), cells[-1]]


def _starts(found: Mapping[str, Beside]) -> Table:
    rows = [
        [name, f"{statistics.median(beside.memory) / _MIB:,.0f}", f"{statistics.median(beside.starts):.1f}"]
        for name, beside in found.items()
    ]
    note = "Memory is the PSS of all its processes after its first right answer, before any load. Medians."
    return Table("Peers: memory and start", ["server", "idle MiB", "seconds to the first answer"], rows, note)
