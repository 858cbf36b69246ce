"""Documentation through troth, beside Starlette's StaticFiles on the same uvicorn, in alternating order."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.load import Target
from bench.section import Findings, Options
from bench.servers import OWNER, ROOT, TrothServer, running, troth_server
from bench.table import Table, met

TARGET_RATIO = 0.8
_CONNECTIONS = 8
SUBJECT, VERSION = f"{OWNER}/shop", "1.0"
#: kinds of files by their names, with their sizes
FILES = {"page.html": 20 << 10, "image.png": 4 << 10, "app.bin": 1 << 20}
_STATIC = """
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
app = Starlette(routes=[Mount("/", StaticFiles(directory=sys.argv[1], html=True))])
config = uvicorn.Config(app, log_level="critical", access_log=False, loop="uvloop", http="httptools")
uvicorn.Server(config).run(sockets=[listener])
"""


def measure(options: Options) -> Findings:
    """Loads each file from both."""
    options.say(f"sites: {options.rounds} rounds of {len(FILES)} files")
    files = {name: (b"<p>documentation of the shop</p>\n" * size)[:size] for name, size in FILES.items()}
    rows, wrong = [], 0
    with troth_server() as server:
        folder = server.folder / "static"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        release(server, files)
        with _static(folder) as plain:
            for name, content in files.items():
                pair = [
                    Target(_port(server.address), f"/docs/{SUBJECT}/{VERSION}/{name}", {}, b"", content, "GET"),
                    Target(_port(plain), f"/{name}", {}, b"", content, "GET"),
                ]
                rates: list[list[float]] = [[], []]
                for number in range(options.rounds):
                    for which in (0, 1) if number % 2 == 0 else (1, 0):
                        load = options.generator(pair[which], _CONNECTIONS, options.seconds)
                        rates[which].append(load.rate)
                        wrong += load.wrong
                rows.append(_row(name, len(content), rates))
    return Findings([_table(rows)], wrong)


def release(server: TrothServer, files: dict[str, bytes]) -> None:
    """Releases a product with these files as its documentation."""
    project = server.folder / "shop"
    project.mkdir()
    (project / "troth.toml").write_text(
        f'[product]\nowner = "{OWNER}"\nname = "shop"\nversion = "1.0.0"\n[release]\noccasion = "scheduled"\n'
    )
    docs = server.folder / "docs"
    docs.mkdir()
    for name, content in files.items():
        (docs / name).write_bytes(content)
    git = ["git", "-C", str(project), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "shop"], check=True)
    with server.client() as client:
        client.command("create_product", product=SUBJECT, summary="", public=True)
    key = server.folder / "home" / "owner.key"
    troth = [sys.executable, "-m", "troth", "release", "cut", "1.0.0", "--project", str(project), "--docs", str(docs)]
    subprocess.run([*troth, "--server", server.address, "--key-file", str(key)], check=True, stdout=subprocess.DEVNULL)


def _row(name: str, size: int, rates: list[list[float]]) -> list[str]:
    ratio = statistics.median(ours / theirs for ours, theirs in zip(*rates, strict=True))
    medians = [statistics.median(one) for one in rates]
    shown = f"{size >> 10} KiB" if size < 1 << 20 else f"{size >> 20} MiB"
    return [f"{name}, {shown}", *(f"{one:,.0f}" for one in medians), f"{ratio:.2f}", met(ratio >= TARGET_RATIO)]


def _table(rows: list[list[str]]) -> Table:
    return Table(
        f"Documentation, {_CONNECTIONS} connections, answers a second",
        ["file", "troth", "StaticFiles", "ratio", "target met"],
        rows,
        f"Target: at least {TARGET_RATIO:g} times Starlette's StaticFiles on the same uvicorn; medians of interleaved rounds.",
    )


@contextmanager
def _static(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-c", _STATIC, str(folder)]
    with running(command, ROOT, dict(os.environ), ending="\n") as (_, said):
        yield said.strip()


def _port(address: str) -> int:
    return urlsplit(address).port or 0
