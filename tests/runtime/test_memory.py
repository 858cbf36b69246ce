"""Versions that together with what they start use more memory than they may: the kernel ends them at the wall around all of it.

One process alone ends at the limit of its address space, which is as large. So several are needed to come as far as the wall.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.runtime.machine import OBEDIENT, Machine, answer, ask, state, temperature, until
from troth.runtime.engine import CallResult, Outcome, VersionSpec
from troth.runtime.local import LocalEngine

_MEMORY = 256 << 20
#: Fills so much that its own next 150 MiB are beyond the wall, and asks to be the one that is ended then.
_BOMB = """
def filled(count):
    for _ in range(count):
        told, tell = os.pipe()
        if not os.fork():
            block = b"x" * (150 << 20)
            os.write(tell, b"x")
            time.sleep(600)
        assert os.read(told, 1)
    open("/proc/self/oom_score_adj", "w").write("1000")
    return b"x" * (150 << 20)
"""
#: processes beside it that fit behind the wall: it is as wide as all workers and the loaded process may be together
_BESIDE = {"auto": 3, "spawn": 1, "call": 3}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def walled(machine: Machine) -> Machine:
    """A machine where cgroups hold memory."""
    if "memory" not in machine.launcher.groups.abilities:
        pytest.skip("no memory cgroup may be made here")
    return machine


def _told(result: CallResult) -> tuple[Outcome, str, str]:
    found = json.loads(result.body)
    return result.outcome, found["error_type"], found["message"]


_ENDED = (
    Outcome.OUT_OF_MEMORY,
    "OutOfMemoryError",
    "the algorithm used more memory than it may, and its process was ended",
)


@pytest.mark.parametrize("start", _BESIDE)
def test_a_call_that_comes_to_the_wall(walled: Machine, start: str) -> None:
    """It is told so and not tried again, its sandbox ends with all that is in it, and the next call has another."""
    spec, other = walled.version(OBEDIENT + _BOMB, start=start), walled.version()

    async def scene(engine: LocalEngine) -> None:
        await ask(engine, other, "result = 1")
        loaded = await ask(engine, spec, "result = loaded")
        found = await answer(engine, spec, f"filled({_BESIDE[start]})", seconds=60)
        assert _told(found) == _ENDED
        told = await until(lambda: state(engine, spec), "what is said of the version")
        assert told["last_crash"] == _ENDED[2]
        assert await ask(engine, spec, f"result = [calls, loaded != {loaded}]", seconds=60) == [1, True]
        assert await ask(engine, other, "result = calls") == 2

    walled.run(scene, memory=_MEMORY, seconds=180, workers=1)


@pytest.mark.parametrize("start", ["auto", "spawn"])
def test_a_load_that_comes_to_the_wall(walled: Machine, start: str) -> None:
    """Each call that waited for it is told that the version cannot be loaded and why, and the next one has it tried again."""
    code = (
        "import os, time\n"
        + _BOMB
        + f"def load():\n    filled({_BESIDE[start]})\ndef apply(input):\n    return input\n"
    )
    spec, other = walled.version(code, start=start), walled.version()

    async def scene(engine: LocalEngine) -> None:
        await ask(engine, other, "result = 1")
        for _ in range(2):
            found = await asyncio.gather(*(answer(engine, spec, "given", seconds=60) for _ in range(2)))
            assert [_told(one) for one in found] == [(_ENDED[0], "LoadingError", _ENDED[2])] * 2
            await until(lambda: temperature(engine, spec) == "cold", "the end of its sandbox")
        assert await ask(engine, other, "result = calls") == 2

    walled.run(scene, memory=_MEMORY, seconds=180, workers=1, load_seconds=60)


def test_a_process_that_another_of_its_own_was_ended_for(walled: Machine) -> None:
    """Not the worker is ended but what it started: the algorithm goes on, and decides what that means."""
    spec = walled.version(OBEDIENT + _BOMB)
    beside = (
        "pid = os.fork()\n"
        "if not pid:\n"
        "    filled(3)\n"
        "    os._exit(0)\n"
        "result = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"
    )

    async def scene(engine: LocalEngine) -> None:
        assert await ask(engine, spec, beside, seconds=60) == -9

    walled.run(scene, memory=_MEMORY, seconds=180, workers=1)


def test_a_process_that_comes_to_the_end_of_its_address_space(machine: Machine) -> None:
    """Everywhere, with cgroups or without: Python says so, and the worker goes on."""
    spec: VersionSpec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        found = await answer(engine, spec, f"b'x' * {_MEMORY}", seconds=60)
        assert (found.outcome, json.loads(found.body)["error_type"]) == (Outcome.EXCEPTION, "OutOfMemoryError")
        assert await ask(engine, spec, "result = calls") == 2

    machine.run(scene, memory=_MEMORY, seconds=120, workers=1)
