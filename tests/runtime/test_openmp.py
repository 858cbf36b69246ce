"""Versions that compute in parallel with OpenMP before they are forked: a fork has none of the threads that it would wait for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.runtime.machine import OBEDIENT, Machine, ask, state
from troth.runtime.local import LocalEngine

#: a small wheel that brings GNU's OpenMP library with it, as those of scikit-learn and torch do
_WHEEL = "pykdtree==1.4.3"
#: The library is called as compiled code calls it, so that it has so many threads whatever the machine has.
_PARALLEL = """
import ctypes, glob
_gomp = ctypes.CDLL(glob.glob("/environment/*.libs/libgomp*")[0])
_region = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def parallel(threads):
    ran = []
    _gomp.GOMP_parallel(_region(lambda _: ran.append(1)), None, threads, 0)
    return len(ran)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openmp") / "site"
    command = [
        find_uv_bin(),
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--target",
        str(folder),
        _WHEEL,
    ]
    subprocess.run(command, check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.mark.parametrize(("threads", "start"), [(2, "spawn"), (1, "fork")])
@pytest.mark.parametrize("when", ["load", "import"])
def test_parallel_before_the_fork_and_in_it(machine: Machine, site: Path, when: str, threads: int, start: str) -> None:
    """It answers, in parallel, whichever way its workers are made; which one is as it has to be."""
    before = f"assert parallel({threads}) == {threads}"
    code = _PARALLEL + (
        OBEDIENT.replace("    loaded =", f"    {before}\n    loaded =") if when == "load" else before + OBEDIENT
    )
    spec = machine.version(code, site=site)

    async def scene(engine: LocalEngine) -> None:
        for _ in range(2):
            assert await ask(engine, spec, f"result = parallel({threads})", seconds=60) == threads
        told = state(engine, spec)
        assert told is not None
        assert told["start"] == start
        assert ("2 threads" in told["no_forks"]) == (start == "spawn")

    machine.run(scene, seconds=180)


def test_a_fork_may_begin_to_compute_in_parallel(machine: Machine, site: Path) -> None:
    """Where nothing was parallel before, each fork has threads of its own."""
    spec = machine.version(_PARALLEL + OBEDIENT, site=site)

    async def scene(engine: LocalEngine) -> None:
        for _ in range(2):
            assert await ask(engine, spec, "result = parallel(4)", seconds=60) == 4
        told = state(engine, spec)
        assert told is not None
        assert told["start"] == "fork"

    machine.run(scene, seconds=180)
