"""What a call adds to scikit-learn's `predict` of one row: p50 over HTTP less p50 inside a process of the same environment."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.section import Findings, Options
from bench.servers import ROOT, TrothServer, published, troth_server
from bench.table import Table, each, met, rounds_of

REQUIREMENTS = "scikit-learn==1.7.2\n"
#: A model, made once when the module is imported, and one row to predict by it.
SOURCE = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

model = LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True))


def apply(row):
    return int(model.predict([row])[0])
"""
#: The same from a loaded process that has no threads, so that it can be forked: its libraries would start one a processor.
ONE_THREAD_SOURCE = f"""
import os

os.environ |= {{"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}}
{SOURCE}"""
ROW = b"[5.1,3.5,1.4,0.2]"
RESULT = b"0"
#: Microseconds that HTTP, both processes and JSON may add.
TARGET_MICROSECONDS = 300.0
#: Predicts for so many seconds whenever it reads a line, and prints the p50 in microseconds.
_INSIDE = """
import json, sys, time
site, source, row = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.path.insert(0, site)
names = {}
exec(open(source).read(), names)
apply, clock = names["apply"], time.perf_counter
for line in sys.stdin:
    spent = []
    deadline = clock() + float(line)
    while (started := clock()) < deadline:
        apply(row)
        spent.append(clock() - started)
    print(sorted(spent)[len(spent) // 2] * 1e6, flush=True)
"""


def measure(options: Options) -> Findings:
    """The difference, round by round, with what it is made of. Raises LoadFailed."""
    options.say("predict: a version with scikit-learn")
    over, inside = [], []
    wrong = 0
    with troth_server() as server:
        version = published(server, "predict", SOURCE, REQUIREMENTS, body=ROW, result=RESULT)
        with _inside(server, "predict") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            options.generator(version.target, 1, 0.5)
            for number in range(options.rounds):
                options.say(f"predict: round {number + 1} of {options.rounds}")
                load = options.generator(version.target, 1, options.seconds)
                process.stdin.write(f"{options.seconds}\n")
                process.stdin.flush()
                inside.append(float(process.stdout.readline()))
                over.append(load.p50)
                wrong += load.wrong
    added = [http - alone for http, alone in zip(over, inside, strict=True)]
    judged = met(statistics.median(added) <= TARGET_MICROSECONDS)
    rows = [
        ["over HTTP", *each(over, 0)],
        ["inside a process", *each(inside, 0)],
        ["what a call adds", *each(added, 0)],
    ]
    note = f"Target: at most {TARGET_MICROSECONDS:g} µs added: {judged}. 1 connection; {wrong} wrong answers."
    title = "scikit-learn, `predict` of one row: p50 in µs"
    return Findings([Table(title, ["", *rounds_of(options.rounds)], rows, note)], wrong)


@contextmanager
def _inside(server: TrothServer, name: str) -> Iterator[subprocess.Popen[str]]:
    """The same function in a process with the version's own libraries and nothing around it."""
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        _INSIDE,
        str(_site(server)),
        str(server.folder / name / "src" / f"{name}.py"),
    ]
    process = subprocess.Popen(
        [*command, ROW.decode()], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _site(server: TrothServer) -> Path:
    """The folder that the server's only environment has its libraries in."""
    return next((server.folder / "home" / "environments").rglob("sklearn")).parent
