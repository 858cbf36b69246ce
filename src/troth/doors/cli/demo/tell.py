"""Tells the story on a terminal, or as JSON, and checks it."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import Any

from rich.markup import escape

from troth.doors.cli.demo.builds_ahead import BuildsAhead
from troth.doors.cli.demo.stage import OWNER, Stage, stage
from troth.doors.cli.demo.story import Holding, Story
from troth.doors.cli.output import console, show_json
from troth.errors import StoryBroken


class Narrator:
    """Prints each observation as it comes and keeps it; raises StoryBroken at the first that is not the story's."""

    def __init__(self, *, quiet: bool) -> None:
        self.observations: list[dict[str, Any]] = []
        self.console = console()
        self._quiet = quiet
        self._chapter = ""
        self._chapters = 0

    def chapter(self, title: str) -> None:
        self._chapter = title
        self._chapters += 1
        self._print(f"\n[bold]{self._chapters}. {escape(title)}[/]")

    def saw(self, deed: str, seen: Any, expected: Any) -> None:
        held = expected.test(seen) if isinstance(expected, Holding) else seen == expected
        wanted = expected.words if isinstance(expected, Holding) else expected
        self.observations.append(
            {"chapter": self._chapter, "deed": deed, "seen": seen, "expected": wanted, "held": held}
        )
        self._print(f"  {'[green]ok[/]' if held else '[bold red]NO[/]'} {escape(deed)}")
        for line in _in_words(seen).splitlines():
            self._print(f"     [cyan]{escape(line)}[/]")
        if not held:
            raise StoryBroken(
                f"{deed}: this is not what the story says",
                why=f"expected {_in_words(wanted)}",
                repair="this installation of troth does not keep its promises; please report it",
                asked=wanted,
                found=seen,
            )

    def _print(self, text: str) -> None:
        if not self._quiet:
            self.console.print(text)


def tell(*, port: int, as_json: bool) -> int:
    """Tells the story and returns 0; on a terminal the server serves on until Ctrl-C. Raises StoryBroken."""
    narrator = Narrator(quiet=as_json)
    started = time.monotonic()
    with stage(port) as place:
        if not as_json:
            level = place.ada.health()["isolation"]["level"]
            narrator.console.print(f"[bold]troth[/] is ready at {place.address}, isolation [bold]{level}[/]")
        try:
            with BuildsAhead(place) as builds:
                Story(place, builds, narrator).tell()
        except StoryBroken:
            if as_json:
                show_json({"held": False, "observations": narrator.observations})
            raise
        if as_json:
            show_json({"held": True, "observations": narrator.observations})
            return 0
        spent = time.monotonic() - started
        narrator.console.print(
            f"\n[green]The story held[/]: {len(narrator.observations)} observations in {spent:.0f} seconds."
        )
        if sys.stdout.isatty():
            _serve_on(place)
    return 0


def _serve_on(place: Stage) -> None:
    """Leaves the server to its visitor."""
    key = (place.home / "owner.key").read_text().strip()
    talk = console()
    talk.print(f"\nThe server serves on. In another terminal, as {OWNER}:\n")
    talk.print(f"  export TROTH_SERVER={place.address} TROTH_KEY={key}")
    talk.print("  .venv/bin/troth versions acme/iris")
    talk.print("  .venv/bin/troth call acme/iris/0.2 '[5.1, 3.5, 1.4, 0.2]'")
    talk.print("\nCtrl-C stops it; everything is removed then.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        talk.print("stopped")


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
