"""Plays the terminal sessions of a page against a real `troth up`, and compares what is printed.

What differs from run to run is made equal on both sides: hashes, digests, keys, uuids, times, the port, the home, and
whether this machine gives more isolation than the page's.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.docs.pages import Step, session

#: The home folder and the address that pages are written with.
_HOME = "/home/ada"
_ADDRESS = "127.0.0.1:8710"
_PATIENCE = 60.0
_VARYING = (
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b20\d\d-\d\d-\d\d(T[0-9:.]+Z)?"), "DAY"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{12})\b"), "HASH"),
    (re.compile(r"\bsim[A-Za-z0-9]{25}\b"), "KEY"),
    (re.compile(r"\b\d+\.\d+ (s|seconds)\b *"), "SECONDS "),
    (re.compile(r"(?<=isolation )(contained|strong)\b|(?<=sandbox \()(contained|strong)\b"), "LEVEL"),
)


class Terminal:
    """One user's terminal: a home, a folder to be in, and the server that a session started."""

    def __init__(self, folder: Path) -> None:
        self._home = folder / "home"
        self._home.mkdir()
        self.write(".gitconfig", "[user]\nname = Ada\nemail = ada@example.org\n")
        self._place = folder / "place"
        self._place.write_text(str(self._home))
        self._code = 0
        self._address = _ADDRESS
        self._server: subprocess.Popen[str] | None = None

    def play(self, page: Path) -> None:
        """Runs every command of a page. Fails at the first that prints something else than the page says."""
        steps = session(page)
        assert steps, f"{page} shows no session"
        for step in steps:
            said, found = self._comparable(step.printed), self._comparable(self._run(step))
            difference = "\n".join(difflib.unified_diff(said, found, page.name, "what was printed", lineterm=""))
            assert said == found, f"$ {step.command}\n{difference}"

    def start(self, command: str) -> None:
        """Starts the server for a page that does not say how."""
        self._start(command)

    def ask(self, command: str) -> str:
        """What a command prints, which must succeed."""
        printed = "\n".join(self._run(Step(command, [])))
        assert self._code == 0, printed
        return printed

    def write(self, path: str, text: str) -> None:
        """Puts a file into the home."""
        target = self._home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def close(self) -> None:
        """Stops the server as Ctrl-C does."""
        if self._server is not None:
            self._server.terminate()
            self._server.communicate(timeout=_PATIENCE)

    def _run(self, step: Step) -> list[str]:
        command = step.command.replace(_ADDRESS, self._address)
        if command.split()[:2] == ["troth", "up"]:
            return self._start(command)
        script = f"cd {shlex.quote(self._place.read_text().strip())}\n(exit {self._code})\n{command}\n"
        script += f"code=$?; pwd > {shlex.quote(str(self._place))}; exit $code\n"
        done = subprocess.run(
            ["bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
            timeout=_PATIENCE,
            check=False,
        )
        self._code = done.returncode
        return done.stdout.splitlines()

    def _start(self, command: str) -> list[str]:
        """Starts the server on a free port and waits for the last line that it prints when it can serve."""
        self._server = subprocess.Popen(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._home,
            env=self._environment(),
        )
        assert self._server.stdout is not None
        printed = _until(self._server.stdout, "isolation ")
        (ready,) = [line for line in printed if line.startswith("troth is ready at ")]
        self._address = ready.rpartition("/")[2]
        return printed

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        known = {"HOME": str(self._home), "PATH": path, "LANG": "C.UTF-8", "TROTH_PORT": "0"}
        return known | ({"TROTH_SERVER": f"http://{self._address}"} if self._address != _ADDRESS else {})

    def _comparable(self, printed: list[str]) -> list[str]:
        return [self._line(line) for line in printed if line.strip()]

    def _line(self, line: str) -> str:
        line = line.replace(str(self._home), _HOME).replace(self._address, _ADDRESS)
        for pattern, word in _VARYING:
            line = pattern.sub(word, line)
        return line.rstrip()


def _until(lines: IO[str], start: str) -> list[str]:
    found: list[str] = []
    for line in lines:
        found.append(line.rstrip("\n"))
        if line.startswith(start):
            break
    return found
