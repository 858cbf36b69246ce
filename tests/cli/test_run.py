"""A project's folder runs on this machine as its build would on a server, and no server is there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.cli.forking import forked_bytes
from tests.server import ECHO, write_project

TELLING = """
import os, sys, time

print("imported")

def apply(input):
    print("told", type(input).__name__)
    print("complained", file=sys.stderr)
    if input == "fail":
        raise ValueError("not today [bold]")
    if input == "sleep":
        time.sleep(60)
    if input == "exit":
        os._exit(3)
    return {"got": repr(input)}
"""


class Desk:
    """A home without a server, with one project in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "hello"

    def write(self, code: str, **how: Any) -> None:
        """Writes the project."""
        write_project(self.folder, "ada", "hello", code, **how)

    def run(
        self, *tokens: str, given: bytes = b"", variables: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.CompletedProcess[bytes]:
        """`troth run` in the home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
        surroundings = {
            **kept,
            "TROTH_SERVER": "http://127.0.0.1:9",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            **variables,
        }
        return forked_bytes(["run", *tokens], folder=self.home, variables=surroundings, given=given, seconds=120)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A home with a project that returns its input."""
    desk = Desk(tmp_path)
    desk.write(ECHO)
    yield desk
    for folder, _, _ in os.walk(tmp_path):
        os.chmod(folder, 0o755)


@pytest.mark.parametrize(
    ("tokens", "given", "printed"),
    [
        (["World"], b"", b"World\n"),
        (['{"a": [1, null]}'], b"", b'{"a": [1, null]}\n'),
        (["-t", "[1]"], b"", b"[1]\n"),
        (["-j", "-1.5"], b"", b"-1.5\n"),
        (["-j", '"text"'], b"", b"text\n"),
        (["-f", "-"], b"\x00\xff", b"\x00\xff"),
        (["-f", "blob"], b"", b"\x01\xfe"),
    ],
)
def test_every_kind_of_input_comes_back(desk: Desk, tokens: list[str], given: bytes, printed: bytes) -> None:
    (desk.home / "blob").write_bytes(b"\x01\xfe")
    done = desk.run("hello", *tokens, given=given)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, b"")


def test_what_the_algorithm_prints_is_talk(desk: Desk) -> None:
    desk.write(TELLING)
    done = desk.run("hello", "[1, 2]")
    assert json.loads(done.stdout) == {"got": "[1, 2]"}
    assert done.stderr.splitlines() == [b"told list", b"complained"]


def test_an_error_shows_the_algorithm_s_stack(desk: Desk) -> None:
    desk.write(TELLING)
    done = desk.run("hello", "fail")
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert said.startswith("told str\n")
    assert "hello.py" in said
    assert 'raise ValueError("not today [bold]")' in said
    assert "worker.py" not in said
    assert "\nerror: not today [bold]\n  why: AlgorithmError in ada/hello\n" in said


def test_an_error_as_json_is_one_document(desk: Desk) -> None:
    desk.write(TELLING)
    done = desk.run("hello", "fail", "--json")
    problem = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, b"")
    assert (problem["code"], problem["detail"]) == ("call-failed", "not today [bold]")
    assert "ValueError" in problem["found"]


def test_a_result_as_json_says_what_ran(desk: Desk) -> None:
    desk.write(TELLING)
    found = json.loads(desk.run("hello", "x", "--json").stdout)
    assert (found["result"], found["content_type"]) == ({"got": "'x'"}, "json")
    assert found["stdout"] == "told str\ncomplained\n"
    assert found["receipt"]["algorithm"] == "ada/hello"
    assert found["receipt"]["isolation"] in ("contained", "strong")
    assert {len(found["receipt"][key]) for key in ("source", "environment")} == {64}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def apply(input)\n", "SyntaxError"),
        ("import nothing_of_that_name\n", "No module named 'nothing_of_that_name'"),
        ("x = 1\n", "apply"),
        ("def load():\n    raise KeyError('model')\n\ndef apply(input, state):\n    return 1\n", "KeyError: 'model'"),
    ],
)
def test_what_cannot_be_loaded_says_why(desk: Desk, code: str, said: str) -> None:
    desk.write(code)
    done = desk.run("hello", "x")
    assert (done.returncode, said in done.stderr.decode()) == (1, True), done.stderr


@pytest.mark.parametrize(
    ("given", "said"), [("sleep", "the call took more than 1 seconds"), ("exit", "exited with code 3")]
)
def test_what_does_not_end_well_is_an_error(desk: Desk, given: str, said: str) -> None:
    desk.write(TELLING)
    done = desk.run("hello", given, "--timeout", "1")
    assert (done.returncode, said in done.stderr.decode()) == (1, True), done.stderr


def test_libraries_are_those_that_the_project_locks(desk: Desk) -> None:
    code = "import six\n\ndef apply(input):\n    return six.__version__\n"
    desk.write(code, dependencies=["six==1.16.0"])
    done = desk.run("hello", "x")
    assert (done.returncode, done.stdout) == (0, b"1.16.0\n"), done.stderr
    proxies = [name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (proxy, proxy.lower())]
    dead = {**dict.fromkeys(proxies, "http://127.0.0.1:9"), "NO_PROXY": "", "no_proxy": ""}
    again = desk.run("hello", "x", variables=dead)
    assert again.stdout == b"1.16.0\n", again.stderr  # without the index it runs with what was downloaded before
    (desk.folder / "requirements.txt").write_text("six==1.17.0\n")
    desk.write(code)
    assert desk.run("hello", "x").stdout == b"1.17.0\n"


def test_libraries_that_there_are_not_are_said(desk: Desk) -> None:
    desk.write(ECHO, dependencies=["six==99"])
    done = desk.run("hello", "x")
    assert (done.returncode, b"six" in done.stderr) == (1, True), done.stderr
    assert b"Traceback" not in done.stderr


def test_it_is_confined_as_on_a_server(desk: Desk) -> None:
    secret = desk.home / "secret"
    secret.write_text("secret")
    desk.write(
        "import os, socket\n\ndef apply(input):\n    assert not os.path.exists(input)\n"
        "    try:\n        socket.create_connection(('127.0.0.1', 9), 1)\n    except OSError:\n        return sorted(os.listdir('/algorithm'))\n"
    )
    (desk.folder / ".env").write_text("SECRET=1")
    done = desk.run("hello", str(secret))
    assert (done.returncode, json.loads(done.stdout)) == (0, ["src", "troth.toml"])


def test_a_network_is_given_as_on_the_server(desk: Desk) -> None:
    """Through a proxy that leads to no address of this machine."""
    code = "import os\ndef apply(input):\n    return os.environ.get('HTTPS_PROXY', 'none')\n"
    desk.write(code)
    assert desk.run("hello", "x").stdout == b"none\n"
    desk.write(code, permissions={"network_access": "full"})
    assert desk.run("hello", "x").stdout.startswith(b"http://127.0.0.1:")


@pytest.mark.parametrize(
    ("asked", "code", "printed"),
    [
        ("threads = 2", "import os; found = os.environ['OMP_NUM_THREADS']", b"2\n"),
        ("memory = 64", "import resource; found = resource.getrlimit(resource.RLIMIT_AS)[0] >> 20", b"64\n"),
        ('start = "spawn"', "import os; found = os.getsid(0) == os.getpid()", b"false\n"),
        ('start = "auto"', "import os; found = os.getsid(0) == os.getpid()", b"true\n"),
    ],
)
def test_it_runs_as_the_project_asks(desk: Desk, asked: str, code: str, printed: bytes) -> None:
    """By what `[runtime]` says, as on a server: a fork has a session of its own."""
    desk.write(f"def apply(input):\n    {code}\n    return found\n")
    with (desk.folder / "troth.toml").open("a") as project:
        project.write(f"\n[runtime]\n{asked}\n")
    done = desk.run("hello", "x")
    assert (done.returncode, done.stdout) == (0, printed), done.stderr


def test_a_folder_of_another_time_runs_as_the_algorithm_that_is_named(desk: Desk) -> None:
    (desk.folder / "troth.toml").unlink()
    refused = desk.run("hello", "x")
    assert (refused.returncode, b"--algorithm OWNER/NAME" in refused.stderr) == (2, True)
    assert desk.run("hello", "x", "--algorithm", "ada/hello").stdout == b"x\n"


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["hello"], "a call has one input"),
        (["hello", "x", "-t", "y"], "a call has one input"),
        (["hello", "-j", "{"], "is not JSON"),
        (["hello", "-f", "missing"], "cannot be read"),
        (["nowhere", "x"], "there is no troth.toml"),
    ],
)
def test_wrong_use_is_exit_code_two(desk: Desk, tokens: list[str], said: str) -> None:
    done = desk.run(*tokens)
    assert (done.returncode, said in done.stderr.decode()) == (2, True), done.stderr


def test_nothing_is_left_but_libraries(desk: Desk, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = sorted(path.name for path in desk.folder.rglob("*"))
    assert desk.run("hello", "x", variables={"TMPDIR": str(scratch)}).returncode == 0
    assert sorted(path.name for path in desk.folder.rglob("*")) == before
    assert list(scratch.iterdir()) == []
    kept = desk.home / "cache" / "troth"
    assert {path.name for path in kept.iterdir()} <= {"artifacts", "environments", "lock", "packages"}
    assert kept.stat().st_mode & 0o777 == 0o700


def test_a_cache_that_cannot_be_made_says_so(desk: Desk) -> None:
    done = desk.run("hello", "x", variables={"XDG_CACHE_HOME": "/proc/nowhere"})
    assert (done.returncode, b"set XDG_CACHE_HOME" in done.stderr) == (2, True), done.stderr
