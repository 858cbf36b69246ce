"""The command `troth query`: a question in the query language, answered as a table, JSON or CSV."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from csv import DictWriter
from itertools import islice
from typing import Annotated, Any

from cyclopts import Parameter

from troth.doors.cli.output import Remote, check_range, say, show_json, show_table
from troth.errors import Malformed, NotFound
from troth.sdk import Client

_USUAL = 50
_LARGEST_PAGE = 1000
_LARGEST_OFFSET = 10_000_000
_DIGEST = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def query(
    entity: str,
    text: str = "",
    /,
    *,
    order_by: Annotated[str, Parameter(help="Fields to order by, like 'version desc, name'.")] = "",
    limit: Annotated[int, Parameter(help="At most so many rows; 0 is all of them.")] = _USUAL,
    offset: Annotated[int, Parameter(help="Rows to leave out before the first.")] = 0,
    as_of: Annotated[
        str | None, Parameter(help="A moment like 2026-11-25T13:00:00Z, or a position of the journal: what was then.")
    ] = None,
    total: Annotated[bool, Parameter(negative="", help="Tell how many rows there are.")] = False,
    csv: Annotated[bool, Parameter(name="--csv", negative="", help="Print CSV.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Answers a question about what the server knows, as far as you may see it.

    Parameters
    ----------
    entity
        algorithms, versions, builds, apis, commands, command-results, products, releases, callers, calls, journal,
        accounts, clauses or waivers.
    text
        Like: owner = "util" and version >= "0.2.0", or: select owner, count() group by owner
    """
    check_range("--limit", limit, 0)
    check_range("--offset", offset, 0, _LARGEST_OFFSET)
    how: dict[str, Any] = {"order_by": order_by, "offset": offset, "as_of": as_of, "include_total": total or None}
    with remote.client() as client:
        try:
            first = client.query(entity, text, limit=min(limit or _LARGEST_PAGE, _LARGEST_PAGE), **how)
        except NotFound as error:  # the entity is a word of the question, which is wrong
            raise Malformed(error.what, why=error.why, repair=error.repair, asked=entity) from None
        rows = _rows(client, entity, text, first, limit, how)
        if csv:
            _print_csv(rows)
        else:
            _print(list(rows), first, remote)
    return 0


def _rows(
    client: Client, entity: str, text: str, first: dict[str, Any], limit: int, how: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """As many rows as were asked for, whatever the size of pages."""

    def every() -> Iterator[dict[str, Any]]:
        page = first
        yield from page["rows"]
        while page["next"]:
            page = client.query(
                entity, text, limit=_LARGEST_PAGE, **{**how, "cursor": page["next"], "include_total": None}
            )
            yield from page["rows"]

    return islice(every(), limit or None)


def _print(rows: list[dict[str, Any]], first: dict[str, Any], remote: Remote) -> None:
    known = {name: first[name] for name in ("total", "as_of") if name in first}
    if remote.json:
        show_json({"rows": rows, **known})
        return
    if rows:
        heads = _heads(rows)
        shown = _short if sys.stdout.isatty() else _cell
        show_table("", heads, [[shown(row[name]) for name in heads] for row in rows])
    more = f" of {first['total']}" if "total" in first else ""
    say(f"{len(rows)} rows{more}" if len(rows) != 1 else f"1 row{more}")


def _heads(rows: list[dict[str, Any]]) -> list[str]:
    """The columns that a table needs: none that is empty in every row, no parts of what is there whole."""
    parts = (
        {"owner", "name"} if {"algorithm", "product"} & set(rows[0]) and {"owner", "name"} <= set(rows[0]) else set()
    )
    return [name for name in rows[0] if name not in parts and any(row[name] not in (None, "") for row in rows)]


def _short(value: Any) -> str:
    """A digest by its beginning, a moment to the second; they are whole in a pipe, and with --json and --csv."""
    text = _cell(value)
    if _DIGEST.fullmatch(text):
        return text[:12]
    return text[:19].replace("T", " ") if _MOMENT.fullmatch(text) else text


def _print_csv(rows: Iterator[dict[str, Any]]) -> None:
    writer = None
    for row in rows:
        if writer is None:
            writer = DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
