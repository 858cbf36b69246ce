"""The command curl, as it is: each request is a process of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What curl received: the last answer where there were several."""

    status: int
    reason: str
    #: by names in small letters
    head: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The document, which says that it is one."""
        assert self.head["content-type"].partition(";")[0] == "application/json", self.head
        return json.loads(self.body)

    @property
    def done(self) -> Any:
        """The document of a success, which never has `error` at its top (2.3)."""
        assert self.status == 200, self.text
        found = self.json
        assert not isinstance(found, dict) or "error" not in found
        return found

    def refused(self, status: int) -> str:
        """The message of an error in both of its shapes at once (3.2)."""
        assert self.status == status, (self.status, self.text)
        found = self.json
        assert {key: found["error"][key] for key in ("id", "code", "message")} == {
            key: found[key] for key in ("id", "code", "message")
        }
        return str(found["message"])


class Curl:
    """curl with a server's address and a header that holds a key."""

    def __init__(self, address: str, folder: Path, authorization: str) -> None:
        self.address = address
        self._folder = folder
        self._authorization = authorization

    def __call__(self, path: str, *options: str, given: bytes | None = None) -> Answer:
        """The answer to one request; `given` is what `@-` among the options stands for."""
        head, body = self._folder / "head", self._folder / "body"
        command = ["curl", "-q", "-sS", "--noproxy", "*", "--max-time", "120", "-D", str(head), "-o", str(body)]
        # a header's value that curl sends though it is empty ends in a semicolon
        key = [] if self._authorization == "" else ["-H", f"Authorization: {self._authorization}".rstrip(" ")]
        body.unlink(missing_ok=True)
        done = subprocess.run([*command, *key, *options, self.address + path], input=given or b"", capture_output=True,
                              check=False, timeout=150)  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        block = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")
        _, status, reason = (block[0] + "  ").split(" ", 2)
        lines = (line.partition(":") for line in block[1:])
        found = {name.lower(): value.strip() for name, _, value in lines}
        return Answer(int(status), reason.strip(), found, body.read_bytes() if body.exists() else b"")

    def with_key(self, authorization: str) -> Curl:
        """The same with another Authorization header; with an empty text it sends none."""
        return Curl(self.address, self._folder, authorization)
