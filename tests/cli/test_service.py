"""The unit file of `troth service`, read as systemd reads it."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.doors.cli.main import execute
from troth.doors.cli.service import STOP_SECONDS, unit
from troth.errors import MalformedSetting

_TROTH = Path(sys.executable).with_name("troth")
_WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=["="], comment_prefixes=["#"])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def words(line: str) -> list[str]:
    """A command line as systemd splits it; its escapes in double quotes are the shell's."""
    return [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(line)]


def test_it_stops_the_server_first_and_in_time() -> None:
    found = read(unit(_TROTH, Path("/var/lib/troth"), "127.0.0.1", 8710, "troth"))["Service"]
    assert (found["Type"], found["KillMode"], found["KillSignal"]) == ("exec", "mixed", "SIGTERM")
    assert found["TimeoutStopSec"] == str(STOP_SECONDS)
    assert (found["Delegate"], found["OOMPolicy"], found["User"]) == ("memory pids", "continue", "troth")
    assert (found["NoNewPrivileges"], found["ProtectSystem"], found["CapabilityBoundingSet"]) == ("yes", "strict", "")
    assert words(found["ExecStart"]) == [
        str(_TROTH), "up", "--home", "/var/lib/troth", "--host", "127.0.0.1", "--port", "8710",
    ]  # fmt: skip


def test_it_takes_nothing_away_that_isolation_needs() -> None:
    for user in ("troth", "root"):
        found = read(unit(_TROTH, Path("/var/lib/troth"), "::1", 1, user))["Service"]
        needed = ("RestrictNamespaces", "ProtectKernelTunables", "ProtectKernelLogs", "ProtectProc", "ProcSubset",
                  "SystemCallFilter", "MemoryDenyWriteExecute", "PrivateUsers", "PrivateNetwork")  # fmt: skip
        assert [name for name in needed if name in found] == []
    assert "User" not in found
    assert "CapabilityBoundingSet" not in found


@given(_WORDS, _WORDS)
def test_every_path_is_read_as_it_is(executable: str, home: str) -> None:
    program, folder = Path("/opt") / executable.strip("/ "), Path("/srv") / f"x{home}"
    found = read(unit(program, folder, "127.0.0.1", 1, "troth"))["Service"]
    assert words(found["ExecStart"])[:4] == [str(program), "up", "--home", str(folder)]
    (writable,) = shlex.split(found["ReadWritePaths"])
    assert writable.replace("%%", "%") == str(folder)


@pytest.mark.parametrize(
    ("home", "user"), [("/srv/a\nExecStart=/bin/sh", "troth"), ("/srv", "troth\nUser=root"), ("/srv", "")]
)
def test_nothing_can_be_slipped_in(home: str, user: str) -> None:
    with pytest.raises(MalformedSetting):
        unit(_TROTH, Path(home), "127.0.0.1", 1, user)


def test_a_home_in_a_home_folder_stays_reachable() -> None:
    found = read(unit(_TROTH, Path("/home/ada/troth"), "127.0.0.1", 1, "ada"))["Service"]
    assert (found["ProtectHome"], found["ReadWritePaths"]) == ("read-only", "/home/ada/troth")


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["service", "--user", "root", "--home", "/srv/troth", "--port", "80"]) == 0
    text = capsys.readouterr().out
    assert words(read(text)["Service"]["ExecStart"])[-1] == "80"
    assert execute(["service", "--user", "root", "--home", "/srv/troth", "--port", "80", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": "/etc/systemd/system/troth.service", "unit": text}


@pytest.mark.parametrize("user", ["troth", "root"])
@pytest.mark.parametrize("home", ["/var/lib/troth", '/srv/a "b" $HOME %n \\x'])
def test_systemd_has_nothing_to_say_against_it(tmp_path: Path, user: str, home: str) -> None:
    """Where systemd is on the machine that runs the tests; what it reads is tested above in any case."""
    path = tmp_path / "troth.service"
    path.write_text(unit(_TROTH, Path(home), "127.0.0.1", 8710, user))
    if analyze := shutil.which("systemd-analyze"):
        done = subprocess.run([analyze, "verify", path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
