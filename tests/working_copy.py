"""An author's clone, driven by the real git with the credentials of an account."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class WorkingCopy:
    """A folder under git. `account` and `key` are what git's credential helper answers."""

    folder: Path
    account: str
    key: str

    def git(self, *arguments: str, check: bool = True, **options: str) -> subprocess.CompletedProcess[str]:
        """One git command in the folder, with `options` as further environment variables."""
        helper = '!f() { echo "username=$TEST_ACCOUNT"; echo "password=$TEST_KEY"; }; f'
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": "credential.helper",
            "GIT_CONFIG_VALUE_0": helper,
            "GIT_CONFIG_KEY_1": "user.name",
            "GIT_CONFIG_VALUE_1": self.account or "nobody",
            "GIT_CONFIG_KEY_2": "user.email",
            "GIT_CONFIG_VALUE_2": "author@example.org",
            "TEST_ACCOUNT": self.account,
            "TEST_KEY": self.key,
            "no_proxy": "127.0.0.1",
            **options,
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stdout}{done.stderr}")
        return done

    def commit(self, message: str = "change", **files: bytes | str) -> str:
        """Writes files (`__` in a name stands for `/`, `_dot_` for `.`), commits everything, and gives the commit's id."""
        for name, content in files.items():
            self.write(name.replace("__", "/").replace("_dot_", "."), content)
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def write(self, path: str, content: bytes | str) -> None:
        """Writes one file below the folder."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def push(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`git push origin master`, with further arguments in between."""
        return self.git("push", *arguments, "origin", "master", check=check)


def cloned(folder: Path, address: str, subject: str, account: str, key: str, *options: str) -> WorkingCopy:
    """A clone of an algorithm's repository in `folder`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    outside = WorkingCopy(folder.parent, account, key)
    outside.git("clone", "--quiet", *options, f"{address}/git/{subject}.git", str(folder))
    return WorkingCopy(folder, account, key)
