"""Where the story plays: a real server in a process of its own, projects on disk, and accounts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from troth.errors import StoryBroken
from troth.sdk import Client, push
from troth.settings import user_cache

OWNER, MEMBER, STRANGER, ORGANIZATION = "ada", "ben", "sam", "acme"
#: the scikit-learn that each version of iris was written for
LIBRARY = {"0.1.0": "1.7.2", "0.1.1": "1.7.2", "0.2.0": "1.8.0", "1.0.0": "1.8.0", "1.0.1": "1.8.0"}

_PROJECT = """\
[algorithm]
owner = "{owner}"
name = "{name}"

[permissions]
network_access = "{network_access}"
"""

_EXAMPLES = """
[contract]
examples = "examples.json"
"""


@dataclass
class Stage:
    """A server with the three who appear: ada and ben belong to acme, sam does not."""

    address: str
    home: Path
    workshop: Path
    ada_key: str
    ada: Client
    ben: Client
    sam: Client

    def project(self, name: str, version: str, *, network_access: str = "isolated") -> Path:
        """The folder of acme's algorithm `name`, holding the source of `version`."""
        folder = self.workshop / name
        (folder / "src").mkdir(parents=True, exist_ok=True)
        source = resources.files("troth.doors.cli.demo").joinpath("sources", name, f"{version}.py")
        (folder / "src" / f"{name}.py").write_text(source.read_text())
        examples = resources.files("troth.doors.cli.demo").joinpath("sources", name, f"{version}.json")
        described = _PROJECT.format(owner=ORGANIZATION, name=name, network_access=network_access)
        (folder / "examples.json").unlink(missing_ok=True)
        if examples.is_file():
            (folder / "examples.json").write_text(examples.read_text())
            described += _EXAMPLES
        (folder / "troth.toml").write_text(described)
        if name == "iris":
            (folder / "requirements.txt").write_text(f"scikit-learn=={LIBRARY[version]}\n")
        return folder

    def compile(self, name: str, version: str, **options: Any) -> str:
        """The hash of a new build of that source, which ada pushes."""
        folder = self.project(name, version, **options)
        if push.available():
            commit = push.pushed(self.ada, self.address, OWNER, self.ada_key, folder, f"{name} {version}")
            built = self.ada.command("compile_algorithm", algorithm=f"{ORGANIZATION}/{name}", commit=commit)
        else:
            built = self.ada.compile(folder)
        if built["status"] != "succeeded":
            raise StoryBroken(f"the build of {name} {version} failed", why=built["log"])
        return str(built["hash"])


@contextmanager
def stage(port: int) -> Iterator[Stage]:
    """Starts the server and makes the accounts; everything is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="troth-demo-") as scratch:
        home = Path(scratch, "home")
        with _server(home, port) as address:
            ada_key = (home / "owner.key").read_text().strip()
            ada = Client(address, ada_key)
            for name in (MEMBER, STRANGER):
                ada.command("create_account", name=name)
            ben, sam = (Client(address, ada.command("create_key", account=name)["key"]) for name in (MEMBER, STRANGER))
            ada.command("create_organization", name=ORGANIZATION)
            ada.command("add_member", organization=ORGANIZATION, account=MEMBER, role="member")
            with ada, ben, sam:
                yield Stage(address, home, Path(scratch, "workshop"), ada_key, ada, ben, sam)
        _clear(home / "environments")


def _clear(environments: Path) -> None:
    """Removes thousands of files, of which each waits for the disk, in a tenth of the time of one after the other."""
    with ThreadPoolExecutor(8) as pool:
        packages = [path for path in environments.glob("*/site/*") if path.is_dir() and not path.is_symlink()]
        for package in packages:
            pool.submit(shutil.rmtree, package, ignore_errors=True)


@contextmanager
def _server(home: Path, port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "troth", "up", "--home", str(home), "--owner", OWNER, "--port", str(port)]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    # kept from one demonstration to the next, because scikit-learn in two versions is 120 MB to download
    surroundings["TROTH_PACKAGE_CACHE"] = os.environ.get("TROTH_PACKAGE_CACHE") or str(user_cache() / "packages")
    process = subprocess.Popen(
        command, cwd=home.parent, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if " is ready at " not in said:
            _, complaint = process.communicate(timeout=10)
            raise StoryBroken("the server did not start", why=complaint.strip())
        yield said.split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=30)
