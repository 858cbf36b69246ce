"""The `algo` command of PyPI's `algorithmia` 2.0.5, as it is, in processes of its own (algorithmia-api, section 14)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.clients.python import interpreter
from tests.server import RunningServer

BACK = """
def apply(input):
    if input == "raise":
        error = ValueError("not this"); error.error_type = "InputError"; raise error
    print("seen", type(input).__name__)
    return input
"""


@dataclass
class Terminal:
    """A home with a profile, in which `algo` is run."""

    server: RunningServer
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def algo(self, *tokens: str, given: str = "", check: bool = True) -> str:
        """What the command prints."""
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(self.home), "no_proxy": "127.0.0.1",
                        "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", **self.more}  # fmt: skip
        done = subprocess.run(
            [str(interpreter().with_name("algo")), *tokens], cwd=self.home, env=surroundings, input=given,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + ("" if check else done.stderr)


@pytest.fixture
def terminal(server: RunningServer, tmp_path: Path) -> Terminal:
    """A home whose default profile is of a new account; `algo auth` takes addresses of https alone (section 14)."""
    name, _ = server.account("algo")
    (tmp_path / ".algorithmia").mkdir()
    profiles = {"default": server.keys[name], "root": server.owner_key, "wrong": "simWrong"}
    config = "[profiles]\n" + "".join(
        f'[profiles.{profile}]\napi_key = "{key}"\napi_server = "{server.address}"\nca_cert = ""\nbearer_token = ""\n'
        for profile, key in profiles.items()
    )
    (tmp_path / ".algorithmia" / "config").write_text(config)
    return Terminal(server, tmp_path)


@pytest.fixture(scope="module")
def algorithm(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    reference, commit = server.build(tmp_path_factory.mktemp("algo"), "owner", server.owner, code=BACK)
    server.owner.publish(reference, commit, bump="minor", visibility="public")
    return reference


@pytest.mark.digest("14 run")
def test_run_with_every_kind_of_input(terminal: Terminal, algorithm: str) -> None:
    run = ("run", algorithm)
    text, binary = terminal.home / "text.txt", terminal.home / "data.bin"
    text.write_text('{"a": 1}')
    binary.write_bytes(b"\x00\xff")
    assert terminal.algo(*run, "-d", "hello").strip() == "hello"
    assert terminal.algo(*run, "-t", "hello").strip() == "hello"
    assert terminal.algo(*run, "-j", '{"a": 1}').strip() == "{'a': 1}"
    assert terminal.algo(*run, "-D", str(text)).strip() == '{"a": 1}'
    assert terminal.algo(*run, "-T", str(text)).strip() == '{"a": 1}'
    assert terminal.algo(*run, "-J", str(text)).strip() == '{"a": 1}'  # it sends the text as a JSON string
    terminal.algo(*run, "-B", str(binary), "-o", str(terminal.home / "out.bin"))
    assert (terminal.home / "out.bin").read_bytes() == b"\x00\xff"
    terminal.algo(*run, "-t", "kept", "-o", str(terminal.home / "out.txt"))
    assert (terminal.home / "out.txt").read_text() == "kept"
    assert terminal.algo("run", f"{algorithm}/0.1.0", "-d", "x", "--timeout", "20").strip() == "x"
    assert terminal.algo(*run, "-d", "x", "--debug", "--profile", "root").strip().endswith("x")


@pytest.mark.digest("14 run", "3.1 message")
def test_run_tells_what_went_wrong(terminal: Terminal, algorithm: str) -> None:
    assert "not this" in terminal.algo("run", algorithm, "-d", "raise", check=False)
    assert "not this" in terminal.algo("run", algorithm, "-t", "raise", check=False)
    assert "algorithm algo://owner/never not found" in terminal.algo("run", "owner/never", "-d", "x", check=False)
    assert "authorization required" in terminal.algo("run", algorithm, "-d", "x", "--profile", "wrong", check=False)


@pytest.mark.digest("14 others", "8 status")
def test_builds(terminal: Terminal, algorithm: str) -> None:
    owner, name = algorithm.split("/")
    (build,) = json.loads(terminal.algo("--profile", "root", "builds", owner, name))
    assert (build["status"], build["version_info"]) == ("succeeded", {"semantic_version": "0.1.0"})


@pytest.mark.digest("14 others", "12.2 template")
def test_languages_environments_and_templates(terminal: Terminal) -> None:
    languages = terminal.algo("languages").splitlines()
    assert languages[0].split() == ["Name", "Description"]
    assert [line.split()[0] for line in languages[1:]] == ["anaconda3", "python3"]
    (environment,) = json.loads(terminal.algo("environment", "python3"))
    assert environment["machine_type"] == "CPU"
    assert "error" in json.loads(terminal.algo("environment", "cobol"))
    target = terminal.home / "template"
    target.mkdir()
    terminal.algo("template", environment["environment_specification_id"], str(target))
    assert (target / "src" / "algorithm.py").is_file()


@pytest.mark.digest("14 others")
def test_help_names_every_command_that_is_driven_here(terminal: Terminal) -> None:
    said = terminal.algo("help")
    commands = re.search(r"\{([a-z,]+)\}", said)
    assert commands is not None
    assert set(commands[1].split(",")) == {
        "auth", "clone", "run", "ls", "rm", "mkdir", "rmdir", "cp", "cat", "template", "environment", "languages", "builds",
        "help", "freeze",
    }  # fmt: skip


@pytest.mark.digest("14 clone", "13 clone")
def test_clone(terminal: Terminal, algorithm: str) -> None:
    helper = f'!f() {{ printf "username=owner\\npassword={terminal.server.owner_key}\\n"; }}; f'
    (terminal.home / ".gitconfig").write_text(f"[credential]\n\thelper = {json.dumps(helper)}\n")
    terminal.algo("clone", algorithm)
    folder = terminal.home / algorithm.split("/")[1]
    assert (folder / "src" / f"{folder.name}.py").read_text() == BACK


@pytest.mark.digest("14 auth")
def test_auth_takes_https_only(terminal: Terminal) -> None:
    before = (terminal.home / ".algorithmia" / "config").read_text()
    said = terminal.algo("auth", given=f"{terminal.server.address}\n{terminal.server.owner_key}\n\n")
    assert "invalid API address" in said
    assert (terminal.home / ".algorithmia" / "config").read_text() == before
