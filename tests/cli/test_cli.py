"""The `troth` command, as people and scripts use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.server import RunningServer
from troth.doors.cli.main import execute

Troth: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


def account(server: RunningServer, folder: Path) -> tuple[dict[str, str], str]:
    """(variables, key) of a new user whose home is this folder."""
    name, _ = server.account("cli")
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    surroundings |= {"TROTH_SERVER": server.address, "XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}
    return surroundings, server.keys[name]


@pytest.fixture
def troth(server: RunningServer, tmp_path: Path) -> Troth:
    """Runs the command, which begins from nothing, in an empty folder as a new user; `key` replaces the key."""
    surroundings, own = account(server, tmp_path)

    def run(*tokens: str, key: str | None = None, given: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**surroundings, "TROTH_KEY": own if key is None else key}
        command = [sys.executable, "-m", "troth", *tokens]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_new_publish_call_why_versions(troth: Troth) -> None:
    made = json.loads(troth("new", "hello", "--public", "--json").stdout)
    owner = made["algorithm"].split("/")[0]
    published = troth("publish", "--minor", "hello", "-m", "first")
    assert published.returncode == 0, published.stderr
    assert f"{owner}/hello/0.1.0 published" in published.stdout
    assert "next: troth call" in published.stderr
    assert troth("call", f"{owner}/hello", "Ada").stdout == "hello Ada\n"
    assert troth("call", f"algo://{owner}/hello/0.1", "-t", "[1]").stdout == "hello [1]\n"
    assert troth("call", f"{owner}/hello/0.1.0", "-f", "-", given="x").stdout == "hello b'x'\n"
    answer = json.loads(troth("call", f"{owner}/hello", "-j", '{"a": 1}', "--json").stdout)
    assert (answer["result"], answer["receipt"]["version"]) == ("hello {'a': 1}", "0.1.0")
    why = troth("why", f"{owner}/hello/0.1")
    assert (why.returncode, "ALG-15" in why.stdout) == (0, True)
    (row,) = json.loads(troth("versions", f"{owner}/hello", "--json").stdout)["versions"]
    assert (row["version"], row["notes"]) == ("0.1.0", "first")
    assert "0.1.0" in troth("versions", f"{owner}/hello").stdout


def test_a_refusal_is_three_lines_and_exit_code_three(troth: Troth) -> None:
    troth("new", "hello", "--public")
    assert troth("publish", "--minor", "hello").returncode == 0
    refused = troth("publish", "--revision", "--private", "hello")
    assert refused.returncode == 3
    what, why, help_ = refused.stderr.splitlines()
    assert what.startswith("error: publishing 0.1.1 is refused")
    assert "ALG-10" in why
    assert "publish it as public" in help_
    problem = json.loads(troth("publish", "--revision", "--private", "hello", "--json").stdout)
    assert (problem["clauses"], problem["least"]) == (["ALG-10"], "1.0.0")


def test_compile_answers_by_hash(troth: Troth) -> None:
    troth("new", "hello")
    built = json.loads(troth("compile", "hello", "--json").stdout)
    again = json.loads(troth("compile", "hello", "--json").stdout)
    assert built["status"] == "succeeded"
    assert again["hash"] == built["hash"]
    assert troth("call", f"{built['algorithm']}/{built['hash']}", "x").stdout == "hello x\n"


@pytest.mark.parametrize(
    ("tokens", "code", "said"),
    [
        (["nonsense"], 2, "nonsense"),
        (["publish", "--no-such-flag"], 2, "no-such-flag"),
        (["publish"], 2, "say which number to raise"),
        (["publish", "--minor", "--major"], 2, "say only once which number to raise"),
        (["publish", "--minor", "nowhere"], 2, "there is no troth.toml"),
        (["call", "util/nothing", "x"], 4, "algorithm algo://util/nothing not found"),
        (["call", "util/nothing"], 2, "a call has one input"),
        (["call", "util/nothing", "-j", "{"], 2, "the input is not JSON"),
        (["call", "util/nothing", "-f", "missing"], 2, "missing cannot be read"),
        (["why", "util/nothing"], 4, "not found"),
        (["why", "util"], 2, "names no algorithm"),
        (["explain", "ALG-99"], 4, "there is no clause"),
        (["journal"], 3, "may not read journal"),
        (["account", "list"], 3, "may not read accounts"),
        (["new", "a-b"], 2, "is not a name"),
        (["call", "util/nothing", "x", "--server", "http://127.0.0.1:9"], 5, "no server answers"),
    ],
)
def test_exit_codes(troth: Troth, tokens: list[str], code: int, said: str) -> None:
    done = troth(*tokens)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["diff", "lock", "import"])
def test_verbs_that_other_tests_fork_begin_from_nothing_too(troth: Troth, verb: str) -> None:
    done = troth(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: troth {verb} ")


def test_a_missing_key_says_what_to_do(troth: Troth) -> None:
    done = troth("why", "util/nothing", key="")
    assert done.returncode == 3
    assert "authorization required" in done.stderr


def test_a_failing_algorithm_is_exit_code_one(troth: Troth, tmp_path: Path) -> None:
    made = json.loads(troth("new", "hello", "--json").stdout)
    (tmp_path / "hello" / "src" / "hello.py").write_text("def apply(input):\n    raise ValueError('bad ' + input)\n")
    built = json.loads(troth("compile", "hello", "--json").stdout)
    done = troth("call", f"{made['algorithm']}/{built['hash']}", "x")
    assert done.returncode == 1
    assert "ValueError: bad x\nerror: bad x\n" in done.stderr, "members see the stack"


def test_text_that_looks_like_json_is_said_to_be_text(troth: Troth) -> None:
    assert "note: the input is sent as text, because it is not JSON" in troth("call", "util/nothing", '{"a": 1').stderr
    assert "note:" not in troth("call", "util/nothing", "plain words").stderr


def test_an_owner_that_nobody_named_is_said_to_be_a_guess(troth: Troth, tmp_path: Path) -> None:
    done = troth("new", "hello", "--server", "http://127.0.0.1:9")
    assert done.returncode == 0
    assert "is a guess, because no server answers at http://127.0.0.1:9" in done.stderr
    assert troth("new", "other", "--key-file", "missing").returncode == 2
    assert not (tmp_path / "other").exists()


def test_a_failed_build_shows_its_log(troth: Troth, tmp_path: Path) -> None:
    troth("new", "hello")
    (tmp_path / "hello" / "src" / "hello.py").write_text("def apply(input)\n")
    done = troth("publish", "--minor", "hello")
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr


def test_clauses_and_explain_need_no_server(troth: Troth) -> None:
    rows = json.loads(troth("clauses", "--json").stdout)
    assert {"id", "kind", "sentence", "source", "notes", "status", "revision"} <= set(rows[0])
    assert len(rows) == 95
    assert "ALG-10" in troth("clauses", "alg", "--status", "enforced").stdout
    explained = troth("explain", "alg-10")
    assert "ALG-10 (RULE, enforced)" in explained.stdout
    assert "N4" in explained.stdout


def test_doctor_tells_the_level(troth: Troth, server: RunningServer) -> None:
    found = json.loads(troth("doctor", "--json").stdout)
    assert found["isolation"]["level"] == found["server"]["isolation"]["level"]
    assert "isolation here" in troth("doctor").stdout


def test_keys_and_accounts(troth: Troth, server: RunningServer) -> None:
    owner = server.owner_key
    name = server.new_name("made")
    assert troth("account", "create", name, key=owner).returncode == 0
    made = json.loads(troth("key", "create", name, "--label", "laptop", "--json", key=owner).stdout)
    assert made["label"] == "laptop"
    listed = troth("key", "list", key=made["key"])
    assert made["key_id"] in listed.stdout
    assert made["key"] not in listed.stdout
    organization = server.new_name("house")
    assert troth("account", "organization", organization, key=made["key"]).returncode == 0
    assert troth("account", "add-member", organization, "owner", key=made["key"]).returncode == 0
    assert organization in troth("account", "list", key=owner).stdout
    assert troth("account", "remove-member", organization, "owner", key=made["key"]).returncode == 0
    assert troth("key", "revoke", made["key_id"], key=made["key"]).returncode == 0
    assert troth("key", "list", key=made["key"]).returncode == 3


def test_the_journal_is_shown_and_verified(troth: Troth, server: RunningServer) -> None:
    assert "create_account" in troth("journal", key=server.owner_key).stdout
    verified = json.loads(troth("journal", "--verify", "--json", key=server.owner_key).stdout)
    assert verified["verified"] is True


def test_a_key_file_and_the_user_s_file(troth: Troth, server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(server.owner_key + "\n")
    assert json.loads(troth("key", "list", "--key-file", "key", "--json", key="").stdout)["account"] == "owner"
    (tmp_path / "config" / "troth").mkdir(parents=True)
    (tmp_path / "config" / "troth" / "config.toml").write_text('nonsense = "1"\n')
    done = troth("key", "list")
    assert (done.returncode, "has a setting 'nonsense'" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"", "one word"), (b"two words", "one word"), (b"\xff\xfe", "no text")],
)
def test_a_key_file_without_a_key_is_told(troth: Troth, tmp_path: Path, content: bytes | None, why: str) -> None:
    """Else the request would go without one, and the answer speak of another key."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    done = troth("versions", "util/nothing", "--key-file", "key")
    assert (done.returncode, "there is no key in key" in done.stderr, why in done.stderr) == (2, True, True)


@pytest.mark.parametrize("address", ["", "127.0.0.1:8710", "ftp://127.0.0.1"])
def test_what_is_no_address_of_a_server_is_told(troth: Troth, address: str) -> None:
    done = troth("versions", "util/nothing", "--server", address)
    assert (done.returncode, "is no address of a server" in done.stderr) == (2, True)


def test_a_server_named_with_a_path_is_told_without(troth: Troth, server: RunningServer) -> None:
    done = troth("call", "util/nothing", "x", "--server", f"{server.address}/v1")
    assert done.returncode == 4
    assert f"name the server without a path, perhaps as {server.address}" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it stands for a disk that is full")
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_full_disk_is_told_and_no_fault_of_troth(form: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "troth", "clauses", *form]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert (done.returncode, "there is no room" in done.stderr, "Traceback" in done.stderr) == (5, True, False)


def test_up_makes_its_home_and_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "troth", "up", "--home", str(tmp_path / "home"), "--port", "0", "--owner", "ada"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("troth is ready at http://127.0.0.1:")
        process.terminate()
        assert process.wait(30) == 0
        said = process.stderr.read()
    key = (tmp_path / "home" / "owner.key").read_text().strip()
    assert key in said
    assert (len(key), key[:3]) == (28, "sim")
    assert (tmp_path / "home" / "owner.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_up_refuses_an_address_that_is_taken(server: RunningServer, tmp_path: Path) -> None:
    port = server.address.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "troth", "up", "--home", str(tmp_path / "home"), "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr


def test_a_home_belongs_to_one_server(server: RunningServer) -> None:
    command = [sys.executable, "-m", "troth", "up", "--home", str(server.home), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert "another server runs on" in done.stderr


@pytest.mark.parametrize(
    ("tokens", "usage"),
    [
        (("diff", "ada/scale", "0.1.0", "1.0.0"), "usage: troth diff [OPTIONS] OLD NEW"),
        (("publish", "0.5.0", "count"), "usage: troth publish [OPTIONS]"),
        (("api", "graduate", "ada/shop", "v1"), "usage: troth api graduate --release STR [OPTIONS] NAME VERSION"),
    ],
)
def test_what_the_parser_refuses_is_told_with_how_it_is_given(
    tokens: tuple[str, ...], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(tokens) == 2
    err = capsys.readouterr().err
    assert usage in err
    assert "--help" in err


@pytest.mark.parametrize(
    ("tokens", "meant"),
    [
        (("publsh",), "did you mean publish?"),
        (("release", "ct"), 'Did you mean "cut"?'),
        (("xyzzy",), "usage: troth COMMAND"),
    ],
)
def test_a_misspelt_command_is_told_what_was_meant(
    tokens: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(tokens) == 2
    err = capsys.readouterr().err
    assert meant in err
    assert tokens != ("xyzzy",) or "did you mean" not in err
