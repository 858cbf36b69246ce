"""A project's own command, run on one of its commits: confined where this machine can, and always ended after a while."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from troth.builds.services import run
from troth.contracts.product import Migrations
from troth.errors import MalformedSource, TrothError
from troth.releases.proving import numbered_sql, timed_alembic
from troth.releases.proving.databases import INSIDE, Database
from troth.sandbox.launcher import Confinement, Launcher, Limits, find_bubblewrap
from troth.sandbox.plan import Method

_PRODUCT = "/product"
_INSIDE: Final = {numbered_sql.__file__: "/troth/numbered_sql.py", timed_alembic.__file__: "/troth/timed_alembic.py"}
_MOST_OUTPUT: Final = 1 << 20
_TRIAL_SECONDS: Final = 30.0
#: Becomes the command in the folder that it is run in.
_BECOME: Final = "import os, sys; os.chdir(sys.argv[1]); os.execvp(sys.argv[2], sys.argv[2:])"
_FACTS: Final = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, *sys.path]))"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: what it printed last, how long it took, and whether it was ended for its time."""

    status: int
    output: bytes
    seconds: float
    late: bool

    @property
    def succeeded(self) -> bool:
        return self.status == 0 and not self.late


class Running:
    """Runs commands of a project. `folder` is the product's on the disk, where its interpreter is looked for."""

    def __init__(self, folder: Path, scratch: Path, seconds: float) -> None:
        self._folder = folder
        self._scratch = scratch
        self._seconds = seconds

    @cached_property
    def launcher(self) -> Launcher | None:
        """What confines, where a trial shows that it works here."""
        bubblewrap = find_bubblewrap()
        if bubblewrap is None or sys.platform != "linux":
            return None
        launcher = Launcher(worker_uid=60001, bubblewrap=bubblewrap)
        trial = Confinement(argv=[launcher.interpreter, "-I", "-S", "-c", "print('confined')"])
        try:
            ended = run(launcher, trial, given=b"", seconds=_TRIAL_SECONDS, most_output=_MOST_OUTPUT)
        except (OSError, TrothError):
            return None
        return launcher if launcher.method is Method.BUBBLEWRAP and ended.output.strip() == b"confined" else None

    def confined(self, *, remote: bool) -> bool:
        """Whether runs are confined; what has to reach a PostgreSQL is not."""
        return not remote and self.launcher is not None

    def close(self) -> None:
        """Ends what still runs."""
        if self.__dict__.get("launcher") is not None:
            self.__dict__["launcher"].close()

    def migrate(self, migrations: Migrations, tree: Path, database: Database) -> Ran:
        """Runs all pending migrations of the commit in `tree` on a database."""
        confined = self.confined(remote=database.file is None)
        address = database.address(INSIDE if confined else None)
        command = _migrating(migrations, tree, address, self._interpreter(migrations), confined)
        ran = self._run(command, tree, {migrations.variable: address, "DATABASE_URL": address}, migrations, confined)
        database.open_to_all()
        return ran

    def listing(self, migrations: Migrations, tree: Path) -> Ran:
        """Runs the command that lists migrations."""
        return self._run(list(migrations.listed_by), tree, {}, migrations, self.confined(remote=False))

    def _interpreter(self, migrations: Migrations) -> str:
        """The declared interpreter, else that of the folder's virtual environment, else the one that runs troth."""
        if migrations.python:
            return str(self._folder / migrations.python)
        own = self._folder / ".venv" / "bin" / "python"
        return str(own.absolute()) if own.exists() else sys.executable

    def _run(
        self, command: Sequence[str], tree: Path, given: Mapping[str, str], migrations: Migrations, confined: bool
    ) -> Ran:
        interpreter = self._interpreter(migrations)
        environment = {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{Path(interpreter).parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **given,
        }
        started = time.monotonic()
        if confined:
            status, output, late = self._confined(command, tree, environment, interpreter)
        else:
            status, output, late = self._beside(command, tree, environment)
        return Ran(status, output, time.monotonic() - started, late)

    def _confined(
        self, command: Sequence[str], tree: Path, environment: Mapping[str, str], interpreter: str
    ) -> tuple[int, bytes, bool]:
        launcher = self.launcher
        assert launcher is not None
        confinement = Confinement(
            argv=[launcher.interpreter, "-I", "-S", "-c", _BECOME, _PRODUCT, *command],
            binds=[(str(tree), _PRODUCT), *_INSIDE.items(), *_binds(interpreter)],
            writable=[(str(self._scratch), INSIDE)],
            environment=environment,
            limits=Limits(),
        )
        ended = run(launcher, confinement, given=b"", seconds=self._seconds, most_output=_MOST_OUTPUT)
        return ended.status, ended.output + ended.errors, ended.late

    def _beside(self, command: Sequence[str], tree: Path, environment: Mapping[str, str]) -> tuple[int, bytes, bool]:
        """Runs it as any other program, ended with all that it started when its time is over."""
        try:
            process = subprocess.Popen(
                list(command), cwd=tree, env={**environment, "HOME": str(self._scratch)}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return 127, f"{command[0]}: {error.strerror}".encode(), False
        try:
            output, _ = process.communicate(timeout=self._seconds)
            return process.returncode, output[-_MOST_OUTPUT:], False
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return process.returncode, output[-_MOST_OUTPUT:], True


def _migrating(migrations: Migrations, tree: Path, address: str, interpreter: str, confined: bool) -> list[str]:
    """The command that runs all pending migrations."""
    if migrations.kind == "alembic":
        _point(tree, migrations, address)
    if migrations.run:
        return [word.replace("{database}", address) for word in migrations.run]
    if migrations.kind == "alembic":
        timed = _placed(timed_alembic.__file__, confined)
        return [interpreter, timed, "-c", _configuration(tree, migrations), "upgrade", "head"]
    if migrations.kind == "django":
        return [interpreter, "manage.py", "migrate", "--noinput", "--no-color", "--verbosity", "2"]
    runner = _placed(numbered_sql.__file__, confined)
    return [interpreter, "-I" if not address.startswith("postgres") else "-E", runner, migrations.path or "."]


def _placed(file: str, confined: bool) -> str:
    """Where a runner of ours lies for who runs it."""
    return _INSIDE[file] if confined else file


def _configuration(tree: Path, migrations: Migrations) -> str:
    """The alembic.ini that belongs to a folder of migrations: the nearest above it."""
    parts = migrations.path.split("/")
    for cut in range(len(parts), -1, -1):
        path = "/".join([*parts[:cut], "alembic.ini"])
        if (tree / path).is_file():
            return path
    raise MalformedSource(
        f"there is no alembic.ini above {migrations.path}",
        why="Alembic is configured by it",
        repair='commit it, or say how migrations are run: run = ["alembic", "upgrade", "head"]',
    )


def _point(tree: Path, migrations: Migrations, address: str) -> None:
    """Names the scratch database in the commit's alembic.ini, for an env.py that reads it from there."""
    try:
        file = tree / _configuration(tree, migrations)
    except MalformedSource:
        return
    if file.resolve() != tree.resolve() / file.relative_to(tree):
        raise MalformedSource(
            f"{file.relative_to(tree)} is a link, or lies behind one",
            why="it is written to, and a link may lead out of the commit",
            repair="commit it as a file",
        )
    named = f"sqlalchemy.url = {address.replace('%', '%%')}"
    text = file.read_text()
    replaced, count = re.subn(r"(?m)^\s*sqlalchemy\.url\s*=.*$", lambda _: named, text)
    file.write_text(
        replaced if count else re.sub(r"(?m)^\[alembic\]\s*$", lambda found: f"{found[0].strip()}\n{named}", text)
    )


@cache
def _binds(interpreter: str) -> list[tuple[str, str]]:
    """What an interpreter needs to see of this machine beside /usr, each at its own place."""
    try:
        told = subprocess.run([interpreter, "-c", _FACTS], capture_output=True, timeout=60, check=True, cwd="/").stdout
        places = [str(Path(path)) for path in json.loads(told) if path and Path(path).exists()]
    except (OSError, ValueError, subprocess.SubprocessError):
        places = []
    places += [str(Path(interpreter).parents[1]), str(Path(os.path.realpath(interpreter)).parents[1])]
    wanted = sorted({path for path in places if path != "/" and path != "/usr" and not path.startswith("/usr/")})
    return [(path, path) for path in wanted if not any(path.startswith(f"{other}/") for other in wanted)]
