"""The commands of major lines of algorithms: troth line list, notice, retire, request-waiver."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from troth.doors.cli.output import Remote, say, show, show_json, show_table
from troth.doors.cli.waiver import expiry, show_waiver
from troth.versions.waivers import WAIVABLE

line = App(
    name="line",
    help="Shows and retires major lines of algorithms, after the notice that their owner gives.",
    help_format="plaintext",
)
_Stop = Annotated[
    bool,
    Parameter(
        negative="", help="References like 1.2 and 1.* lead nowhere any more, too, which takes a waiver of ALG-11."
    ),
]


@line.command(name="list")
def list_(algorithm: str, /, *, remote: Remote = Remote()) -> int:
    """Lists the public lines of an algorithm, with their states and how much others call them.

    Parameters
    ----------
    algorithm
        OWNER/NAME.
    """
    with remote.client() as client:
        found = client.lines(algorithm)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [
            row["line"],
            row["state"] + (", without floating references" if row["floating_stopped"] else ""),
            row["newest"],
            _day(row["deprecated_at"]),
            _day(row["retires_after"]),
            f"{row['calls']} by {row['callers']}",
        ]
        for row in found["lines"]
    ]
    head = ["line", "state", "newest", "deprecated", "notice until", f"calls by others, {found['quiet_days']} days"]
    show_table(f"{found['algorithm']}: {_notice(found)}", head, rows)
    return 0


@line.command
def notice(
    algorithm: str,
    /,
    *,
    days: Annotated[
        int | None, Parameter(help="Days from a new public major until former lines may be retired.")
    ] = None,
    none: Annotated[bool, Parameter(negative="", help="A new major deprecates nothing, as at first.")] = False,
    quiet_days: Annotated[
        int | None, Parameter(help="Days in which nobody else may have called a line that is retired (at first 30).")
    ] = None,
    remote: Remote = Remote(),
) -> int:
    """Sets how long callers of a line have once a new public major is out. What was announced already stays.

    Former lines of which nothing was announced are deprecated at once.

    Parameters
    ----------
    algorithm
        OWNER/NAME.
    """
    payload: dict[str, Any] = {"algorithm": algorithm}
    if days is not None or none:
        payload["days"] = None if none else days
    if quiet_days is not None:
        payload["quiet_days"] = quiet_days
    with remote.client() as client:
        found = client.command("set_line_notice", **payload)
    if remote.json:
        show_json(found)
        return 0
    show(f"{found['algorithm']}: {_notice(found)}")
    for major in found["deprecated"]:
        show(f"  {major} is deprecated from now on")
    return 0


@line.command
def retire(algorithm: str, number: int, /, *, stop_floating: _Stop = False, remote: Remote = Remote()) -> int:
    """Retires a deprecated line: nothing more is published on it. Its complete numbers run on.

    Parameters
    ----------
    algorithm
        OWNER/NAME.
    number
        The line: 1 for 1.x.
    """
    with remote.client() as client:
        found = client.command("retire_line", algorithm=algorithm, line=number, stop_floating=stop_floating)
    if remote.json:
        show_json(found)
        return 0
    show(f"{found['algorithm']} {found['line']} is [green]retired[/]; its complete numbers run on")
    for one in found["verdict"]["waived"]:
        show(f"  by a waiver, {one['clause']} notwithstanding: {one['text']}")
    return 0


@line.command(name="request-waiver")
def request_waiver(
    algorithm: str,
    number: int,
    /,
    *,
    reason: Annotated[str, Parameter(name=["-m", "--reason"], help="Why callers should bear it; everybody reads it.")],
    stop_floating: _Stop = False,
    days: Annotated[int, Parameter(help="Days until it expires.")] = 30,
    remote: Remote = Remote(),
) -> int:
    """Asks that a line may be retired though others still use it (ALG-11). Another has to approve it.

    It holds for exactly this line, and for stopping its floating references only where that is asked for.

    Parameters
    ----------
    algorithm
        OWNER/NAME.
    number
        The line: 1 for 1.x.
    """
    with remote.client() as client:
        found = client.command(
            "request_line_waiver",
            algorithm=algorithm,
            line=number,
            stop_floating=stop_floating,
            clauses=list(WAIVABLE["line"]),
            reason=reason,
            expires_at=expiry(days),
        )
    show_waiver(found, remote)
    say(f"next: another owner or admin does: troth waiver approve {found['line']}/{found['number']}")
    return 0


def _notice(found: dict[str, Any]) -> str:
    if found["days"] is None:
        return "a new major deprecates nothing"
    return f"{found['days']} days of notice, {found['quiet_days']} quiet days"


def _day(moment: str | None) -> str:
    return moment[:10] if moment else ""
