"""Commands for who maintains an application: which references float, and what they mean now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json, working
from troth.errors import Refused
from troth.sdk import application
from troth.sdk import lock as locks
from troth.sdk.leaving import Leaving, leaving, locked
from troth.versions.escaping import annotation

_FLOATING = 1


def lint(
    *paths: Path,
    told: Annotated[
        Literal["text", "json", "github"], Parameter(name="--format", help="github is annotations of a workflow.")
    ] = "text",
    lines: Annotated[
        bool, Parameter(negative="", help="Ask the server which of them float on a deprecated or retired line.")
    ] = False,
    remote: Remote = Remote(),
) -> int:
    """Reports references in an application's files that may come to mean another version (ALG-14, ALG-20).

    It reads addresses with algo:// or /v1/algo/, and what algo("..."), .call("...") and troth call are given. References that
    are none are reported too. With --lines those that float on a line which is on its way out have the version to go to and the
    dates; those in a troth.lock too. Exits with 1 where there is something to report.

    Parameters
    ----------
    paths
        Files and folders (default: this folder).
    """
    chosen = paths or (Path(),)
    found = [use for use in application.uses(chosen) if use.floats or use.reference is None]
    ending: dict[application.Use, Leaving] = {}
    if lines:
        with remote.client() as client, working("asking for lines ..."):
            in_locks = list(locked(chosen))
            ending = {one.use: one for one in leaving(client, [*found, *in_locks])}
        found = [*(use for use in found if use.path.name != application.LOCK_FILE), *filter(ending.get, in_locks)]
    form = "json" if remote.json else told
    if form == "json":
        more = {use: {"leaving": one.as_dict(), "advice": one.words} for use, one in ending.items()}
        show_json([{**use.as_dict(), **more.get(use, {})} for use in found])
    for use in found if form != "json" else ():
        words = f"{use.words}; {ending[use].words}" if use in ending else use.words
        if form == "github":
            print(annotation("warning" if use.floats else "error", str(use.path), use.clause, words, use.line))
        else:
            show(escape(f"{use.path}:{use.line}:{use.column}: {words} ({use.clause})"))
    if found and form == "text":
        say("use the complete version in production; troth lock writes down what floating references mean now")
    return _FLOATING if found else 0


def lock(
    path: Path = Path(),
    /,
    *,
    check: Annotated[
        bool, Parameter(negative="", help="Write nothing; fail where a reference means something else than it did.")
    ] = False,
    file: Annotated[Path | None, Parameter(help="The lock (default: troth.lock in the folder).")] = None,
    remote: Remote = Remote(),
) -> int:
    """Writes down which exact version, by its digests, each reference of an application means now.

    With --check it exits with 3 where a floating reference moved, one is not locked, or a version has other content.

    Parameters
    ----------
    path
        The application's folder, or one file.
    """
    target = file or (path if path.is_dir() else path.parent) / application.LOCK_FILE
    found = list(application.uses([path]))
    before = locks.read(target) if check else {}
    with remote.client() as client, working("resolving references ..."):
        now = locks.resolved(client, found)
    if check:
        return _checked(target, before, now, remote)
    target.write_text(locks.written(now))
    if remote.json:
        show_json({"path": str(target), "references": now})
    else:
        for reference, meant in now.items():
            show(f"{escape(reference)} -> {meant['version']}")
        say(f"{len(now)} references locked in {escape(str(target))}")
    return 0


def _checked(target: Path, before: locks.Locked, now: locks.Locked, remote: Remote) -> int:
    moved = list(locks.differences(before, now))
    if failing := [one for one in moved if one.kind != "unused"]:
        raise Refused(
            f"{target} does not hold: {'; '.join(one.words for one in failing)}",
            why="what an application was tested with is not what it would call now",
            repair="test it with the new versions and write the lock anew (troth lock), or name complete versions",
            clauses=["ALG-14"],
            asked=str(target),
            found=[one.as_dict() for one in moved],
        )
    if remote.json:
        show_json({"path": str(target), "references": now, "unused": [one.reference for one in moved]})
    else:
        for one in moved:
            say(f"[yellow]warning:[/] {escape(one.words)}")
        show(f"{escape(str(target))} holds: {len(now)} references mean what they did")
    return 0
