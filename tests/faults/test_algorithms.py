"""Algorithms that raise, hang, crash, flood, lie and pry: each call ends with an answer, and the next one is good."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.wire import (
    JSON,
    PATIENCE,
    PUBLIC,
    TEXT,
    Author,
    author_of,
    call,
    call_error,
    patient,
    pool_of,
    post,
    process_of,
    sandbox_of,
    wait_for,
    wait_for_another,
    wait_for_calls,
    worker_of,
)
from tests.server import RunningServer, running_server
from troth.errors import CallFailed, NotFound, Overloaded
from troth.runtime import worker
from troth.runtime.engine import CallRequest, CallResult
from troth.sdk import Answer

#: Workers see the installation of the interpreter that runs them, read-only, at its own place.
_INTERPRETER = Path(os.path.realpath(sys.base_prefix))
#: Runs what it is given, so that one algorithm can misbehave in every way.
_OBEDIENT = """
import asyncio, ctypes, math, os, signal, socket, struct, subprocess, sys, threading, time
calls = 0
def apply(input):
    global calls
    calls += 1
    scope = {**globals(), **input}
    exec(input["do"], scope)
    return scope.get("result")
"""


@pytest.fixture(scope="module")
def obedient(author: Author) -> str:
    """The reference of an algorithm that does what it is told."""
    return author.publish(_OBEDIENT, permissions={**PUBLIC, "source_visibility": "closed"})


@pytest.fixture(autouse=True)
def _nothing_lost(author: Author, echo: str, obedient: str) -> Iterator[None]:
    """After each fault the same algorithm is answered again, and another one too."""
    yield
    assert author.call(obedient, {"do": "result = 'good'"}) == "good"
    assert author.call(echo, "still here") == "still here"


def _do(author: Author, reference: str, code: str, **how: Any) -> httpx2.Response:
    """The reply of the obedient algorithm to some code; what is not an option of the call is handed to the code."""
    options = {name: how.pop(name) for name in ("timeout", "stdout", "output", "key") if name in how}
    body = json.dumps({"do": code, **how}).encode()
    return call(author.server, reference, body, **{"key": author.key, **options})


def _descendants(process: int) -> set[int]:
    """All processes below one, as this machine numbers them."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    waiting = [process]
    while waiting:
        above = waiting.pop()
        below = {pid for pid, parent in parents.items() if parent == above}
        waiting += below - found
        found |= below
    return found


def _alive(processes: set[int]) -> set[int]:
    """Those that still run; what only waits to be buried by its parent does not."""
    found = set()
    for pid in processes:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            found.add(pid)
    return found


# --- raising


_RAISING = {
    "an exception": ("raise ValueError('bad value')", "AlgorithmError", "bad value"),
    "without a message": ("raise KeyError", "AlgorithmError", "KeyError"),
    "a listed type by name": (
        "class InputError(Exception): pass\nraise InputError('bad input')", "InputError", "bad input"),
    "a listed type by attribute": (
        "error = ValueError('no'); error.error_type = 'UnsupportedError'\nraise error", "UnsupportedError", "no"),
    "a type that is not listed": (
        "error = ValueError('no'); error.error_type = 'TimeoutError'\nraise error", "AlgorithmError", "no"),
    "a type of the platform's": ("class SystemError(Exception): pass\nraise SystemError('no')", "AlgorithmError", "no"),
    "a type that cannot be compared": (
        "error = ValueError('no'); error.error_type = []\nraise error", "AlgorithmError", "no"),
    "a type that raises": (
        "class Odd(Exception):\n    @property\n    def error_type(self): raise RuntimeError\nraise Odd('no')",
        "AlgorithmError", "no"),
    "words that raise": (
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError\nraise Odd", "AlgorithmError", "Odd"),
    "words that are none": (
        "class Odd(Exception):\n    def __str__(self): return 7\nraise Odd", "AlgorithmError", "Odd"),
    "half a pair": ("raise ValueError('a\\ud800b')", "AlgorithmError", "a?b"),
    "a null": ("raise ValueError('a\\0b')", "AlgorithmError", "a\0b"),
    "an interrupt": ("raise KeyboardInterrupt", "AlgorithmError", "KeyboardInterrupt"),
    "a generator's end": ("raise GeneratorExit", "AlgorithmError", "GeneratorExit"),
    "a cancellation": ("raise asyncio.CancelledError('stop')", "AlgorithmError", "stop"),
    "a base exception": ("class Odd(BaseException): pass\nraise Odd('base')", "AlgorithmError", "base"),
    "a group": ("raise ExceptionGroup('many', [ValueError(1), KeyError(2)])", "AlgorithmError", "many (2 sub-exceptions)"),
    "not enough memory": ("bytearray(1 << 40)", "OutOfMemoryError", "MemoryError"),
    "memory by hand": ("raise MemoryError('all gone')", "OutOfMemoryError", "all gone"),
    "a link that broke": ("raise OSError(9, 'own socket')", "AlgorithmError", "[Errno 9] own socket"),
    "an end of file": ("raise EOFError('own file')", "AlgorithmError", "own file"),
    "the words of a missing key": ("raise ValueError('authorization required')", "AlgorithmError", "authorization required"),
    "the words of a missing algorithm": (
        "raise ValueError('algorithm algo://a/b not found')", "AlgorithmError", "algorithm algo://a/b not found"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "kind", "message"), _RAISING.values(), ids=_RAISING)
def test_apply_raises(author: Author, obedient: str, code: str, kind: str, message: str) -> None:
    before = author.call(obedient, {"do": "result = calls"})
    reply = _do(author, obedient, code)
    assert call_error(reply, kind) == message
    assert reply.headers["troth-version"] == "0.1.0"
    assert author.client.receipt(reply.headers["troth-request"])["outcome"] == (
        "out_of_memory" if kind == "OutOfMemoryError" else "exception"
    )
    assert author.call(obedient, {"do": "result = calls"}) == before + 2  # the same process goes on


@pytest.mark.parametrize("words", ["authorization required", "algorithm algo://a/b not found", "internal error"])
def test_an_algorithms_words_are_not_taken_for_the_servers(author: Author, obedient: str, words: str) -> None:
    """A client that reads the message alone would ask its user for a key that is there."""
    with pytest.raises(CallFailed) as found:
        author.call(obedient, {"do": "raise ValueError(words)", "words": words})
    assert found.value.what == words
    assert found.value.why == "AlgorithmError in version 0.1.0"


def test_endless_recursion(author: Author, obedient: str) -> None:
    assert "recursion" in call_error(_do(author, obedient, "def f(): f()\nf()"), "AlgorithmError")


def test_a_message_that_is_too_long(author: Author, obedient: str) -> None:
    reply = _do(author, obedient, "raise ValueError('x' * (8 << 20))")
    assert len(call_error(reply, "AlgorithmError")) == 64 * 1024
    assert len(reply.content) < 300_000


def test_raising_with_raw_output(author: Author, obedient: str) -> None:
    """Every 2xx body is a result there, so that an error must not be one."""
    for code, kind in (("raise ValueError('no')", "AlgorithmError"), ("os._exit(3)", "SystemExit")):
        call_error(_do(author, obedient, code, output="raw"), kind, status=400)


def test_raising_where_nobody_listens(author: Author, obedient: str) -> None:
    for code, outcome in (
        ("raise ValueError('no')", "exception"),
        ("result = {1}", "exception"),
        ("sys.exit(4)", "exit"),
    ):
        reply = _do(author, obedient, code, output="void")
        assert reply.status_code == 200
        assert reply.json()["async"] is True
        request = reply.json()["request_id"]
        _wait_for_outcome(author, request, outcome)


def _wait_for_outcome(author: Author, request: str, outcome: str) -> None:
    def found() -> bool:
        reply = post(author.server, f"/api/v1/receipts/{request}", method="GET", key=author.key)
        return bool(reply.json().get("outcome") == outcome)

    wait_for(found, f"a receipt that says {outcome}")


@pytest.mark.parametrize("openness", ["open", "closed"])
def test_who_sees_the_stack(server: RunningServer, author: Author, openness: str) -> None:
    """Members of the owner always, others where the source is open."""
    code = "def apply(input):\n    secret = 1\n    raise ValueError('no')\n"
    reference = author.publish(code, permissions={**PUBLIC, "source_visibility": openness})
    stranger, _ = server.account("stranger")
    for key, shown in (
        (author.key, True),
        (server.keys[stranger], openness == "open"),
        (server.owner_key, openness == "open"),
    ):
        reply = call(server, reference, b"1", key=key)
        assert call_error(reply, "AlgorithmError") == "no"
        found = reply.json()["error"]
        assert ("stacktrace" in found) is ("stack_trace" in found) is shown
        if shown:
            assert found["stacktrace"] == found["stack_trace"]
            assert "line 3, in apply" in found["stacktrace"]
            assert "raise ValueError('no')" in found["stacktrace"]
            assert "worker.py" not in found["stacktrace"]
        else:
            assert "line 3" not in reply.text
            assert "/algorithm" not in reply.text


def test_strangers_see_no_output(server: RunningServer, author: Author, obedient: str) -> None:
    stranger, _ = server.account("stranger")
    for code in ("print('private')", "print('private')\nraise ValueError('no')"):
        for key, shown in ((author.key, True), (server.keys[stranger], False), (server.owner_key, False)):
            reply = _do(author, obedient, code, stdout="true", key=key)
            assert ("stdout" in reply.json()["metadata"]) is shown
            assert ("private" in reply.text) is shown


# --- ending without an answer


_ENDING = {
    "os._exit": ("os._exit(3)", "exited with code 3"),
    "os._exit with nothing": ("os._exit(0)", "exited with code 0"),
    "os._exit with much": ("os._exit(200)", "exited with code 200"),
    "sys.exit": ("sys.exit(4)", "exited with code 4"),
    "sys.exit with nothing": ("sys.exit()", "exited with code 0"),
    "sys.exit with words": ("sys.exit('words')", "exited with code 1"),
    "sys.exit with a truth": ("sys.exit(not False)", "exited with code 1"),
    "sys.exit with a falsehood": ("sys.exit(not True)", "exited with code 0"),
    "sys.exit below nothing": ("sys.exit(-1)", "exited with code"),
    "sys.exit with a shell's number": ("sys.exit(130)", "exited with code 130"),
    "sys.exit with too much": ("sys.exit(2 ** 70)", "exited with code"),
    "sys.exit with more than can be written": ("sys.exit(10 ** 5000)", "exited with code"),
    "quit": ("raise SystemExit(5)", "exited with code 5"),
    "a segmentation fault": ("ctypes.string_at(0)", "killed by signal SIGSEGV"),
    "an abort": ("os.abort()", "killed by signal SIGABRT"),
    "SIGKILL to itself": ("os.kill(os.getpid(), signal.SIGKILL)", "killed by signal SIGKILL"),
    "SIGTERM to itself": ("os.kill(os.getpid(), signal.SIGTERM)", "killed by signal SIGTERM"),
    "closing every file": ("os.closerange(0, 1000)", "exited with code"),
    "becoming another program": ("os.execv('/bin/true', ['true'])", "exited with code 0"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), _ENDING.values(), ids=_ENDING)
def test_the_process_ends(author: Author, obedient: str, code: str, said: str) -> None:
    """The call hears how, and the next one gets a fresh process."""
    author.call(obedient, {"do": "marked = calls"})
    message = call_error(_do(author, obedient, code), "SystemExit")
    assert message.startswith("the algorithm's process ")
    assert said in message
    assert author.call(obedient, {"do": "result = calls"}) == 1


def test_what_was_printed_before_the_end(author: Author, obedient: str) -> None:
    reply = _do(author, obedient, "print('last words', flush=True); raise ValueError('no')", stdout="true")
    call_error(reply, "AlgorithmError")
    assert reply.json()["metadata"]["stdout"] == "last words\n"


def test_a_call_that_does_not_end(author: Author, obedient: str) -> None:
    """It is ended at its time; the one behind it has its own, and is answered by a fresh process."""
    author.call(obedient, {"do": "marked = calls"})
    pool, process = pool_of(author.server, obedient), process_of(worker_of(author.server, obedient))
    started = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(_do, author, obedient, "while True: pass", timeout=1)
        wait_for_calls(pool, 1)
        second = threads.submit(_do, author, obedient, "result = calls", timeout=60)
        assert call_error(first.result(), "TimeoutError") == "the call took more than 1 seconds"
        assert time.monotonic() - started > 0.9
        assert second.result().json()["result"] == 1
    wait_for(lambda: not _alive({process}), "the end of the process that hung")


def test_a_process_that_stops_itself(author: Author, obedient: str) -> None:
    author.call(obedient, {"do": "marked = calls"})
    call_error(_do(author, obedient, "os.kill(os.getpid(), signal.SIGSTOP)", timeout=1), "TimeoutError")
    assert author.call(obedient, {"do": "result = calls"}) == 1


class _Busy(asyncio.Protocol):
    """Keeps the server's loop busy where it reads, as a large body would."""

    def data_received(self, data: bytes) -> None:
        time.sleep(1.3)


def test_a_call_behind_one_whose_end_was_seen_too_late(author: Author) -> None:
    """However late the server looks: what a worker began is never begun again by another."""
    reference = author.publish(
        "import time\n"
        "def apply(input):\n"
        "    print('begun', input['name'], flush=True)\n"
        "    time.sleep(input['seconds'])\n"
        "    return input['name']\n"
    )
    author.call(reference, {"name": "warm", "seconds": 0})
    loop, pool, old = author.server.loop, pool_of(author.server, reference), worker_of(author.server, reference)
    ours, theirs = socket.socketpair()
    connected = asyncio.run_coroutine_threadsafe(loop.create_unix_connection(_Busy, sock=ours), loop)
    transport, _ = connected.result(PATIENCE)
    with theirs, ThreadPoolExecutor(2) as threads:
        body = json.dumps({"name": "first", "seconds": 0.7}).encode()
        first = threads.submit(call, author.server, reference, body, key=author.key, timeout=1)
        wait_for(lambda: "begun first" in old.printed(), "the first call to begin")
        second = threads.submit(author.client.call, reference, {"name": "second", "seconds": 1})
        wait_for_calls(pool, 2)
        theirs.send(b"x")  # the first call ends in time while the server is busy, and the second begins
        said = first.result().json()
        assert said.get("result") == "first" or said["error"]["error_type"] == "TimeoutError"
        try:
            assert second.result().result == "second"
        except CallFailed as error:
            assert "SIGKILL" in error.what  # it was under way when the worker was ended
        loop.call_soon_threadsafe(transport.close)
    assert author.call(reference, {"name": "then", "seconds": 0}) == "then"
    new = worker_of(author.server, reference)
    wait_for(lambda: "begun then" in new.printed(), "the output of the present worker")
    printed = old.printed() + (new.printed() if new is not old else "")
    assert printed.count("begun first\n") == 1
    assert printed.count("begun second\n") == 1


# --- a worker killed from outside


_BEGINS = (
    "import time\n"
    "def apply(input):\n"
    "    print('begun', input, flush=True)\n"
    "    if input == 'blocker':\n"
    "        time.sleep(600)\n"
    "    return input\n"
)


def test_a_worker_killed_in_mid_call(author: Author) -> None:
    """The call under way hears it; those behind it, in the worker or not, are answered, and none is run twice."""
    reference = author.publish(_BEGINS)
    author.call(reference, "warm")
    pool, old = pool_of(author.server, reference), worker_of(author.server, reference)
    names = [f"call{number}" for number in range(24)]
    others: list[Future[Answer]] = []
    with ThreadPoolExecutor(len(names) + 1) as threads:
        blocked = threads.submit(author.client.call, reference, "blocker")
        wait_for(lambda: "begun blocker" in old.printed(), "the blocker to begin")
        for number, name in enumerate(names):
            others.append(threads.submit(author.client.call, reference, name))
            wait_for_calls(pool, number + 2)
        assert len(old._calls) > 1  # some lie in the worker's own line
        assert len(pool.waiting) > 1  # and some wait for their turn there
        os.killpg(process_of(old), signal.SIGKILL)
        with pytest.raises(CallFailed, match="the algorithm's process was killed by signal SIGKILL") as refusal:
            blocked.result()
        assert refusal.value.why == "SystemExit in version 0.1.0"
        assert [other.result().result for other in others] == names
    new = worker_of(author.server, reference)
    assert new is not old
    wait_for(lambda: names[-1] in new.printed(), "the output of the new worker")
    printed = old.printed() + new.printed()
    for name in ["blocker", *names]:
        assert printed.count(f"begun {name}\n") == 1
    assert author.call(reference, "after") == "after"


def test_a_worker_killed_between_calls(author: Author) -> None:
    reference = author.publish(_BEGINS)
    for number in range(5):
        assert author.call(reference, str(number)) == str(number)
        pool, worker = pool_of(author.server, reference), worker_of(author.server, reference)
        os.killpg(process_of(worker), signal.SIGKILL)
        wait_for_another(pool, worker)
    assert author.call(reference, "after") == "after"


def test_workers_killed_again_and_again(author: Author) -> None:
    """Whatever the moment, each call ends once: with its own answer or with an error that says what happened."""
    reference = author.publish("calls = 0\ndef apply(input):\n    global calls\n    calls += 1\n    return input\n")
    author.call(reference, "warm")
    pool = pool_of(author.server, reference)
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(0.05):
            for old in pool.workers[:1]:
                try:
                    os.killpg(process_of(old), signal.SIGKILL)
                except (ProcessLookupError, FileNotFoundError):
                    pass

    def ask(number: int) -> bool:
        try:
            assert author.call(reference, number) == number
            return True
        except CallFailed as error:
            assert "killed by signal SIGKILL" in error.what
            return False

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(8) as threads:
            answered = list(threads.map(ask, range(150)))
    finally:
        stop.set()
        killer.join()
    assert answered.count(True) > 0
    wait_for(lambda: ask(150), "a call that nobody disturbs")


# --- loading


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    """An author on a server that gives versions little time to load."""
    folder = tmp_path_factory.mktemp("hasty")
    with running_server(folder / "home", load_seconds=5.0) as server, author_of(server, folder) as found:
        yield found


_LOADING = {
    "raises": ("raise ValueError('no model')", "no model"),
    "exits politely": ("raise SystemExit('not today')", "not today"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "takes all memory": ("bytearray(1 << 40)", "MemoryError"),
    "says something first": ("import os; print('cannot find weights', flush=True); os._exit(5)", "cannot find weights"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), _LOADING.values(), ids=_LOADING)
def test_load_fails(server: RunningServer, author: Author, code: str, said: str) -> None:
    """The build is good, since it loads nothing; every call hears why, and the next call tries anew."""
    reference = author.publish(f"def load():\n    {code}\ndef apply(input):\n    return input\n")
    stranger, _ = server.account("stranger")
    for key in (author.key, server.keys[stranger], author.key):
        reply = call(server, reference, b"1", key=key)
        assert said in call_error(reply, reply.json()["error"]["error_type"])
        assert reply.json()["error"]["error_type"] in ("LoadingError", "InputError", "OutOfMemoryError")
        if key != author.key:
            assert "stacktrace" not in reply.json()["error"]
    if "exit" not in said and "SIG" not in said:
        assert reply.json()["error"]["stacktrace"]


def test_many_calls_of_what_cannot_be_loaded(author: Author) -> None:
    reference = author.publish(
        "import time\ndef load():\n    time.sleep(0.2)\n    raise ValueError('no model')\ndef apply(input):\n    pass\n"
    )
    with ThreadPoolExecutor(10) as threads:
        replies = list(threads.map(lambda n: call(author.server, reference, b"1", key=author.key), range(10)))
    assert [call_error(reply, "LoadingError") for reply in replies] == ["no model"] * 10


def test_load_hangs(hasty: Author) -> None:
    reference = hasty.publish("import time\ndef load():\n    time.sleep(600)\ndef apply(input):\n    return input\n")
    good = hasty.publish()
    started = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        hanging = [threads.submit(call, hasty.server, reference, b"1", key=hasty.key) for _ in range(3)]
        assert hasty.call(good, "meanwhile") == "meanwhile"
        for waiting in hanging:
            assert call_error(waiting.result(), "LoadingError") == "loading took more than 5 seconds"
    assert time.monotonic() - started > 4.9
    assert hasty.call(good, "afterwards") == "afterwards"


@pytest.mark.clause("ALG-22")
def test_an_import_that_hangs(hasty: Author, tmp_path: Path) -> None:
    """The build fails, and says so; the same author builds on."""
    algorithm, commit = hasty.build()
    project = hasty.folder / algorithm.split("/")[1]
    (project / "src" / f"{algorithm.split('/')[1]}.py").write_text("print('so far')\nwhile True: pass\n")
    built = hasty.client.compile(project)
    assert built["status"] == "failed"
    assert "loading took more than 5 seconds" in built["log"]
    assert "so far" in built["log"]
    with pytest.raises(NotFound, match="the build of that hash is failed"):
        hasty.call(f"{algorithm}/{built['hash']}")
    assert hasty.call(f"{algorithm}/{commit}", "the earlier build") == "the earlier build"


def test_state_that_load_gave(author: Author) -> None:
    reference = author.publish(
        "def load():\n    return ['loaded']\ndef apply(input, state):\n    state.append(input)\n    return state\n"
    )
    assert author.call(reference, 1) == ["loaded", 1]
    assert author.call(reference, 2) == ["loaded", 1, 2]


# --- results


@pytest.mark.parametrize(
    ("code", "kind", "result"),
    [
        ("result = None", "json", None),
        ("result = 7", "json", 7),
        ("result = 1.5", "json", 1.5),
        ("result = -0.0", "json", -0.0),
        ("result = 10 ** 30", "json", 10**30),
        ("result = True", "json", True),
        ("result = ''", "text", ""),
        ("result = 'grün\\0\\u2028\\U0001f642\\\\\"'", "text", 'grün\0\u2028🙂\\"'),
        ("result = b'\\x00\\xff'", "binary", "AP8="),
        ("result = bytearray()", "binary", ""),
        ("result = memoryview(b'ab')", "binary", "YWI="),
        ("result = [1, 'a', None, {'b': []}]", "json", [1, "a", None, {"b": []}]),
        ("result = (1, 2)", "json", [1, 2]),
        ("result = {1: 2, None: 3, True: 4}", "json", {"1": 4, "null": 3}),
        ("result = {'error': 'not one'}", "json", {"error": "not one"}),
        ("result = type('Text', (str,), {})('sub')", "text", "sub"),
    ],
)
def test_results(author: Author, obedient: str, code: str, kind: str, result: object) -> None:
    reply = _do(author, obedient, code)
    assert reply.json()["metadata"]["content_type"] == kind
    assert reply.json()["result"] == result
    raw = _do(author, obedient, code, output="raw")
    assert raw.status_code == 200
    if kind == "json":
        assert raw.headers["content-type"] == JSON
        assert raw.json() == result
    elif kind == "text":
        assert raw.headers["content-type"] == "text/plain; charset=utf-8"
        assert raw.content.decode() == result
    else:
        assert raw.headers["content-type"] == "application/octet-stream"
        assert raw.content == base64.b64decode(str(result))


_UNCARRIABLE = {
    "a set": ("result = {1, 2}", "set"),
    "not a number": ("result = math.nan", "JSON"),
    "not a number, inside": ("result = {'a': [1, math.nan]}", "JSON"),
    "infinity": ("result = [math.inf]", "JSON"),
    "half a pair": ("result = '\\ud800'", "surrogate"),
    "half a pair, inside": ("result = ['\\udfff']", "surrogate"),
    "half a pair, as a key": ("result = {'\\ud800': 1}", "surrogate"),
    "a list in itself": ("result = []; result.append(result)", "ircular"),
    "an object in itself": ("result = {}; result['a'] = [result]", "ircular"),
    "too deep": ("result = []\nfor _ in range(100_000): result = [result]", "recursion"),
    "an object": ("result = object()", "object"),
    "a complex number": ("result = 1j", "complex"),
    "a key that is a tuple": ("result = {(1, 2): 3}", "tuple"),
    "bytes inside": ("result = [b'a']", "bytes"),
    "a generator of such": ("result = (n for n in [1j])", "complex"),
    "a module": ("result = os", "module"),
    "a number too long to write": ("result = 10 ** 5000", "digits"),
    "a list that raises": (
        "class Odd(dict):\n    def items(self): raise RuntimeError('own words')\nresult = Odd(a=1)", "own words"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), _UNCARRIABLE.values(), ids=_UNCARRIABLE)
def test_results_that_cannot_be_carried(author: Author, obedient: str, code: str, said: str) -> None:
    before = author.call(obedient, {"do": "result = calls"})
    assert said in call_error(_do(author, obedient, code), "AlgorithmError")
    assert said in call_error(_do(author, obedient, code, output="raw"), "AlgorithmError", status=400)
    assert author.call(obedient, {"do": "result = calls"}) == before + 3


def test_half_a_pair_that_came_in(server: RunningServer, author: Author, echo: str) -> None:
    """JSON can spell what UTF-8 cannot carry back."""
    message = call_error(call(server, echo, b'"\\ud800"', key=author.key), "AlgorithmError")
    assert "surrogate" in message


# --- output


def test_a_flood_of_output(author: Author, obedient: str) -> None:
    """100 MB, kept to 64 KiB; the server's memory does not grow with it, whether anybody asked for it or not."""
    flood = "block = 'x' * 1048575 + '\\n'\nfor _ in range(100): sys.stdout.write(block)\nresult = 'done'"
    author.call(obedient, {"do": ""})
    for asked in ("false", "true"):
        before = _resident()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        reply = _do(author, obedient, flood, stdout=asked)
        assert reply.json()["result"] == "done"
        assert _resident("VmHWM") - before < 40 << 20
        assert len(reply.content) < 70_000
        if asked == "true":
            printed = reply.json()["metadata"]["stdout"]
            kept, _, said = printed.rpartition("\n... ")
            assert said == f"{(100 << 20) - 65536} more bytes were printed and left out\n"
            assert kept == "x" * 65536


def _resident(what: str = "VmRSS") -> int:
    """Bytes of this process's memory, in which the server runs."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1024


def test_a_flood_that_does_not_end(author: Author, obedient: str) -> None:
    reply = _do(author, obedient, "while True: print('x' * 10000)", timeout=1, stdout="true")
    call_error(reply, "TimeoutError")


@pytest.mark.parametrize("asked", ["true", "True", "TRUE"])
def test_asking_for_output(author: Author, obedient: str, asked: str) -> None:
    """Python's client writes its truths in its own way."""
    reply = _do(author, obedient, "print('out'); print('err', file=sys.stderr)", stdout=asked)
    assert sorted(reply.json()["metadata"]["stdout"].splitlines()) == ["err", "out"]


def test_output_of_calls_at_the_same_time_is_kept_apart(author: Author, obedient: str) -> None:
    def ask(number: int) -> str:
        reply = _do(author, obedient, "print('said', number)", number=number, stdout="true")
        printed: str = reply.json()["metadata"]["stdout"]
        return printed

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(48))) == [f"said {number}\n" for number in range(48)]


def test_output_that_comes_after_the_answer(author: Author, obedient: str) -> None:
    """A server that was busy finds an answer and its output at once, in any order, with the next call waiting.

    The calls are made where the loop has just looked at the link, so that it looks at it first again, and are so large
    that they are sent at once.
    """
    author.call(obedient, {"do": ""})
    engine, spec = author.server.server.engine, pool_of(author.server, obedient).spec

    def made(code: str, *, capture: bool) -> asyncio.Future[CallResult]:
        body = json.dumps({"do": code, "filler": "x" * 150_000}).encode()
        request = CallRequest(worker.JSON, body, PATIENCE, capture=capture)
        return asyncio.ensure_future(engine.call(spec, request))

    async def scene() -> list[CallResult]:
        asked: list[asyncio.Future[CallResult]] = []

        def busy(_: object) -> None:
            asked.extend(made(f"print('said', {number})", capture=True) for number in range(2))
            time.sleep(0.3)

        before = made("", capture=False)
        before.add_done_callback(busy)
        await before
        return list(await asyncio.gather(*asked))

    results = asyncio.run_coroutine_threadsafe(scene(), author.server.loop).result(PATIENCE)
    assert [result.output for result in results] == ["said 0\n", "said 1\n"]


def test_output_that_imitates_the_marks(author: Author, obedient: str) -> None:
    code = (
        "sys.stdout.flush()\n"
        "for n in range(1, 50):\n"
        "    for end in (1, 0):\n"
        "        os.write(1, b'\\x00\\x1etroth-output-%d-%d\\x1e\\x00' % (n, end))\n"
        "print('after')\n"
    )
    reply = _do(author, obedient, code, stdout="true")
    assert reply.status_code == 200
    assert "stdout" in reply.json()["metadata"]
    reply = _do(author, obedient, "print('mine')", stdout="true")
    assert reply.json()["metadata"]["stdout"] == "mine\n"


def test_output_that_is_no_text(author: Author, obedient: str) -> None:
    reply = _do(author, obedient, "os.write(1, b'\\xff\\xfe'); os.write(2, b'err\\x00')", stdout="true")
    assert reply.json()["metadata"]["stdout"] == "\ufffd\ufffderr\x00"


@pytest.mark.parametrize(
    "code", ["sys.stdout.close(); print('x')", "os.close(1); print('x')", "sys.stdout = None; raise ValueError"]
)
def test_printing_to_what_was_closed(author: Author, code: str) -> None:
    """The algorithm fails, not the server; asking for output gives none, and soon."""
    reference = author.publish(_OBEDIENT)
    call_error(_do(author, reference, code), "AlgorithmError")
    assert author.call(reference, {"do": "result = 'quiet'"}) == "quiet"
    reply = _do(author, reference, "result = 'asked'", stdout="true")
    assert reply.json()["result"] == "asked"


def test_reading_from_the_keyboard(author: Author, obedient: str) -> None:
    assert "EOF" in call_error(_do(author, obedient, "import builtins; builtins.input()"), "AlgorithmError")


# --- processes and threads left behind


_LEFT = {
    "a fork": "pid = os.fork()\nif not pid:\n    time.sleep(600)\nresult = 'left'",
    "a program": "subprocess.Popen(['/bin/sleep', '600'])\nresult = 'left'",
    "a program apart": "subprocess.Popen(['/bin/sleep', '600'], start_new_session=True)\nresult = 'left'",
    "an orphan": "if not os.fork():\n    os.setsid()\n    if os.fork(): os._exit(0)\n    time.sleep(600)\nresult = 'left'",
}


@pytest.fixture(scope="module")
def parent(author: Author) -> str:
    """The reference of an algorithm that leaves processes behind; each test ends with the end of its worker."""
    return author.publish(_OBEDIENT)


@pytest.mark.parametrize("code", _LEFT.values(), ids=_LEFT)
def test_a_process_left_behind(author: Author, parent: str, code: str) -> None:
    """It does not disturb later calls, and ends with its worker."""
    reference = parent
    author.call(reference, {"do": ""})
    sandbox = sandbox_of(worker_of(author.server, reference))
    call_error(_do(author, reference, "os._exit(3)"), "SystemExit")
    wait_for(lambda: not pool_of(author.server, reference).workers, "the end of the worker")
    before = _descendants(sandbox)
    assert _do(author, reference, code).json()["result"] == "left"
    assert [author.call(reference, {"do": "result = calls"}) for _ in range(3)] == [2, 3, 4]
    worker = worker_of(author.server, reference)
    family = _descendants(sandbox_of(worker)) - before
    assert len(family) >= 2  # the worker, and what it left behind
    call_error(_do(author, reference, "os._exit(3)"), "SystemExit")
    wait_for(lambda: not _alive(family), "the end of the whole family")


def test_a_process_left_behind_by_a_call_that_was_ended(author: Author, parent: str) -> None:
    reference = parent
    author.call(reference, {"do": ""})
    worker = worker_of(author.server, reference)
    sandbox, process = sandbox_of(worker), process_of(worker)
    before = _descendants(sandbox) - {process}
    call_error(_do(author, reference, _LEFT["an orphan"] + "\nwhile True: pass", timeout=1), "TimeoutError")
    wait_for(lambda: not _alive(_descendants(sandbox) - before), "the end of the whole family")
    assert author.call(reference, {"do": "result = calls"}) == 1


def test_a_fork_of_which_both_return(author: Author, parent: str) -> None:
    """The first answer counts: a child of a worker has no link to answer on."""
    reference = parent
    author.call(reference, {"do": ""})
    before = author.call(reference, {"do": "result = calls"})
    reply = _do(author, reference, "pid = os.fork()\nif not pid: time.sleep(0.2)\nresult = pid")
    assert reply.json()["result"] > 0
    time.sleep(0.5)  # by now the child has tried
    assert author.call(reference, {"do": "result = calls"}) == before + 2


def test_as_many_processes_as_there_may_be(author: Author, echo: str, parent: str) -> None:
    """They end at the limit, and take nothing from other versions."""
    reference = parent
    code = (
        "result = 0\n"
        "try:\n"
        "    for result in range(2000):\n"
        "        if not os.fork(): time.sleep(600)\n"
        "except BlockingIOError: pass\n"
    )
    count = _do(author, reference, code).json()["result"]
    assert 100 < count < 256
    assert author.call(echo, "meanwhile") == "meanwhile"
    other = author.publish(
        "import subprocess\ndef apply(input):\n    return subprocess.run(['/bin/true']).returncode\n"
    )
    assert author.call(other) == 0
    call_error(_do(author, reference, "os._exit(3)"), "SystemExit")


def test_a_thread_left_behind(author: Author, obedient: str) -> None:
    code = "threading.Thread(target=lambda: time.sleep(600), daemon=False).start()\nresult = 'left'"
    assert _do(author, obedient, code).json()["result"] == "left"
    call_error(_do(author, obedient, "sys.exit(4)"), "SystemExit")


_MEDDLING = """
import math, os, struct, sys, time
def apply(input):
    if input == "good":
        return input
    frame = sys._getframe()
    while frame.f_code.co_name != "serve":
        frame = frame.f_back
    link, number = frame.f_locals["link"], frame.f_locals["call"]
    head = struct.Struct("!IIBBd")
    link.sendall(eval(input))
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def lying(author: Author) -> str:
    """The reference of an algorithm that writes on the link between its worker and the server."""
    return author.publish(_MEDDLING)


@pytest.mark.parametrize(
    "frame",
    [
        "b'\\xff' * 100",
        "head.pack(2, number, 9, 0, 0.0) + b'{}'",
        "head.pack(2, number, 0, 0, 0.0) + b'{}'",
        "head.pack(0, number, 5, 0, 0.0)",
        "head.pack(5, number, 6, 0, 0.0) + b'words'",
        "head.pack(0, number, 6, 0, 0.0)",
        "head.pack(2, number, 4, 0, 0.0) + b'[]'",
        "head.pack(5, number, 4, 0, 0.0) + b'words'",
        "head.pack(2, number + 1, 2, 0, 0.0) + b'{}'",
        "head.pack((1 << 32) - 1, number, 2, 0, 0.0)",
        "head.pack(2, number, 2, 0, math.nan) + b'{}'",
        "head.pack(2, number, 2, 0, 0.0) + b'{}'",
    ],
    ids=["noise", "unknown kind", "no kind", "ready again", "a strange exit", "an empty exit", "an error that is a list",
         "an error that is no json", "another call's answer", "a huge answer", "no number of seconds", "an answer before its own"],
)  # fmt: skip
def test_a_process_that_lies_to_the_server(author: Author, lying: str, frame: str) -> None:
    """The caller gets an answer that can be read, and soon; the server outlives it."""
    reference = lying
    author.call(reference, "good")
    worker = worker_of(author.server, reference)
    reply = call(author.server, reference, json.dumps(frame.replace("'", '"')).encode(), key=author.key)
    assert reply.status_code == 200, reply.text
    found = json.loads(reply.content, parse_constant=lambda name: pytest.fail(f"{name} in {reply.text}"))
    assert "metadata" in found
    if "error" in found:
        assert found["error"]["message"]
        assert "NoneType" not in found["error"]["message"], "it found no link to lie on"
    # what was no answer ends it, and so does its own answer behind one that was
    wait_for_another(pool_of(author.server, reference), worker)
    assert author.call(reference, "good") == "good"


# --- limits


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    """An author on a server with small limits."""
    folder = tmp_path_factory.mktemp("tight")
    limits: dict[str, Any] = {"queue_calls": 2, "result_bytes": 20_000, "worker_memory": 256 << 20,
                              "worker_temporary": 8 << 20, "request_bytes": 100_000, "warm_versions": 2}  # fmt: skip
    with running_server(folder / "home", **limits) as server, author_of(server, folder) as found:
        yield found


def test_a_result_that_is_too_large(tight: Author) -> None:
    reference = tight.publish(_OBEDIENT)
    for code in ("result = 'x' * 20_000", "result = b'x' * 15_000", "result = ['x'] * 6000", "result = 'ü' * 10_000"):
        before = tight.call(reference, {"do": "result = calls"})
        message = call_error(_do(tight, reference, code), "TooLargeError")
        assert "bytes, and 20000 are allowed" in message
        assert tight.call(reference, {"do": "result = calls"}) == before + 2
    assert len(tight.call(reference, {"do": "result = 'x' * 19_998"})) == 19_998


def test_an_error_that_is_larger_than_a_result_may_be(tight: Author) -> None:
    """It is the algorithm's own error all the same."""
    reference = tight.publish(_OBEDIENT)
    assert call_error(_do(tight, reference, "raise ValueError('x' * 30_000)"), "AlgorithmError").startswith("xxx")
    assert tight.call(reference, {"do": "result = calls"}) == 2


def test_memory_that_runs_out_slowly(tight: Author) -> None:
    reference = tight.publish(_OBEDIENT)
    for block in ("bytearray(1 << 20)", "'x' * 100 + str(len(kept))"):
        message = call_error(_do(tight, reference, f"kept = []\nwhile True: kept.append({block})"), "OutOfMemoryError")
        assert message
    assert tight.call(reference, {"do": "result = 'good'"}) == "good"


def test_a_temporary_folder_that_is_full(tight: Author) -> None:
    reference = tight.publish(_OBEDIENT)
    fill = "with open('/tmp/full', 'wb') as file:\n    for _ in range(100): file.write(bytes(1 << 20))\n"
    assert "No space left" in call_error(_do(tight, reference, fill), "AlgorithmError")
    assert tight.call(reference, {"do": "os.unlink('/tmp/full'); result = 'good'"}) == "good"


def test_a_body_limit_of_the_operators(tight: Author) -> None:
    reference = tight.publish()
    reply = call(tight.server, reference, b"x" * 100_001, key=tight.key, kind=TEXT)
    assert call_error(reply, "TooLargeError") == "the body is larger than 100000 bytes"
    with patient(tight.server, tight.key) as client, pytest.raises(CallFailed, match="larger than 100000") as refusal:
        client.call(reference, "x" * 200_000)
    assert refusal.value.why


def test_a_queue_that_is_full(tight: Author) -> None:
    """Those beyond it hear so at once, with a time to come back; those in it are answered."""
    reference = tight.publish(_BEGINS)
    tight.call(reference, "warm")
    pool, old = pool_of(tight.server, reference), worker_of(tight.server, reference)
    names: list[str] = []
    with ThreadPoolExecutor(40) as threads:
        blocked = threads.submit(call, tight.server, reference, b"blocker", key=tight.key, kind=TEXT)
        wait_for(lambda: "begun blocker" in old.printed(), "the blocker to begin")
        others = []
        while len(pool.waiting) < 2:  # behind those that the worker holds already
            names.append(f"call{len(names)}")
            others.append(threads.submit(tight.client.call, reference, names[-1]))
            wait_for_calls(pool, len(names) + 1)
        for how in ({}, {"output": "raw"}, {"output": "void"}, {"stdout": "true"}):
            reply = call(tight.server, reference, b"one more", key=tight.key, kind=TEXT, **how)
            message = call_error(reply, status=503)
            assert message.startswith(
                "this version has more calls than it can take: 2 calls wait for this version already"
            )
            assert int(reply.headers["retry-after"]) >= 1
            assert reply.headers["troth-version"] == "0.1.0"
        with pytest.raises(Overloaded) as refusal:
            tight.call(reference, "one more")
        assert refusal.value.repair
        os.killpg(process_of(old), signal.SIGKILL)
        call_error(blocked.result(), "SystemExit")
        assert [other.result().result for other in others] == names
    assert tight.call(reference, "after") == "after"


def test_more_versions_than_are_kept_warm(tight: Author) -> None:
    references = [tight.publish(f"def apply(input):\n    return {number}\n") for number in range(4)]
    for _ in range(2):
        assert [tight.call(reference) for reference in references] == list(range(4))
    assert len([state for state in tight.server.server.engine.states() if state["workers"]]) <= 3


def test_the_way_to_the_server_and_to_nothing_else(author: Author, obedient: str) -> None:
    """An isolated version reaches the server by its socket, where a key is asked for as everywhere."""
    code = (
        "with socket.socket(socket.AF_UNIX) as way:\n"
        "    way.connect('/troth/api.sock')\n"
        "    way.sendall(b'GET %b HTTP/1.1\\r\\nHost: troth\\r\\nConnection: close\\r\\n\\r\\n' % path.encode())\n"
        "    result = b''.join(iter(lambda: way.recv(65536), b'')).decode()\n"
    )
    assert '"status":"ok"' in author.call(obedient, {"do": code, "path": "/health"})
    assert author.call(obedient, {"do": code, "path": "/api/v1/query/keys"}).startswith("HTTP/1.1 401")


def test_a_version_with_a_network_reaches_no_address_of_this_machine(author: Author) -> None:
    """Nor the server, nor metadata: what its proxy refuses is told, and sockets beside it lead nowhere."""
    reference = author.publish(
        "import os, socket, urllib.error, urllib.request\n"
        "for name in ('NO_PROXY', 'no_proxy'): os.environ.pop(name, None)\n"
        "def tried(act):\n"
        "    try:\n"
        "        return act()\n"
        "    except urllib.error.HTTPError as error:\n"
        "        return error.code\n"
        "    except OSError as error:\n"
        "        return type(error).__name__\n"
        "def apply(input):\n"
        "    port = input['port']\n"
        "    by_proxy = [tried(lambda: urllib.request.build_opener(urllib.request.ProxyHandler({'http': os.environ['HTTP_PROXY']}))\n"
        "                .open(f'http://{host}:{port}/health', timeout=5).status)\n"
        "                for host in ('127.0.0.1', '[::1]', '169.254.169.254', 'localhost', '0.0.0.0')]\n"
        "    direct = tried(lambda: socket.create_connection(('127.0.0.1', port), timeout=1))\n"
        "    return by_proxy, direct\n",
        permissions={**PUBLIC, "network_access": "full"},
    )
    port = int(author.server.address.rpartition(":")[2])
    by_proxy, direct = author.call(reference, {"port": port})
    assert by_proxy == [403] * 5
    assert direct == "ConnectionRefusedError"


# --- isolation, seen from inside


def test_the_servers_files_are_not_there(server: RunningServer, author: Author, obedient: str, tmp_path: Path) -> None:
    other, commit = author.build("SECRET = 1\ndef apply(input):\n    return input\n")
    author.call(f"{other}/{commit}", 1)
    (tmp_path / "readable").write_text("by everybody")
    trees = [str(path) for path in (server.home / "trees").iterdir()]
    paths = [str(server.home), str(server.home / "owner.key"), str(server.home / "registry.sqlite"),
             str(server.home / "artifacts"), str(server.home / "repositories"), *trees, str(tmp_path / "readable"),
             str(Path(__file__).parents[2]), "/etc/passwd", "/etc/shadow", "/etc/hostname", "/root", "/home", "/work",
             "/var", "/run", "/sys", "/srv", "/opt", "/boot"]  # fmt: skip
    code = (
        "result = {}\n"
        "for path in paths:\n"
        "    try: result[path] = repr(os.listdir(path)) if os.path.isdir(path) else open(path).read()\n"
        "    except OSError as error: result[path] = type(error).__name__\n"
    )
    assert (server.home / "owner.key").exists()
    found = author.call(obedient, {"do": code, "paths": paths})
    seen = {path: said for path, said in found.items() if said not in ("FileNotFoundError", "PermissionError")}
    above = {str(path.parent): f"['{path.name}']" for path in (_INTERPRETER, *_INTERPRETER.parents)}
    assert {
        path: said for path, said in seen.items() if above.get(path) != said
    } == {}  # only the way to the interpreter


def test_nothing_of_the_server_lies_anywhere(server: RunningServer, author: Author, obedient: str) -> None:
    """A walk over all that can be seen, also through other processes' roots, finds its own source only."""
    code = (
        "result = []\n"
        "for top in ['/', *(f'/proc/{pid}/root' for pid in os.listdir('/proc') if pid.isdigit())]:\n"
        "    for folder, folders, files in os.walk(top):\n"
        "        inside = '/' + folder[len(top):].lstrip('/')\n"
        "        if inside in ('/usr', '/proc', '/dev', prefix): folders[:] = []; continue\n"
        "        result += [os.path.join(inside, name) for name in files]\n"
    )
    found = set(author.call(obedient, {"do": code, "prefix": str(_INTERPRETER)}))
    supplied = {path for path in found if path.startswith(("/troth/authoring/", "/troth/inside/"))}
    assert {Path(path).suffix for path in supplied} <= {".py", ".pyc"}  # the modules that algorithms may import
    own = [path for path in found - supplied if path.startswith(("/algorithm/", "/troth/"))]
    assert sorted(own) == sorted(
        ["/algorithm/troth.toml", f"/algorithm/src/{obedient.split('/')[1]}.py", "/troth/api.sock", "/troth/worker.py"]
    )
    for word in ("owner.key", "registry", ".sqlite", "trees", "journal"):
        assert [path for path in found if word in path] == []


def test_the_servers_environment_is_not_there(
    server: RunningServer, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "a secret")
    monkeypatch.setenv("TROTH_KEY", server.owner_key)
    reference = author.publish(_OBEDIENT)
    code = (
        "result = [dict(os.environ)]\n"
        "for pid in os.listdir('/proc'):\n"
        "    if pid.isdigit():\n"
        "        for name in ('environ', 'cmdline'):\n"
        "            try: result.append(open(f'/proc/{pid}/{name}').read())\n"
        "            except OSError: pass\n"
    )
    found = author.call(reference, {"do": code})
    threads = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"}
    stand_ins = {"ALGORITHMIA_API", "ALGORITHMIA_API_KEY"}  # the same in every worker, and no secret
    assert set(found[0]) - threads - stand_ins <= {"PATH", "HOME", "LANG", "LC_CTYPE", "PWD"}
    assert "SECRET_OF_THE_SERVER" not in repr(found)
    assert server.owner_key not in repr(found)
    assert str(server.home) not in repr(found[0])


def test_the_server_cannot_be_reached(server: RunningServer, author: Author, obedient: str) -> None:
    port = int(server.address.rpartition(":")[2])
    code = (
        "result = {}\n"
        "def tried(name, act):\n"
        "    try: act(); result[name] = 'done'\n"
        "    except OSError as error: result[name] = type(error).__name__\n"
        "for host in ('127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '8.8.8.8'):\n"
        "    tried(f'tcp {host}', lambda: socket.create_connection((host, port), timeout=1))\n"
        "tried('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port)))\n"
        "tried('raw', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))\n"
        "tried('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))\n"
        "tried('vsock', lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))\n"
        "tried('name', lambda: socket.getaddrinfo('localhost.example', 80))\n"
        "tried('listen', lambda: socket.create_server(('127.0.0.1', 0)))\n"
    )
    found = author.call(obedient, {"do": code, "port": port})
    assert len(found) == 11
    assert [name for name, said in found.items() if said == "done"] == []


def test_other_processes_cannot_be_seen(server: RunningServer, author: Author, echo: str, obedient: str) -> None:
    author.call(echo, 1)
    other = process_of(worker_of(server, echo))
    code = (
        "result = {'pids': sorted(int(pid) for pid in os.listdir('/proc') if pid.isdigit()), 'signals': []}\n"
        "for pid in range(3, 70000):\n"
        "    if pid == os.getpid(): continue\n"
        "    try: os.kill(pid, 0); result['signals'].append(pid)\n"
        "    except ProcessLookupError: pass\n"
        "    except PermissionError: result['signals'].append(pid)\n"
    )
    found = author.call(obedient, {"do": code})
    assert len(found["pids"]) <= 3
    assert os.getpid() not in found["pids"]
    assert other not in found["pids"]
    assert found["signals"] == []


def test_nothing_can_be_written_but_temporary_files(author: Author, obedient: str) -> None:
    code = (
        "result = []\n"
        "for folder in ('/', '/algorithm', '/algorithm/src', '/troth', '/usr', '/usr/lib', '/etc', '/dev', '/proc', '/tmp',\n"
        "               '/dev/shm', '/var/tmp', os.path.dirname(os.__file__)):\n"
        "    try:\n"
        "        with open(os.path.join(folder, 'planted'), 'w'): result.append(folder)\n"
        "    except OSError: pass\n"
        "for path in ('/troth/worker.py', '/algorithm/troth.toml', os.__file__, '/etc/ld.so.cache'):\n"
        "    try:\n"
        "        with open(path, 'a'): result.append(path)\n"
        "    except OSError: pass\n"
        "    try: os.chmod(path, 0o777); result.append('chmod ' + path)\n"
        "    except OSError: pass\n"
    )
    found = set(author.call(obedient, {"do": code}))
    assert "/tmp" in found
    assert found <= {"/tmp", "/dev/shm", "/dev"}
    other = author.publish(_OBEDIENT)
    look = "result = [path for path in ('/tmp/planted', '/dev/shm/planted', '/dev/planted') if os.path.exists(path)]"
    assert author.call(other, {"do": look}) == []


def test_open_files_lead_nowhere(author: Author, obedient: str) -> None:
    """Nothing that the server has open was handed down."""
    code = (
        "result = []\n"
        "for name in os.listdir('/proc/self/fd'):\n"
        "    try: result.append(os.readlink(f'/proc/self/fd/{name}'))\n"
        "    except OSError: pass\n"
    )
    found = author.call(obedient, {"do": code})
    assert len(found) >= 4
    assert [path for path in found if not path.startswith(("/dev/null", "pipe:", "socket:", "/proc/"))] == []


def test_privileges_cannot_be_had(author: Author, obedient: str) -> None:
    code = (
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "lines = open('/proc/self/status').read().splitlines()\n"
        "result = {line.split()[0]: line.split()[1] for line in lines if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:'))}\n"
        "result['unshare'] = libc.unshare(0x10000000)\n"
        "result['mount'] = libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)\n"
        "result['ptrace'] = libc.ptrace(16, 1, 0, 0)\n"
        "try: os.setuid(0); result['root'] = os.getuid()\n"
        "except OSError: result['root'] = None\n"
    )
    found = author.call(obedient, {"do": code})
    assert {value for name, value in found.items() if name.startswith("Cap")} == {"0000000000000000"}
    assert (found["NoNewPrivs:"], found["Seccomp:"]) == ("1", "2")
    assert (found["unshare"], found["mount"], found["ptrace"]) == (-1, -1, -1)
    assert found["root"] in (None, 0)
