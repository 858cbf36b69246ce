"""How the command line speaks: data on standard output, talk on standard error, errors in three lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from troth.errors import CallFailed, Malformed, MalformedSetting, TrothError
from troth.sdk import Client
from troth.settings import Settings, load
from troth.versions.rendering import differences

Algorithm = Annotated[
    str | None, Parameter(help="OWNER/NAME of the algorithm, for a folder whose troth.toml does not name it.")
]


#: columns of a table that no terminal shows, so that no word in it is broken
_WIDE = 100_000
#: between two columns
_GAP = 2


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command."""

    json: Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document instead of text.")] = (
        False
    )


@Parameter(name="*")
@dataclass(frozen=True)
class Remote(Common):
    """Options of commands that talk to a server."""

    server: Annotated[str | None, Parameter(help="Address of the server (TROTH_SERVER).")] = None
    key_file: Annotated[
        Path | None, Parameter(help="File that holds the key (else TROTH_KEY, else the home's owner.key).")
    ] = None

    @cached_property
    def settings(self) -> Settings:
        return load({"server": self.server})

    def client(self) -> Client:
        """A client with the key from --key-file, the settings, or the home of a server on this machine."""
        server = self.settings.server
        if not server.startswith(("http://", "https://")):
            raise MalformedSetting(
                f"{server!r} is no address of a server",
                why="it is named by --server, TROTH_SERVER or your own settings",
                repair="write it like http://127.0.0.1:8710",
            )
        return Client(server, self._key())

    def _key(self) -> str:
        if self.key_file is not None:
            return _key_in(self.key_file)
        try:
            return self.settings.key or _key_in(self.settings.home_path() / "owner.key")
        except Malformed:  # there is no server's home on this machine, or it is another user's
            return ""


def _key_in(path: Path) -> str:
    """The key in a file. Raises Malformed where there is none."""
    try:
        key = path.read_text("ascii").strip()
    except OSError as error:
        why = error.strerror or str(error)
    except UnicodeDecodeError:
        why = "it is no text"
    else:
        if key and key.isprintable() and " " not in key:
            return key
        why = "a key is one word on a line of its own"
    raise Malformed(f"there is no key in {path}", why=why, repair="name the file that troth key create was written to")


def console(*, stderr: bool = False) -> Console:
    """A console that colours on terminals only; NO_COLOR and TERM=dumb are honoured by Rich."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 120
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=width)


def show_json(value: Any) -> None:
    """Prints a value as one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def say(text: str) -> None:
    """Prints a line of talk; `text` may hold Rich's markup."""
    console(stderr=True).print(text)


def show(text: str) -> None:
    """Prints a line of data; `text` may hold Rich's markup."""
    console().print(text)


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows under headings. Cells are plain text, and whole where a program reads them.

    A terminal that is too narrow for the words of a row gets each row as a block, with a line for each cell.
    """
    screen = console()
    on_terminal = sys.stdout.isatty()
    widths = _widths(columns, rows, screen.width if on_terminal else _WIDE)
    if not widths:
        _show_blocks(screen, title, columns, rows)
        return
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, overflow="fold", width=width)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    if on_terminal:
        screen.print(table)
        return
    screen.width = _WIDE
    with screen.capture() as shown:
        screen.print(table)
    # what is said of the table comes behind it, by another channel
    print("\n".join(line.rstrip() for line in shown.get().splitlines()), flush=True)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> list[int]:
    """How wide columns are where the widest give way first, and none to less than its longest word; empty where none fit."""
    cells = list(zip(columns, *rows, strict=True))
    widths = [max(map(cell_len, column)) for column in cells]
    least = [max((cell_len(word) for cell in column for word in cell.split()), default=0) for column in cells]
    too_much = sum(widths) + _GAP * (len(widths) - 1) - most
    while too_much > 0:
        widest = max(range(len(widths)), key=lambda place: (widths[place] > least[place], widths[place]))
        if widths[widest] <= least[widest]:
            return []
        widths[widest] -= 1
        too_much -= 1
    return widths


def _show_blocks(screen: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if title:
        screen.print(f"[italic]{escape(title)}[/]")
    wide = max(map(len, columns))
    for row in rows:
        screen.print()
        for column, cell in zip(columns, row, strict=True):
            if cell:
                screen.print(f"[bold]{escape(column.ljust(wide))}[/]  {escape(cell)}")


def check_range(option: str, value: float, least: float, most: float | None = None, unit: str = "") -> None:
    """Raises Malformed where the value of an option is out of its bounds."""
    if value < least:
        raise Malformed(f"{option} is at least {least:g}{unit}, and not {value:g}", repair="give a larger one")
    if most is not None and value > most:
        raise Malformed(f"{option} is at most {most:g}{unit}, and not {value:g}", repair="give a smaller one")


@contextmanager
def working(text: str) -> Iterator[None]:
    """Shows that something takes a while, on a terminal."""
    talk = console(stderr=True)
    if talk.is_terminal:
        with talk.status(text):
            yield
    else:
        yield


def show_error(error: TrothError, *, as_json: bool) -> None:
    """An error in three lines: what, why with its clauses, and what helps; a verdict shows in between what differs."""
    if as_json:
        show_json(error.as_problem())
        return
    talk = console(stderr=True)
    if isinstance(error, CallFailed) and error.found:  # the algorithm's stack, which members of its owner are sent
        talk.print(escape(str(error.found).rstrip()))
    talk.print(f"[bold red]error:[/] {escape(error.what)}")
    for line in differences(error.verdict) if error.verdict else ():
        talk.print(f"       {escape(line)}")
    clauses = "".join(f"\\[{clause}] " for clause in error.clauses if clause not in error.why)
    if error.why or clauses:
        talk.print(f"  [bold]why:[/] {clauses}{escape(error.why)}".rstrip())
    if error.repair:
        talk.print(f" [bold]help:[/] {escape(error.repair)}")
