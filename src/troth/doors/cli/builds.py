"""Commands on builds: build list, log and sbom; rebuild; collect. And how a build under way is followed."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape

from troth.doors.cli.output import Remote, console, say, show, show_json, show_table, working
from troth.errors import Failed, Malformed, NotFound, TrothError
from troth.sdk import Client

_UNDER_WAY, _SUCCEEDED = "in-progress", "succeeded"
_HASH = re.compile(r"[0-9a-fA-F]{7,40}", re.ASCII)
#: seconds that one question about a log waits for more of it
_PATIENCE = 20

build = App(name="build", help="Shows builds, their logs and what they are made of.", help_format="plaintext")


@build.command(name="list")
def list_builds(algorithm: str, /, *, remote: Remote = Remote()) -> int:
    """Lists the builds of an algorithm, newest first, for members of its owner.

    Parameters
    ----------
    algorithm
        owner/name.
    """
    with remote.client() as client:
        found = client.builds(algorithm)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [
            row["hash"][:12],
            row["status"],
            row["started_at"][:19].replace("T", " "),
            _duration(row["started_at"], row["finished_at"]),
            str(len(row["packages"])),
        ]
        for row in found["builds"]
    ]
    show_table(found["algorithm"], ["hash", "status", "started", "took", "packages"], rows)
    return 0


@build.command(name="log")
def show_log(
    reference: str,
    /,
    *,
    follow: Annotated[
        bool, Parameter(name=["-f", "--follow"], negative="", help="Wait for more until the build ends.")
    ] = False,
    remote: Remote = Remote(),
) -> int:
    """Prints the log of a build; exits with 1 if the build failed.

    Parameters
    ----------
    reference
        owner/name for the newest build, owner/name/HASH, or owner/name/VERSION.
    """
    with remote.client() as client:
        algorithm, commit = _named(client, reference)
        status, text = _read_log(client, algorithm, commit, follow=follow, silent=remote.json)
    if remote.json:
        show_json({"algorithm": algorithm, "hash": commit, "status": status, "log": text})
    else:
        say(f"build {commit[:12]} of {algorithm}: {status}")
    return Failed.exit_code if status == "failed" else 0


@build.command(name="sbom")
def show_bill_of_materials(
    reference: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["-o", "--output"], help="File to write it to.")] = None,
    remote: Remote = Remote(),
) -> int:
    """Prints what a build is made of: its packages with their hashes, as a CycloneDX document in JSON.

    Parameters
    ----------
    reference
        owner/name for the newest build, owner/name/HASH, or owner/name/VERSION.
    """
    with remote.client() as client:
        algorithm, commit = _named(client, reference)
        bill = client.bill_of_materials(algorithm, commit)
    if output is None:
        show_json(bill)
        return 0
    try:
        output.write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise Malformed(f"{output} cannot be written: {error.strerror}", repair="name another file") from None
    if remote.json:
        show_json({"algorithm": algorithm, "hash": commit, "path": str(output)})
    else:
        say(f"{escape(str(output))}: what build {commit[:12]} of {algorithm} is made of")
    return 0


def rebuild(
    reference: str,
    /,
    *,
    verify: Annotated[bool, Parameter(negative="", help="Build it again, beside itself, and compare.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Proves that a build can be made again; exits with 1 if something else comes out.

    Parameters
    ----------
    reference
        owner/name for the newest build, owner/name/HASH, or owner/name/VERSION.
    """
    if not verify:
        raise Malformed(
            "a version is never built again in its place",
            why="what was published stays what it was (ALG-04)",
            repair=f"troth rebuild --verify {reference} builds it beside itself and compares",
        )
    with remote.client() as client:
        algorithm, commit = _named(client, reference)
        with working(f"building {algorithm}/{commit[:12]} again, beside itself ..."):
            found = client.verify_rebuild(algorithm, commit)
    if remote.json:
        show_json(found)
    else:
        verdict = "[green]the same comes out[/]" if found["same"] else "[bold red]something else comes out[/]"
        show(f"{algorithm}/{commit}: {verdict}")
        _show_comparison("source", found["source"])
        _show_comparison("environment", found["environment"])
    return 0 if found["same"] else Failed.exit_code


def collect(
    *, yes: Annotated[bool, Parameter(negative="", help="Remove what is listed.")] = False, remote: Remote = Remote()
) -> int:
    """Lists what lies on the server's disk and no build needs; with --yes it is removed. For administrators."""
    with remote.client() as client:
        things = client.garbage()
        removed = client.collect(things)["removed"] if yes else []
    listed = removed if yes else things
    total = sum(thing["bytes"] for thing in listed)
    if remote.json:
        show_json({"things": things, "removed": removed, "bytes": total})
        return 0
    if listed:
        rows = [[thing["kind"], thing["id"], _size(thing["bytes"])] for thing in listed]
        show_table("", ["kind", "id", "size"], rows)
    show(f"{len(listed)} {'removed' if yes else 'not needed'}, {_size(total)}")
    if things and not yes:
        say("nothing was removed; troth collect --yes removes it")
    return 0


class Following(threading.Thread):
    """Prints the log of a build under way, dimmed, while another thread waits for the build."""

    def __init__(self, client: Client, algorithm: str, commit: str, talk: Console) -> None:
        super().__init__(name="log", daemon=True)
        self._client = client
        self._build = (algorithm, commit)
        self._talk = talk
        self._over = threading.Event()
        #: how many characters of the log were printed
        self.shown = 0

    def run(self) -> None:
        ended = False
        while not ended:
            over = self._over.is_set()
            try:
                ended = self._step(0 if over else 1) or over
            except NotFound:  # it has not begun
                ended = over
            except TrothError:
                return
            self._over.wait(0.1)

    def finish(self) -> None:
        """Prints what there is still to be printed."""
        self._over.set()
        self.join(5.0)

    def _step(self, wait: int) -> bool:
        """Prints what is new, and says whether the build has ended. One that had ended before is not shown."""
        found = self._client.build_log(*self._build, after=self.shown, wait=wait)
        ended: bool = found["status"] != _UNDER_WAY
        if found["log"] and (self.shown or not ended):
            self._talk.print(escape(found["log"]), style="dim", end="")
            self.shown = found["next"]
        return ended


def awaited(client: Client, algorithm: str, commit: str, *, quiet: bool) -> tuple[dict[str, Any], int]:
    """How the build of a commit ended, and how much of its log was shown: on a terminal it is, while it is written."""
    talk = console(stderr=True)
    if quiet or not talk.is_terminal:
        return client.build(algorithm, commit), 0
    following = Following(client, algorithm, commit, talk)
    with talk.status(f"building {algorithm} ..."):
        following.start()
        try:
            built = client.build(algorithm, commit)
        finally:
            following.finish()
    return built, following.shown


def _named(client: Client, reference: str) -> tuple[str, str]:
    """(owner/name, hash) of the build that a reference means. Raises NotFound."""
    reference = reference.removeprefix("algo://")
    owner, _, rest = reference.partition("/")
    name, _, version = rest.partition("/")
    algorithm = f"{owner}/{name}" if name else owner
    if len(version) == 40 and _HASH.fullmatch(version):
        return algorithm, version.lower()
    if version and not _HASH.fullmatch(version):
        return algorithm, _resolved(client, reference)
    return algorithm, _built(client, algorithm, version.lower())


def _built(client: Client, algorithm: str, beginning: str) -> str:
    """The hash of the build whose hash begins so; of the newest build where `beginning` is empty."""
    hashes = [row["hash"] for row in client.builds(algorithm)["builds"] if row["hash"].startswith(beginning)]
    if len(hashes) == 1 or (hashes and not beginning):
        return str(hashes[0])
    found = f"{len(hashes)} builds" if hashes else "no build"
    raise NotFound(
        f"{found} of {algorithm} begin with {beginning}" if beginning else f"{algorithm} was never built",
        repair=f"troth build list {algorithm} shows its builds",
        asked=beginning,
        found=hashes,
    )


def _resolved(client: Client, reference: str) -> str:
    """The hash of the version that a reference means."""
    found = client.resolve(reference)
    if found["hash"]:
        return str(found["hash"])
    raise NotFound(
        f"{reference} means no version",
        why="; ".join(reason["text"] for reason in found["reasons"]),
        repair=f"troth why {reference} tells more",
        clauses=[reason["clause"] for reason in found["reasons"]],
        asked=reference,
    )


def _read_log(client: Client, algorithm: str, commit: str, *, follow: bool, silent: bool) -> tuple[str, str]:
    """(status, log) of a build, printed as it comes unless `silent`; with `follow` it ends when the build does."""
    text = ""
    while True:
        found = client.build_log(algorithm, commit, after=len(text), wait=_PATIENCE if follow else 0)
        text += found["log"]
        if not silent:
            sys.stdout.write(found["log"])
            sys.stdout.flush()
        if not follow or found["status"] != _UNDER_WAY:
            return found["status"], text
        if not found["log"]:  # it ended a moment ago, and that is being recorded
            time.sleep(0.1)


def _show_comparison(what: str, digests: Mapping[str, str]) -> None:
    recorded, rebuilt = digests["recorded"], digests["rebuilt"]
    if recorded == rebuilt:
        show(f"  {what:12} {recorded}  [green]same[/]")
    else:
        show(f"  {what:12} {recorded}  recorded")
        show(f"  {'':12} {rebuilt}  [bold red]rebuilt[/]")


def _duration(started: str, finished: str | None) -> str:
    if not finished:
        return ""
    return f"{(datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds():.1f} s"


def _size(size: float) -> str:
    """Bytes for people."""
    units: Sequence[str] = ("bytes", "kB", "MB", "GB", "TB")
    for unit in units:
        if size < 1000 or unit == units[-1]:
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
