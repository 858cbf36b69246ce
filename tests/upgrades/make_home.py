"""Makes a home with data in it by a released program: `python -m tests.upgrades.make_home TROTH VERSION`.

TROTH is that release's command. What comes out, `homes/VERSION.tar.gz`, is what upgrades of later releases are tried on. Sources
and libraries are left out, as in a backup: a server makes them again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import httpx2

HOMES = Path(__file__).parent / "homes"
_KEPT = ("registry.sqlite", "artifacts", "repositories", "owner.key", "signing.key", "webhook.key", "keys.json")
_PORT = 8797
_ADDRESS = f"http://127.0.0.1:{_PORT}"


def main() -> None:
    """Makes the home with the command and under the version that the command line names."""
    troth, version = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        home = folder / "home"
        surroundings = {"PATH": os.environ["PATH"], "HOME": scratch, "TROTH_SERVER": _ADDRESS}
        server = subprocess.Popen(
            [troth, "up", "--home", str(home), "--port", str(_PORT), "--owner", "ada"], env=surroundings
        )
        try:
            _wait()
            _work(Tools(troth, surroundings, folder), home)
            time.sleep(3)  # counts of calls are written about once a second
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        with tarfile.open(HOMES / f"{version}.tar.gz", "w:gz") as archive:
            for name in _KEPT:
                if (home / name).exists():
                    archive.add(home / name, name, filter=_plain)


class Tools:
    """The command line of the release, as different people use it."""

    def __init__(self, troth: str, surroundings: dict[str, str], folder: Path) -> None:
        self._troth, self._surroundings, self._folder = troth, surroundings, folder

    def run(self, key: str, *arguments: str) -> str:
        """What a command prints, which has to succeed."""
        done = subprocess.run(
            [self._troth, *arguments], env={**self._surroundings, "TROTH_KEY": key}, cwd=self._folder,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"troth {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Writes a file in the folder that commands run in."""
        (self._folder / path).write_text(text)


def _work(tools: Tools, home: Path) -> None:
    """Accounts, an organisation, keys, builds, versions, calls, failures and refusals."""
    ada = (home / "owner.key").read_text().strip()
    for name in ("bob", "eve"):
        tools.run(ada, "account", "create", name)
    keys = {"ada": ada}
    for name in ("bob", "eve"):
        keys[name] = json.loads(tools.run(ada, "key", "create", name, "--json"))["key"]
    revoked = json.loads(tools.run(keys["bob"], "key", "create", "bob", "--json"))
    keys["revoked"] = revoked["key"]
    tools.run(keys["bob"], "key", "revoke", revoked["key_id"])
    tools.run(ada, "account", "organization", "acme")
    tools.run(ada, "account", "add-member", "acme", "bob")
    tools.run(ada, "new", "hello", "--public")
    tools.run(ada, "publish", "--minor", "hello")
    tools.write("hello/src/hello.py", 'def apply(input):\n    return f"good day, {input}"\n')
    tools.run(ada, "publish", "--revision", "hello")
    tools.run(keys["bob"], "new", "inside", "--owner", "acme")
    tools.write("inside/src/inside.py", "def apply(input):\n    return 1 / input\n")
    tools.run(keys["bob"], "publish", "--minor", "inside")
    tools.run(keys["eve"], "call", "ada/hello/0.1.0", "World")
    tools.run(keys["bob"], "call", "ada/hello", "Bob")
    _post(keys["bob"], "acme/inside/0.1.0", "0")  # it raises
    _refused(ada)
    (home / "keys.json").write_text(json.dumps(keys))


def _post(key: str, reference: str, body: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    httpx2.post(f"{_ADDRESS}/v1/algo/{reference}", headers=headers, content=body, trust_env=False)


def _refused(key: str) -> None:
    """A publication that the policy refuses, so that the journal has one."""
    hello = httpx2.get(f"{_ADDRESS}/api/v1/query/versions?algorithm=ada/hello",
                       headers={"Authorization": f"Bearer {key}"}, trust_env=False).json()  # fmt: skip
    built = hello["versions"][0]["hash"]
    payload = {"algorithm": "ada/hello", "hash": built, "number": "0.1.0"}
    answer = httpx2.post(f"{_ADDRESS}/api/v1/cmd?command=publish_version&version=1", json=payload,
                         headers={"Authorization": f"Bearer {key}"}, trust_env=False)  # fmt: skip
    if answer.status_code != 409:
        raise SystemExit(f"it was not refused: {answer.status_code} {answer.text}")


def _wait() -> None:
    for _ in range(300):
        try:
            if httpx2.get(f"{_ADDRESS}/health", trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """No owner, no time, and no samples of hooks."""
    if "/hooks/" in member.name:
        return None
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
