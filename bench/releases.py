"""Releases: a large repository judged, an upgrade over a thousand releases planned, and a gigabyte of documentation released."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import below, processor_time
from bench.section import Findings, Options
from bench.servers import OWNER, TrothServer, troth_server
from bench.table import Table, met
from troth.registry import products
from troth.registry.database import Database
from troth.registry.product_tables import releases
from troth.versions.releases.numbers import ReleaseNumber

CHECK_SECONDS, PLAN_SECONDS = 30.0, 1.0
#: How much more memory 1 GiB of documentation may take than 16 MiB.
GROWTH = 64 << 20
SUBJECT = f"{OWNER}/shop"
_MODULES, _LINES, _MIGRATIONS, _RELEASES = 1000, 500, 300, 1000
_HEAD = f'[product]\nowner = "{OWNER}"\nname = "shop"\n'
_DECLARED = f"""{_HEAD}
[policy]
profiles = ["polyaxon"]
[[contracts]]
kind = "python"
path = "shop"
[[contracts]]
kind = "settings"
path = "settings.json"
[[migrations]]
kind = "alembic"
path = "migrations"
"""


def measure(options: Options) -> Findings:
    """The three, one after the other."""
    options.say("releases: a repository of 500,000 lines")
    checks, wrong = _checks(options.rounds)
    options.say("releases: a plan over 1,000 releases")
    plans, unplanned = _plans(options.rounds)
    options.say("releases: 16 MiB and 1 GiB of documentation")
    bundles = [_bundle(size) for size in (16, 1024)]
    return Findings([_judged(checks, plans), _released(bundles)], wrong + unplanned)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one run, and those of processor time in it."""

    seconds: float
    processor: float


def _judged(checks: dict[str, list[Took]], plans: list[Took]) -> Table:
    rows = [_row(f"release check, {name}", found, CHECK_SECONDS) for name, found in checks.items()]
    rows.append(_row(f"upgrade plan over {_RELEASES:,} releases", plans, PLAN_SECONDS))
    note = (
        f"Targets: under {CHECK_SECONDS:g} s for a repository of {_MODULES * _LINES:,} lines of Python with {_MIGRATIONS} "
        f"migrations, under {PLAN_SECONDS:g} s for the plan; each in every round. Median of {len(plans)} rounds."
    )
    return Table(
        "Releases judged and upgrades planned, s", ["what", "seconds", "of processor time", "target"], rows, note
    )


def _row(name: str, found: list[Took], target: float) -> list[str]:
    medians = [
        statistics.median(values) for values in zip(*((one.seconds, one.processor) for one in found), strict=True)
    ]
    return [name, *(f"{value:.2f}" for value in medians), met(max(one.seconds for one in found) < target)]


def _released(bundles: list[tuple[int, float, int, int]]) -> Table:
    rows = [
        [f"{size >> 20:,} MiB", f"{seconds:.1f}", f"{server >> 20}", f"{making >> 20}"]
        for size, seconds, server, making in bundles
    ]
    grown = [bundles[1][place] - bundles[0][place] for place in (2, 3)]
    return Table(
        "A bundle of documentation released: seconds, and MiB of memory at most",
        ["bundle", "seconds", "server", "the process that makes it servable"],
        rows,
        f"Target: at most {GROWTH >> 20} MiB more for 1 GiB than for 16 MiB in either: {met(max(grown) <= GROWTH)}."
        " Half of the bytes are noise, half are pages.",
    )


# --- a large repository


def _checks(rounds: int) -> tuple[dict[str, list[Took]], int]:
    """Seconds of `troth release check` where a tenth of the modules changed and where all did, and the wrong answers."""
    found: dict[str, list[Took]] = {"a tenth of the modules changed": [], "every module changed": []}
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        folder = Path(name)
        _large_repository(folder)
        for each, count in zip(found, (_MODULES // 10, _MODULES), strict=True):
            for number in range(count):
                _module(folder, number, more="\n\ndef added(order: int) -> int:\n    return order\n")
            for number in range(_MIGRATIONS, _MIGRATIONS + 3):
                _migration(folder, number)
            _git(folder, "add", "--all")
            _git(folder, "commit", "--quiet", "-m", "change")
            for _ in range(rounds):
                command = [
                    sys.executable,
                    "-m",
                    "troth",
                    "release",
                    "check",
                    "--project",
                    str(folder),
                    "--minor",
                    "--json",
                ]
                began, spent = time.monotonic(), _children()
                done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
                found[each].append(Took(time.monotonic() - began, _children() - spent))
                told = json.loads(done.stdout)
                kinds = [one["kind"] for one in told["facts"]]
                wrong += kinds.count("migration-added") != 3 or "contract-broken" in kinds or told["step"] == "patch"
    return found, wrong


def _children() -> float:
    """Seconds of processor time of processes that this one started and that have ended, theirs included."""
    times = os.times()
    return times.children_user + times.children_system


def _large_repository(folder: Path) -> None:
    for package in range(0, _MODULES, 25):
        (folder / "shop" / f"part{package // 25}").mkdir(parents=True)
        (folder / "shop" / f"part{package // 25}" / "__init__.py").write_text("")
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "migrations").mkdir()
    for number in range(_MODULES):
        _module(folder, number)
    for number in range(_MIGRATIONS):
        _migration(folder, number)
    (folder / "settings.json").write_text('{"type": "object", "properties": {"port": {"type": "integer"}}}')
    (folder / "troth.toml").write_text(_DECLARED)
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", "shop")
    _git(folder, "tag", "v1.0.0")


def _module(folder: Path, number: int, more: str = "") -> None:
    """A module of so many lines, which imports two others."""
    part = number // 25
    imported = [f"from shop.part{other // 25}.module{other} import Order0" for other in (number // 2, number // 3)]
    lines = ["from __future__ import annotations", "", *imported, ""]
    place = 0
    while len(lines) < _LINES - 9:
        lines += [
            "", f"class Order{place}:", f'    """Order {place} of {number}."""', "",
            f"    def total(self, first: int, second: str = '{place}') -> float:",
            f"        values = [first * {place} + index for index in range({number % 7 + 1})]",
            "        return float(sum(values)) + len(second)", "",
        ]  # fmt: skip
        place += 1
    (folder / "shop" / f"part{part}" / f"module{number}.py").write_text("\n".join(lines) + more)


def _migration(folder: Path, number: int) -> None:
    before = f'"{number - 1:04}"' if number else "None"
    (folder / "migrations" / f"{number:04}_change.py").write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{number:04}"\ndown_revision = {before}\n\n\n'
        f'def upgrade() -> None:\n    op.create_table("table{number}", sa.Column("id", sa.Integer, primary_key=True))\n'
    )


def _git(folder: Path, *arguments: str) -> None:
    named = ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
    subprocess.run(["git", "-C", str(folder), *named, *arguments], check=True, stdout=subprocess.DEVNULL)


# --- a thousand releases


def _plans(rounds: int) -> tuple[list[Took], int]:
    """Seconds of a plan from the first of a thousand releases to the last, asked of a server, and the wrong answers."""
    found, wrong = [], 0
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        folder = Path(name)
        with troth_server(folder=folder) as server, server.client() as client:
            client.command("create_product", product=SUBJECT, public=True)
        _fill(folder / "home")
        with troth_server(folder=folder) as server, server.client() as client:
            for _ in range(rounds):
                began, spent = time.monotonic(), processor_time(server.process_id).server
                told = client.upgrade_plan(SUBJECT, "1.0.0", f"1.{_RELEASES - 1}.0")
                seconds = time.monotonic() - began
                found.append(Took(seconds, processor_time(server.process_id).server - spent))
                wrong += len(told["migrations"]) != _RELEASES - 1 or len(told["releases"]) != _RELEASES - 1
    return found, wrong


def _fill(home: Path) -> None:
    """Rows as `cut_release` writes them: notes, facts, proved paths with the time of each migration."""
    database = Database(f"sqlite:///{next(home.glob('*.sqlite'))}")
    try:
        with database.read() as connection:
            row = products.existing(connection, SUBJECT)
        database.write_now(
            lambda connection: (
                connection.execute(
                    releases.insert(), [_release(row.id, row.owner_id, number) for number in range(_RELEASES)]
                ).rowcount
            )
        )
    finally:
        database.close()


def _release(product: str, account: str, number: int) -> dict[str, Any]:
    chain = [
        {"chain": "migrations", "id": f"{one:04}", "path": f"migrations/{one:04}_change.py", "meaning": f"{one}",
         "component": "core", "parents": [f"{one - 1:04}"] if one else [], "position": None}
        for one in range(number + 1)
    ]  # fmt: skip
    path = f"migrations/{number:04}_change.py"
    paths = [
        {"migrations": "migrations", "begins": f"1.{before}.0", "also": [], "database": "PostgreSQL", "outcome": "passed",
         "words": "1 migration, 240 rows kept", "seconds": 0.5, "locked": 0.1, "again": "", "confined": False,
         "times": [{"id": f"{one:04}", "seconds": 0.1} for one in range(before + 1, number + 1)]}
        for before in range(max(0, number - 5), number)
    ]  # fmt: skip
    told = {
        "profiles": ["polyaxon"],
        "components": {"core": "", "reports": "beta"},
        "facts": [{"kind": "migration-added", "where": path, "words": "a table is new"}]
        + [{"kind": "setting-added", "where": f"settings.json: {one}", "words": "a setting is new"} for one in range(5)],
        "notes": [
            {"kind": "noted-fix", "component": "core", "where": f"changes/{number}{one}.fix.md", "text": f"{number} {one} " * 20}
            for one in range(10)
        ],
        "paths": paths, "infrastructures": [], "warnings": [],
    }  # fmt: skip
    shown = f"1.{number}.0"
    return {
        "id": str(uuid.uuid4()), "product_id": product, "number": shown, "prerelease": False,
        "precedence": products.precedence(ReleaseNumber.parse(shown)), "former": None, "commit": "0" * 40, "tag": f"v{shown}",
        "occasion": "scheduled", "policy_revision": 1, "verdict": "{}", "evidence_digest": "0" * 64, "docs_digest": None,
        "state": hashlib.sha256(str(number).encode()).hexdigest(), "told": json.dumps(told), "migrations": json.dumps(chain),
        "settings": "[]", "cut_by": account, "cut_at": "2026-01-01T00:00:00.000000Z",
    }  # fmt: skip


# --- a gigabyte of documentation


def _bundle(mebibytes: int) -> tuple[int, float, int, int]:
    """Bytes of a bundle, seconds of the release that has it, and the memory of the server and of the process below it."""
    with troth_server() as server:
        project = server.folder / "shop"
        project.mkdir()
        (project / "troth.toml").write_text(f'{_HEAD}version = "1.0.0"\n[release]\noccasion = "scheduled"\n')
        _git(project, "init", "--quiet")
        _git(project, "add", "--all")
        _git(project, "commit", "--quiet", "-m", "shop")
        packed = server.folder / "docs.tar.gz"
        _pack(packed, mebibytes)
        with server.client() as client:
            client.command("create_product", product=SUBJECT)
        with _watched(server) as peaks:
            began = time.monotonic()
            _cut(server, project, packed)
            seconds = time.monotonic() - began
        return packed.stat().st_size, seconds, peaks[0], peaks[1]


def _pack(target: Path, mebibytes: int) -> None:
    """Noise that does not shrink, and pages that are packed without being shrunk, so that the bundle has its size."""
    page = (
        b"<html><body><h1>Orders</h1>"
        + b"<p>An order has items, and each has a price.</p>\n" * 1300
        + b"</body></html>"
    )
    with gzip.open(target, "wb", compresslevel=0) as zipped, tarfile.open(fileobj=zipped, mode="w|") as archive:
        for number in range(mebibytes):
            if number % 2:
                _add(archive, f"files/{number}.bin", os.urandom(1 << 20))
            else:
                for place in range(16):
                    _add(archive, f"pages/{number}-{place}.html", page[: 1 << 16])
        _add(archive, "index.html", b"<p>shop</p>")


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _cut(server: TrothServer, project: Path, packed: Path) -> None:
    key = server.folder / "home" / "owner.key"
    troth = [sys.executable, "-m", "troth", "release", "cut", "1.0.0", "--project", str(project), "--docs", str(packed)]
    subprocess.run([*troth, "--server", server.address, "--key-file", str(key)], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _watched(server: TrothServer) -> Iterator[list[int]]:
    """The most memory that the server held, and any one process below it, looked up ten times a second."""
    peaks, stop = [0, 0], threading.Event()

    def look() -> None:
        while not stop.wait(0.1):
            peaks[0] = max(peaks[0], _held(server.process_id))
            peaks[1] = max([peaks[1], *map(_held, set(below(server.process_id)) - {server.process_id})])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()


def _held(process_id: int) -> int:
    """Bytes that a process holds of its own or shares, without pages of files; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:")), 0)
