"""From a push to a build that can be called by its hash, with and without libraries, and what their environments cost.

The time begins before `git push`. It ends when the build has succeeded, so that its hash can be called; the first answer, for
which a worker has to be started, is told beside it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.section import Findings, Options
from bench.servers import OWNER, TrothServer, troth_server
from bench.table import Table, met, spread
from troth.sdk import Client

TRIVIAL, WITH_LIBRARIES, NEW_ENVIRONMENT = (
    "no dependencies",
    "scikit-learn, environment there",
    "scikit-learn, new environment",
)
#: Seconds that each may take, with a warm package cache.
TARGETS = {TRIVIAL: 1.5, WITH_LIBRARIES: 3.0, NEW_ENVIRONMENT: 15.0}
#: Bytes that the environments of twenty versions with the same dependencies may take beyond the package cache.
VERSIONS, TARGET_BYTES = 20, 80 << 20
_TIMES = 5

_ENTRY = "{library}\n\n\ndef apply(input):\n    return [input, {number}]\n"
_LIBRARY = "from sklearn.linear_model import LogisticRegression\nfrom sklearn.datasets import load_iris\n"


@dataclass(frozen=True, slots=True)
class Push:
    """What was pushed, the seconds until it could be called and until its first answer, and whether that was right."""

    kind: str
    callable: float
    seconds: float
    right: bool


@dataclass(frozen=True, slots=True)
class Pushes:
    """All pushes, and the bytes of the environments and byte-code that they made beyond the package cache."""

    pushes: list[Push]
    environment_bytes: int


def measure(options: Options) -> Findings:
    """Five pushes of each kind, interleaved, on one server; the package cache is filled before."""
    options.say(f"pushes: {_TIMES} of each kind, then the disk of {VERSIONS} versions")
    with troth_server() as server, server.client() as client:
        _warm_the_cache(server, client)
        found: list[Push] = []
        for number in range(_TIMES):
            found.append(_pushed(server, client, f"trivial{number}", TRIVIAL, "", [""]))
            # a package more makes another environment, whose parts are in the cache
            found.append(_pushed(server, client, f"new{number}", NEW_ENVIRONMENT, _LIBRARY, _wanted(number)))
            found.append(_pushed(server, client, f"there{number}", WITH_LIBRARIES, _LIBRARY, _wanted(number)))
        before = _environment_bytes(server)
        for number in range(VERSIONS):
            _pushed(server, client, f"version{number}", NEW_ENVIRONMENT, _LIBRARY, ["scikit-learn==1.7.2", "idna"])
        pushes = Pushes(found, _environment_bytes(server) - before)
    return Findings([_table(pushes)], sum(not push.right for push in found))


def _table(found: Pushes) -> Table:
    """Seconds from a push to the first answer by the commit's hash, and the disk of twenty versions."""
    rows = []
    for kind, target in TARGETS.items():
        those = [push for push in found.pushes if push.kind == kind]
        seconds = [push.callable for push in those]
        answered = f"{statistics.median(push.seconds for push in those):.3f}"
        rows.append([kind, *spread(seconds), f"{target:g}", met(statistics.median(seconds) <= target), answered])
    used = found.environment_bytes / (1 << 20)
    return Table(
        "From `git push` to a build that can be called by its hash, seconds",
        ["what", "median", "least", "most", "target", "met", "first answer"],
        rows,
        f"The environments of {VERSIONS} versions with the same dependencies took {used:.1f} MiB beyond the package "
        f"cache, target {TARGET_BYTES >> 20}: {met(found.environment_bytes <= TARGET_BYTES)}. "
        f"{sum(not push.right for push in found.pushes)} wrong answers.",
    )


_EXTRAS = ("six", "click", "iniconfig", "packaging", "pluggy", "attrs", "certifi", "toml", "tomli")


def _wanted(number: int) -> list[str]:
    return ["scikit-learn==1.7.2", _EXTRAS[number % len(_EXTRAS)]]


def _warm_the_cache(server: TrothServer, client: Client) -> None:
    for number, extra in enumerate(("idna", *_EXTRAS)):
        if number < 10:
            _pushed(
                server,
                client,
                f"warm{number}",
                NEW_ENVIRONMENT,
                "",
                [extra, *(["scikit-learn==1.7.2"] * (number == 0))],
            )
    for digest in (server.folder / "home" / "environments").iterdir():
        subprocess.run(["chmod", "-R", "u+w", str(digest)], check=True)
        subprocess.run(["rm", "-rf", str(digest)], check=True)


def _pushed(server: TrothServer, client: Client, name: str, kind: str, library: str, requirements: list[str]) -> Push:
    subject = f"{OWNER}/{name}"
    client.command("create_algorithm", algorithm=subject)
    folder = server.folder / "clones" / name
    git(server, folder.parent, "clone", "--quiet", f"{server.address}/git/{subject}.git", str(folder))
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    (folder / "src" / f"{name}.py").write_text(_ENTRY.format(library=library, number=len(name)))
    git(server, folder, "add", "-A")
    git(server, folder, "commit", "--quiet", "-m", "source")
    commit = git(server, folder, "rev-parse", "HEAD").strip()
    started = time.perf_counter()
    git(server, folder, "push", "--quiet", "origin", "master")
    built = client.command("compile_algorithm", algorithm=subject, commit=commit)
    can_be_called = time.perf_counter() - started
    if built["status"] != "succeeded":
        raise RuntimeError(built["log"])
    answer = client.call(f"{subject}/{commit}", 1).result
    return Push(kind, can_be_called, time.perf_counter() - started, answer == [1, len(name)])


def git(server: TrothServer, folder: Path, *arguments: str) -> str:
    """One git command with the owner's key."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": '!f() { echo "username=$BENCH_ACCOUNT"; echo "password=$BENCH_KEY"; }; f',
        "GIT_CONFIG_KEY_1": "user.name",
        "GIT_CONFIG_VALUE_1": OWNER,
        "GIT_CONFIG_KEY_2": "user.email",
        "GIT_CONFIG_VALUE_2": "bench@example.org",
        "BENCH_ACCOUNT": OWNER,
        "BENCH_KEY": server.key,
        "no_proxy": "127.0.0.1",
    }
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]}: {done.stderr}")
    return done.stdout


def _environment_bytes(server: TrothServer) -> int:
    """Bytes of the environments' own files and folders; what is linked from the package cache counts there."""
    total = 0
    for path in (server.folder / "home" / "environments").rglob("*"):
        status = path.lstat()
        if path.is_dir() or status.st_nlink == 1:
            total += status.st_blocks * 512
    return total
