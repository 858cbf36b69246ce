"""The commands on commands with wire formats, and on the queue: troth command create, add, list, show and so on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, check_range, say, show, show_json, show_table
from troth.errors import Malformed, Unavailable

command = App(
    name="command",
    help="Commands of your own with wire formats: made, published, sent, and looked after in the queue.",
    help_format="plaintext",
)
#: seconds that the server lets a sender wait
_LONGEST_WAIT = 600
_REPLACED = {
    "up_conversion": "up-conversion",
    "golden": "golden payloads",
    "handler_by": "the account it runs for",
    "handler_scope": "the rights of the key it runs with",
}
Public = Annotated[bool, Parameter(negative="", help="Everybody may send it.")]


@command.command
def create(
    name: str,
    /,
    *,
    summary: Annotated[str, Parameter(help="What it is for, in a line.")] = "",
    public: Public = False,
    remote: Remote = Remote(),
) -> int:
    """Makes a command, so that versions of it can be published.

    Parameters
    ----------
    name
        OWNER/COMMAND.
    """
    found = _own(remote, "create_command", {"command": name, "summary": summary, "public": public})
    return _told(remote, found, f"made {name}; next: troth command add {name} 1 --file VERSION.json")


@command.command
def add(
    name: str,
    version: int,
    /,
    *,
    file: Annotated[Path, Parameter(help="JSON with format, handler, golden, and up_conversion and release if any.")],
    remote: Remote = Remote(),
) -> int:
    """Publishes a version of a command: its wire format, its handler and the way from the version before.

    Parameters
    ----------
    name
        OWNER/COMMAND.
    version
        1 for the first, and the former and 1 for each further.
    """
    declared = _read(file)
    found = _own(remote, "publish_command_version", {**declared, "command": name, "version": version})
    proof = found["proof"]
    if found["new"]:
        words = f"published version {version} of {name}"
    elif changed := found.get("changed"):
        words = f"version {version} of {name} now: {_changes(changed)}"
    else:
        words = f"version {version} of {name} stands as it was"
    words += f"; proved on {proof['golden'] + proof['converted']} golden and {proof['drawn']} drawn payloads"
    return _told(remote, found, words)


@command.command(name="list")
def list_(*, remote: Remote = Remote()) -> int:
    """Lists the commands that you may send."""
    with remote.client() as client:
        found = client.commands()
    if remote.json:
        show_json(found)
        return 0
    rows = [[row["command"], _versions(row["versions"]), row["flow"], row["summary"]] for row in found]
    show_table("", ["command", "versions", "flow", "summary"], rows)
    return 0


@command.command(name="show")
def show_(
    what: str,
    /,
    *,
    sender: Annotated[str, Parameter(help="The account that sent it, where several used one uuid.")] = "",
    remote: Remote = Remote(),
) -> int:
    """Shows a command with its wire formats, or what became of one that was accepted.

    Parameters
    ----------
    what
        OWNER/COMMAND, or the uuid of an accepted command.
    """
    with remote.client() as client:
        found = client.command_format(what) if "/" in what else client.queued(what, sender)
    if remote.json or "/" in what:
        show_json(found)
        return 0
    show(f"{found['command']} version {found['version']}: {found['state']}, {found['attempts']} attempts")
    outcome = found["outcome"] or {}
    if "result" in outcome:
        show(escape(f"  result: {json.dumps(outcome['result'], ensure_ascii=False)}"))
    if diagnosis := outcome.get("diagnosis"):
        for line in (diagnosis["what"], diagnosis["why"], diagnosis["repair"]):
            show(escape(f"  {line}")) if line else None
    return 0


@command.command
def send(
    name: str,
    version: int,
    payload: str,
    /,
    *,
    wait: Annotated[int, Parameter(help="Seconds to wait for its end.")] = 0,
    identity: Annotated[str, Parameter(name="--uuid", help="Its uuid, to send it again without effect.")] = "",
    remote: Remote = Remote(),
) -> int:
    """Sends a command, and prints its uuid once it is durable; with --wait also what came of it.

    It exits with 1 where the command failed, and with 5 where it had not ended when the wait was over.

    Parameters
    ----------
    name
        OWNER/COMMAND.
    version
        The version whose wire format the payload has.
    payload
        JSON, or - for standard input.
    """
    check_range("--wait", wait, 0, _LONGEST_WAIT, " seconds")
    given = _json(sys.stdin.read() if payload == "-" else payload)
    how: dict[str, Any] = {
        **({"uuid": identity} if identity else {}),
        **({"secondsToWaitForCompletion": wait} if wait else {}),
    }
    with remote.client() as client:
        found = client.submit(name, version, given, **how)
        late = bool(found.get("timed_out"))
        if late:
            now = client.queued(found["uuid"])
            found |= {"state": now["state"], "attempts": now["attempts"]}
    if remote.json:
        show_json(found)
    else:
        show(found["uuid"])
        if late:
            say(f"not ended within {wait} seconds: {found['state']}, {found['attempts']} attempts")
            say(f"next: troth command show {found['uuid']}")
        elif "state" in found:
            told = json.dumps(found.get("result", found.get("diagnosis")), ensure_ascii=False)
            say(escape(f"{found['state']}: {told}"))
    return Unavailable.exit_code if late else int(found.get("state") == "failed")


@command.command
def queue(
    *,
    name: Annotated[str, Parameter(name="--command", help="Of this command only.")] = "",
    state: Annotated[str, Parameter(help="In this state only: waiting, leased, done, failed or discarded.")] = "",
    limit: Annotated[int, Parameter(help="So many at most.")] = 50,
    remote: Remote = Remote(),
) -> int:
    """Lists accepted commands, the newest first: what you sent, and what others sent to your commands."""
    with remote.client() as client:
        found = client.queue(command=name, state=state, limit=limit)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [row["uuid"], f"{row['command']} {row['version']}", row["state"], str(row["attempts"]), row["accepted_at"]]
        for row in found["queue"]
    ]
    show_table("", ["uuid", "command", "state", "attempts", "accepted"], rows)
    return 0


@command.command
def state(
    name: str,
    version: int,
    state: Literal["deprecated", "retired"],
    /,
    *,
    release: Annotated[str, Parameter(help="The release of your software in which it happens, X.Y.Z.")],
    remote: Remote = Remote(),
) -> int:
    """Deprecates or retires a version of a command.

    Parameters
    ----------
    name
        OWNER/COMMAND.
    version
        Its number.
    state
        deprecated, in an X or Y release, or retired, in a later X release.
    """
    given = {"command": name, "version": version, "state": state, "release": release}
    return _told(remote, _own(remote, "set_command_state", given), f"version {version} of {name} is {state}")


@command.command
def pause(
    name: str,
    /,
    *,
    drain: Annotated[bool, Parameter(negative="", help="Process what was accepted, and take no more.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Waits with the processing of a command; it is accepted still, unless it is drained.

    Parameters
    ----------
    name
        OWNER/COMMAND.
    """
    found = _own(remote, "pause_command", {"command": name, "drain": drain})
    return _told(remote, found, f"{name} is {found['flow']}")


@command.command
def resume(name: str, /, *, remote: Remote = Remote()) -> int:
    """Accepts and processes a command again.

    Parameters
    ----------
    name
        OWNER/COMMAND.
    """
    return _told(remote, _own(remote, "resume_command", {"command": name}), f"{name} is running")


@command.command
def retry(identity: str, /, *, remote: Remote = Remote()) -> int:
    """Tries an accepted command again that failed.

    Parameters
    ----------
    identity
        Its uuid.
    """
    return _told(remote, _own(remote, "retry_queued_command", {"uuid": identity}), f"{identity} waits to be tried")


@command.command
def discard(
    identity: str,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; it is journalled.")],
    remote: Remote = Remote(),
) -> int:
    """Ends an accepted command that is not done, without processing it.

    Parameters
    ----------
    identity
        Its uuid.
    """
    found = _own(remote, "discard_queued_command", {"uuid": identity, "reason": reason})
    return _told(remote, found, f"{identity} is discarded")


@command.command
def replay(identity: str, /, *, remote: Remote = Remote()) -> int:
    """Accepts a command that has ended once more, as yours and under a new uuid.

    Parameters
    ----------
    identity
        Its uuid.
    """
    found = _own(remote, "replay_queued_command", {"uuid": identity})
    return _told(remote, found, f"accepted as {found['replayed_as']}")


def _own(remote: Remote, name: str, payload: dict[str, Any]) -> dict[str, Any]:
    with remote.client() as client:
        found: dict[str, Any] = client.submit(name, 1, payload)["result"]
        return found


def _told(remote: Remote, found: dict[str, Any], words: str) -> int:
    show_json(found) if remote.json else show(words)
    return 0


def _changes(changed: dict[str, Any]) -> str:
    """What was replaced, as in `handler ada/sort/0.1.0 -> ada/sort/0.2.0, golden payloads replaced`."""
    told = []
    for name, ends in changed.items():
        old, new = (ends.get(end, "") for end in ("from", "to"))
        told.append(
            f"{name} {'none' if old is None else old!s} -> {'none' if new is None else new!s}"
            if ends
            else f"{_REPLACED.get(name, name)} replaced"
        )
    return ", ".join(told)


def _versions(versions: list[dict[str, Any]]) -> str:
    told = {"current": "", "deprecated": " deprecated", "retired": " retired"}
    return ", ".join(f"{one['version']}{told[one['state']]}" for one in versions) or "-"


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise Malformed(
            f"{file} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}",
            repair="mend that line",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{file} cannot be read: {error}", repair="name a file of JSON") from None
    if not isinstance(found, dict):
        raise Malformed(f"{file} does not hold an object", repair="see docs/commands-and-queue.md")
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Malformed(
            f"that is not JSON: {error}", repair="write text in double quotes inside of single ones"
        ) from None
