"""Workers: forks of a loaded version and what stands in for them, how many there are and when, and how they end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.machine import OBEDIENT, Machine, answer, ask, state, temperature, until
from troth.errors import QueueDeadline, QueueFull
from troth.runtime import local, zygote
from troth.runtime.engine import Outcome, VersionSpec
from troth.runtime.local import LocalEngine

_WHO = "meet(3); result = [loaded, os.getpid(), random.random(), str(uuid.uuid4()), os.urandom(8).hex(), len(os.listdir('/proc'))]"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that looks often at what is idle."""
    monkeypatch.setattr(local, "_TENDING", 0.05)


async def _at_once(engine: LocalEngine, spec: VersionSpec, code: str, count: int) -> list[Any]:
    return list(await asyncio.gather(*(ask(engine, spec, code) for _ in range(count))))


# --- forks


def test_forks_share_what_was_loaded_and_differ_otherwise(machine: Machine) -> None:
    spec = machine.version()

    async def scene(engine: LocalEngine) -> list[Any]:
        found = await _at_once(engine, spec, _WHO, 3)
        told = state(engine, spec)
        assert told is not None
        assert (told["start"], told["no_forks"]) == ("fork", "")
        assert sum(told["workers"].values()) == 3
        return found

    loaded, pids, *random = zip(*machine.run(scene), strict=True)
    assert len(set(loaded)) == 1
    assert len(set(pids)) == 3
    for numbers in random[:3]:
        assert len(set(numbers)) == 3


def test_libraries_of_random_numbers_are_seeded_anew(machine: Machine) -> None:
    """Those that do not see to it themselves, as numpy does not."""
    library = "import os\nstate = 1\ndef seed(): global state; state = os.getpid()\n"
    spec = machine.version(
        "import numpy.random\n" + OBEDIENT, libraries={"numpy/__init__.py": "", "numpy/random.py": library}
    )
    code = "import numpy.random; result = numpy.random.state == os.getpid()"
    assert machine.run(lambda engine: ask(engine, spec, code)) is True


def test_a_hook_runs_in_each_fork(machine: Machine) -> None:
    spec = machine.version(OBEDIENT + "def after_fork():\n    global hooked\n    hooked = os.getpid()\n")
    code = "meet(3); result = hooked == os.getpid()"
    assert machine.run(lambda engine: _at_once(engine, spec, code, 3)) == [True] * 3


_UNFORKABLE = {
    "a thread": ("import threading; threading.Thread(target=time.sleep, args=[600], daemon=True).start()", "2 threads"),
    "threads of C": (
        "import ctypes; libc = ctypes.CDLL(None); made = ctypes.c_ulong()\n"
        "    for _ in range(3): libc.pthread_create(ctypes.byref(made), None, libc.pause, None)", "4 threads"),
    "a process": ("import subprocess; subprocess.Popen(['/bin/sleep', '600'])", "process"),
    "a hook that raises": ("pass", "no connection after the fork"),
    "a lock that forks never get": (
        "import threading; lock = threading.Lock(); lock.acquire(); os.register_at_fork(after_in_child=lock.acquire)",
        "not ready within 0.5 seconds"),
    "an end at each fork": ("os.register_at_fork(after_in_child=lambda: os._exit(7))", "exited with code 7"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), _UNFORKABLE.values(), ids=_UNFORKABLE)
def test_what_cannot_be_forked_is_loaded_for_each_worker(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    """The calls are answered, at once where several come, and the reason can be seen."""
    monkeypatch.setattr(zygote, "_CANARY_PATIENCE", 0.5 if "0.5" in said else 60.0)
    loads = OBEDIENT.replace("    loaded = time.time_ns()", f"    loaded = time.time_ns()\n    {code}")
    if "hook" in said or "connection" in said:
        loads += "def after_fork():\n    raise OSError('no connection after the fork')\n"
    spec = machine.version(loads)

    async def scene(engine: LocalEngine) -> None:
        assert await ask(engine, spec, "result = calls") == 1
        assert await ask(engine, spec, "result = calls") == 2
        told = state(engine, spec)
        assert told is not None
        assert told["start"] == "spawn"
        assert said in told["no_forks"]

    machine.run(scene)


def test_spawned_workers_at_the_same_time(machine: Machine) -> None:
    """Each has a sandbox of its own, in which it was loaded."""
    spec = machine.version(start="spawn")

    async def scene(engine: LocalEngine) -> None:
        first = await ask(engine, spec, "time.sleep(0.1); result = loaded")  # slow: nothing is put behind the next
        busy = answer(engine, spec, "time.sleep(600)", seconds=600)
        assert await ask(engine, spec, "result = loaded") != first
        assert not busy.done()
        busy.cancel()

    machine.run(scene)


def test_a_fork_for_each_call(machine: Machine) -> None:
    spec = machine.version(start="call")

    async def scene(engine: LocalEngine) -> list[Any]:
        found = [await ask(engine, spec, "result = [calls, loaded, os.getpid()]") for _ in range(4)]
        found += await _at_once(engine, spec, "result = [calls, loaded, os.getpid()]", 8)
        told = state(engine, spec)
        assert told is not None
        assert told["start"] == "call"
        return found

    calls, loaded, pids = zip(*machine.run(scene), strict=True)
    assert set(calls) == {1}
    assert len(set(loaded)) == 1
    assert len(set(pids)) == 12


# --- how many, and when


@pytest.mark.usefixtures("quick")
def test_more_workers_under_slow_calls_and_fewer_when_idle(machine: Machine) -> None:
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        times = await _at_once(engine, spec, "a = time.monotonic(); meet(3); result = [a, time.monotonic()]", 3)
        assert max(start for start, _ in times) < min(end for _, end in times)
        await until(lambda: temperature(engine, spec) == "warm", "no worker")

    machine.run(scene, workers=3, idle_seconds=0.2)


def test_a_slow_call_of_a_quick_version(machine: Machine) -> None:
    """Calls are not put behind it, where nobody knew that it would be slow: it ends only when another was answered."""
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        for _ in range(10):
            await ask(engine, spec)
        slow = answer(
            engine, spec, "open('/tmp/slow', 'w'); wait(lambda: os.path.exists('/tmp/quick')); result = 'slow'"
        )
        await asyncio.sleep(0.1)
        code = "open('/tmp/quick', 'w'); result = 'quick'"
        assert set(await asyncio.gather(*(ask(engine, spec, code) for _ in range(5)))) == {"quick"}
        assert json.loads((await slow).body) == "slow"

    machine.run(scene, workers=2)


def test_no_more_workers_than_a_version_may_have(machine: Machine) -> None:
    spec = machine.version(workers=2)

    async def scene(engine: LocalEngine) -> int:
        return len(set(await _at_once(engine, spec, "time.sleep(0.1); result = os.getpid()", 12)))

    assert machine.run(scene, workers=4) == 2


@pytest.mark.usefixtures("quick")
def test_hot_warm_and_cold(machine: Machine) -> None:
    """What is loaded outlives its workers, for a while; a version can be called in every state."""
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        loaded = await ask(engine, spec, "result = loaded")
        assert temperature(engine, spec) == "hot"
        await until(lambda: temperature(engine, spec) == "warm", "a warm version")
        assert await ask(engine, spec, "result = [calls, loaded]") == [1, loaded]
        engine.limits = replace(engine.limits, zygote_seconds=0.0)
        await until(lambda: temperature(engine, spec) == "cold", "a cold version")
        await until(lambda: not engine._zygotes, "the end of its sandbox")
        assert await ask(engine, spec, "result = loaded") != loaded

    machine.run(scene, idle_seconds=0.2, zygote_seconds=3600.0)


@pytest.mark.usefixtures("quick")
def test_a_version_that_is_kept_warm(machine: Machine) -> None:
    spec, other = machine.version(), machine.version()

    async def scene(engine: LocalEngine) -> None:
        engine.keep(spec)
        await until(lambda: temperature(engine, spec) == "hot", "a worker that nobody called")
        await ask(engine, other)
        await until(lambda: temperature(engine, other) == "cold", "the end of another version")
        assert temperature(engine, spec) == "hot"
        assert await ask(engine, spec, "result = calls") == 1
        engine.release(spec.id)
        await until(lambda: temperature(engine, spec) == "cold", "the end of what is kept no longer")

    machine.run(scene, idle_seconds=0.1, zygote_seconds=0.2)


def test_what_was_called_least_lately_makes_room(machine: Machine) -> None:
    specs = [machine.version() for _ in range(5)]

    async def scene(engine: LocalEngine) -> None:
        for number in (0, 1, 2, 0, 3):
            await ask(engine, specs[number])
        assert [one["id"] for one in engine.states()] == [specs[number].id for number in (0, 2, 3)]
        await ask(engine, specs[4])
        assert {one["id"] for one in engine.states()} == {specs[number].id for number in (0, 3, 4)}
        assert await ask(engine, specs[1], "result = calls") == 1

    machine.run(scene, versions=3)


def test_workers_of_all_versions(machine: Machine) -> None:
    """A version that needs a worker gets one, for which idle ones of others go."""
    specs = [machine.version() for _ in range(3)]

    async def scene(engine: LocalEngine) -> None:
        for spec in specs:
            await ask(engine, spec, "time.sleep(0.1)")
            assert sum(sum(one["workers"].values()) for one in engine.states()) <= 2
        assert [temperature(engine, spec) for spec in specs] == ["warm", "hot", "hot"]
        await _at_once(engine, specs[0], "meet(2); result = 1", 2)
        assert [temperature(engine, spec) for spec in specs] == ["hot", "warm", "warm"]

    machine.run(scene, all_workers=2)


@pytest.mark.usefixtures("quick")
def test_memory_of_all_versions(machine: Machine) -> None:
    large = OBEDIENT.replace(
        "    loaded =", "    global block; block = bytearray(os.urandom(1 << 20) * 40)\n    loaded ="
    )
    specs = [machine.version(large) for _ in range(3)]

    async def scene(engine: LocalEngine) -> None:
        for spec in specs:
            await ask(engine, spec)
        sizes = [one["memory_bytes"] for one in engine.states()]
        assert min(sizes) > 40 << 20
        engine.limits = replace(engine.limits, memory_bytes=sum(sizes) - (20 << 20))
        await until(lambda: len(engine.states()) == 2, "the end of one version")
        assert [temperature(engine, spec) for spec in specs] == ["cold", "hot", "hot"]
        assert await ask(engine, specs[0], "result = len(block)") == 40 << 20

    machine.run(scene)


def test_many_versions_in_turn(machine: Machine) -> None:
    """All 200 are answered, few are loaded at a time, and the server is as large after them as it was after some."""
    specs = [machine.version(f"def apply(input):\n    return {number}\n") for number in range(200)]

    async def scene(engine: LocalEngine) -> None:
        for first in range(0, 200, 4):  # four at a time, for the machine's sake
            numbers = range(first, first + 4)
            assert await asyncio.gather(*(ask(engine, specs[number]) for number in numbers)) == list(numbers)
            assert len(engine.states()) <= 8
            if first == 40:
                await until(lambda: len(engine._zygotes) <= 8, "the end of what was loaded")
                before, files = _proportional(), len(os.listdir("/proc/self/fd"))
        await until(lambda: len(engine._zygotes) <= 8, "the end of what was loaded")
        await until(lambda: len(os.listdir("/proc/self/fd")) <= files + 4, "the end of their links")
        assert _proportional() - before < 16 << 20

    machine.run(scene, versions=8, seconds=600)


def _proportional() -> int:
    """Bytes of this process; what it shares with others counts by its share."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


@pytest.mark.usefixtures("quick")
def test_a_queue_that_is_full_and_one_that_is_slow(machine: Machine) -> None:
    """Both are told apart, and the calls in the queue are answered."""
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        await ask(engine, spec, "time.sleep(0.1)")
        engine.limits = replace(engine.limits, queue=2, queue_seconds=0.2)
        blocker = answer(engine, spec, "time.sleep(600)", seconds=600)
        late = [answer(engine, spec, "result = 'short'") for _ in range(2)]
        with pytest.raises(QueueFull, match="more calls than it can take") as full:
            await engine.call(spec, _request("result = 'one more'"))
        assert full.value.retry_after >= 1
        for one in late:
            with pytest.raises(QueueDeadline) as slow:
                await one
            assert slow.value.retry_after >= 1
        assert not blocker.done()
        blocker.cancel()
        engine.limits = replace(engine.limits, queue_seconds=60.0)
        assert await ask(engine, spec, "result = 'after'") == "after"
        assert engine.waiting_bytes == 0

    machine.run(scene, workers=1)


def _request(code: str) -> Any:
    from troth.runtime import worker
    from troth.runtime.engine import CallRequest

    return CallRequest(worker.TEXT, code.encode(), 10)


# --- ends


def test_an_engine_that_closes_lets_calls_end(machine: Machine) -> None:
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        await ask(engine, spec)
        running = [answer(engine, spec, "time.sleep(0.5); result = 'done'") for _ in range(3)]
        await asyncio.sleep(0.05)
        await engine.close(60)
        assert [json.loads((await one).body) for one in running] == ["done"] * 3
        assert engine.states() == []

    machine.run(scene, workers=2)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("os._exit(3)", Outcome.EXIT),
        ("sys.exit(3)", Outcome.EXIT),
        ("os.kill(os.getpid(), signal.SIGSEGV)", Outcome.SIGNAL),
        ("os.kill(0, signal.SIGKILL)", Outcome.SIGNAL),
    ],
)
def test_a_fork_that_ends_leaves_its_siblings_alone(machine: Machine, code: str, outcome: Outcome) -> None:
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        sibling = answer(engine, spec, "meet(2); wait(lambda: os.path.exists('/tmp/go')); result = [loaded, 'alive']")
        dying = answer(engine, spec, f"meet(2)\n{code}")
        ended = await dying
        assert (ended.failed, ended.outcome) == (True, outcome)
        loaded = await ask(engine, spec, "open('/tmp/go', 'w').close(); result = loaded")
        assert json.loads((await sibling).body) == [loaded, "alive"]

    machine.run(scene, workers=2)


def test_calls_behind_one_that_exits_are_begun_by_another(machine: Machine) -> None:
    """A worker that says that it ends after an answer has not begun the next, so that one is not lost."""
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        for _ in range(10):
            await ask(engine, spec)  # quick calls lie in the worker's own line
        calls = [
            answer(engine, spec, f"sys.exit({number})" if number % 3 == 0 else f"result = {number}")
            for number in range(9)
        ]
        for number, found in enumerate(await asyncio.gather(*calls)):
            said = json.loads(found.body)
            if number % 3 == 0:
                assert said["message"] == f"the algorithm's process exited with code {number}"
            else:
                assert said == number

    machine.run(scene, workers=1)


def test_a_fork_that_ends_what_it_came_from(machine: Machine) -> None:
    """Every call of that sandbox ends with an error, and the next one starts anew."""
    spec = machine.version()

    async def scene(engine: LocalEngine) -> None:
        loaded = await ask(engine, spec, "time.sleep(0.1); result = loaded")
        sibling = answer(engine, spec, "meet(2); time.sleep(600)")
        killer = answer(engine, spec, "meet(2); os.kill(os.getppid(), signal.SIGKILL); time.sleep(600)")
        for found in (await sibling, await killer):
            assert found.failed
            assert found.outcome in (Outcome.SIGNAL, Outcome.EXIT)
        again = await ask(engine, spec, "result = [calls, loaded]")
        assert again[0] == 1
        assert again[1] != loaded

    machine.run(scene, workers=2)


@pytest.mark.usefixtures("quick")
def test_calls_behind_one_that_takes_all_down(machine: Machine) -> None:
    """They had not begun, and have their whole time to wait for the next worker, however long that takes to load."""
    spec = machine.version(OBEDIENT.replace("    loaded =", "    time.sleep(1)\n    loaded ="))

    async def scene(engine: LocalEngine) -> None:
        for _ in range(10):
            await ask(engine, spec)  # quick calls lie in the worker's own line
        codes = [
            "os.kill(os.getppid(), signal.SIGKILL); time.sleep(600)",
            *(f"result = {number}" for number in range(5)),
        ]
        killer, *others = [answer(engine, spec, code) for code in codes]
        assert (await killer).failed
        assert [json.loads((await one).body) for one in others] == [0, 1, 2, 3, 4]

    machine.run(scene, workers=1)


def test_a_fork_that_lies_to_its_zygote(machine: Machine) -> None:
    """Signals that it can send there do not reach beyond the version."""
    spec, other = machine.version(), machine.version()

    async def scene(engine: LocalEngine) -> None:
        await ask(engine, spec)
        await ask(engine, other)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSTOP):
            found = await answer(
                engine, spec, f"os.kill(os.getppid(), {int(number)}); time.sleep(0.05); result = 1", seconds=3
            )
            assert found.failed or json.loads(found.body) == 1
            assert await ask(engine, other, "result = 'alive'") == "alive"
            if number == signal.SIGSTOP:  # it can start no worker any more, and is ended with its last one
                assert (await answer(engine, spec, "os._exit(3)")).failed
            while (found := await answer(engine, spec, "result = 'again'")).failed:
                # it was with a worker when the signal took effect
                assert found.outcome in (Outcome.SIGNAL, Outcome.EXIT)
            assert json.loads(found.body) == "again"

    machine.run(scene)


@pytest.mark.usefixtures("quick")
def test_a_worker_that_does_not_end(machine: Machine) -> None:
    """A worker that is idle, ignores signals and keeps its link open in another process is gone all the same."""
    spec = machine.version()
    code = (
        "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        "    time.sleep(600)\n"
        "result = 1"
    )

    async def scene(engine: LocalEngine) -> None:
        await ask(engine, spec, code)
        await until(lambda: temperature(engine, spec) == "warm", "the end of the worker")
        await until(lambda: not engine._zygotes or len(_processes_of(engine)) <= 3, "the end of what it started")
        assert await ask(engine, spec, "result = calls") == 1

    machine.run(scene, idle_seconds=0.2)


def _processes_of(engine: LocalEngine) -> list[int]:
    """Every process of the engine's sandboxes."""
    parents = {}
    for line in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(line.parent.name)] = int(line.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [one._confined.pid for one in engine._zygotes if one._confined is not None]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


# --- a machine without files to open


_SCARCE = """
import asyncio, json, resource, sys
from pathlib import Path
from tests.runtime.machine import Machine, answer, ask
from troth.errors import TrothError

machine = Machine(Path(sys.argv[1]))
specs = [machine.version() for _ in range(2)]

async def scene(engine):
    assert await ask(engine, specs[0]) == 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        while True:
            taken.append(open("/dev/null"))
    except OSError:
        pass
    try:
        print("without:", await ask(engine, specs[1]))
    except TrothError as error:
        print("refused:", error.what)
    print("meanwhile:", await ask(engine, specs[0], "result = calls"))
    for one in taken:
        one.close()
    print("again:", await ask(engine, specs[1], "result = calls"))

machine.run(scene)
"""


def test_a_machine_without_files_to_open(tmp_path: Path) -> None:
    """What cannot be started is refused with the reason, what runs goes on, and all is well when there are files again."""
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if os.stat(folder).st_uid == os.getuid() and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", _SCARCE, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=Path(__file__).parents[2],
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr[-3000:]
    assert lines[0].startswith("refused: no worker c"), lines
    assert lines[1:] == ["meanwhile: 2", "again: 1"]
