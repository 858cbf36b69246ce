"""Commands of operators: up, demo, doctor."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.markup import escape

from troth import __version__
from troth.doors.cli.output import Common, Remote, say, show, show_json
from troth.errors import TrothError
from troth.observe import logs
from troth.settings import load


def up(
    *,
    home: Annotated[Path | None, Parameter(help="Folder of the server (TROTH_HOME).")] = None,
    host: Annotated[str | None, Parameter(help="Address to listen on (TROTH_HOST).")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 takes a free one (TROTH_PORT).")] = None,
    owner: Annotated[str | None, Parameter(help="The administrator's account, made at the first start.")] = None,
    engine: Annotated[Literal["local"] | None, Parameter(help="What runs versions.")] = None,
    database: Annotated[str | None, Parameter(help="SQLAlchemy URL of the registry (TROTH_DATABASE).")] = None,
    fronts: Annotated[int | None, Parameter(help="Processes that take calls (TROTH_FRONTS).")] = None,
    trust_authors: Annotated[
        bool, Parameter(negative="", help="Run code even where workers cannot be isolated.")
    ] = False,
    common: Common = Common(),
) -> int:
    """Runs a server until it is stopped. The first start makes its home, the owner's account and key."""
    from troth.doors.server.serve import serve

    flags: dict[str, Any] = {
        "home": str(home) if home else None,
        "host": host,
        "port": port,
        "owner": owner,
        "engine": engine,
        "database": database,
        "fronts": fronts,
        "trust_authors": trust_authors or None,
    }
    settings = load(flags)
    logs.configure(settings.log_format, settings.log_level)

    def ready(address: str, server: Any, key: str | None) -> None:
        level = str(server.engine.isolation.level)
        if common.json:
            show_json({"address": address, "home": str(server.home.root), "isolation": level, "owner_key": key})
            return
        if key:
            say(f"the owner's key, shown once: [bold]{key}[/]  (also in {server.home.owner_key})")
        if level in ("none", "process"):
            _warn(server.engine.isolation.missing, settings.trust_authors)
        print(f"troth is ready at {address}", flush=True)
        say(f"isolation {level}; home {server.home.root}; next: troth new hello")

    serve(settings, ready)
    return 0


def demo(
    *,
    port: Annotated[int, Parameter(help="Port of the demonstration's server; 0 takes a free one.")] = 0,
    common: Common = Common(),
) -> int:
    """Tells and checks the story of three algorithms on a server of its own; keeps serving on a terminal."""
    from troth.doors.cli.demo.tell import tell

    return tell(port=port, as_json=common.json)


def doctor(*, remote: Remote = Remote()) -> int:
    """Proves what isolation this machine gives to workers, and asks the server how it is."""
    from troth.sandbox.isolation import measure
    from troth.sandbox.launcher import Launcher, find_bubblewrap

    bubblewrap = find_bubblewrap()
    launcher = Launcher(worker_uid=remote.settings.worker_uid, bubblewrap=bubblewrap)
    with tempfile.TemporaryDirectory() as home:
        here = measure(launcher, Path(home)).as_dict()
    try:
        with remote.client() as client:
            server: dict[str, Any] = {"address": client.address, **client.health()}
    except TrothError as error:
        server = {"address": remote.settings.server, "status": "unreachable", "why": error.why}
    if remote.json:
        show_json({"version": __version__, "bubblewrap": bubblewrap, "isolation": here, "server": server})
        return 0
    show(f"troth {__version__}")
    show(f"isolation here: [bold]{here['level']}[/]")
    for layer in ("user", "filesystem", "network", "processes", "system_calls", "memory", "kill"):
        show(f"  {layer.replace('_', ' '):13} {here[layer]}")
    for missing in here["missing"]:
        show(f"  [yellow]missing[/]       {escape(missing)}")
    if bubblewrap is None:
        show("  [yellow]help[/]          install bubblewrap: make setup, or your system's package")
    show(f"server {server['address']}: {server['status']}")
    if "isolation" in server:
        show(f"  troth {server['version']}, isolation {server['isolation']['level']}")
    return 0


def _warn(missing: tuple[str, ...], trusted: bool) -> None:
    for text in missing:
        say(f"[yellow]warning:[/] {escape(text)}")
    consequence = "code of authors runs all the same (--trust-authors)" if trusted else "nobody's code is run"
    say(f"[yellow]warning:[/] workers are not isolated here, so {consequence}; troth doctor tells more")
