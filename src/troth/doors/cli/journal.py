"""The commands `troth journal`, which shows, exports and verifies the record of all commands, and `troth rollback`."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json, show_table
from troth.errors import Malformed, NotFound, Refused, TrothError
from troth.sdk import Client
from troth.versions import chain
from troth.versions.chain import Link
from troth.versions.journal_subjects import subject_of

Reason = Annotated[str, Parameter(name=["-m", "--reason"], help="Why; it is recorded with the command.")]


def journal(
    *,
    verify: Annotated[bool, Parameter(negative="", help="Compute the whole hash chain anew.")] = False,
    file: Annotated[Path | None, Parameter(help="Read an exported file, and ask no server.")] = None,
    export: Annotated[Path | None, Parameter(help="Write every entry with its exact bytes into a file.")] = None,
    after: Annotated[int, Parameter(help="Only entries behind this position.")] = 0,
    as_of: Annotated[str | None, Parameter(help="Only entries up to this position or moment.")] = None,
    since: Annotated[str, Parameter(help="Only entries from this moment on.")] = "",
    actor: Annotated[str, Parameter(help="Only commands of this account.")] = "",
    command: Annotated[str, Parameter(help="Only this command.")] = "",
    about: Annotated[str, Parameter(help="Only entries about this account, algorithm or product.")] = "",
    outcome: Annotated[str, Parameter(help="Only done or refused ones.")] = "",
    limit: Annotated[int, Parameter(help="At most so many, the last ones; 0 is all of them.")] = 0,
    remote: Remote = Remote(),
) -> int:
    """Shows the record of all commands and what came of them, or proves that what is there was not changed.

    A chain cannot show that its end was cut off: compare the last digest with one that you noted earlier.
    """
    if file is not None:
        return _of_file(file, verify, remote)
    with remote.client() as client:
        if verify:
            return _verified(client.journal(), remote)
        if export is not None:
            return _exported(client, export, remote)
        wanted = {"actor": actor, "command": command, "subject": about, "outcome": outcome}
        entries = _found(client, wanted, after, since, as_of, limit)
    _show_entries(entries, remote)
    return 0


def rollback(
    kind: str,
    subject: str,
    /,
    *,
    to: Annotated[str, Parameter(help="A position of the journal, or a moment like 2026-11-25T13:00:00Z.")],
    reason: Reason,
    release: Annotated[str, Parameter(help="Of the state of a version: the release that the move rides on.")] = "",
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Takes settings or a state back to what they were, after it showed what that changes.

    The ordinary command does it, and refuses what it would refuse otherwise: a retired version is not brought back by this either.
    What was published stays as it is: versions keep the permissions that they were published with.

    Parameters
    ----------
    kind
        algorithm, line-notice, product, api, api-version, command, command-version or member.
    subject
        OWNER/NAME; of versions of APIs OWNER/API/vN, of versions of commands OWNER/COMMAND/N, of members ORGANIZATION/ACCOUNT.
    """
    with remote.client() as client:
        found = client.rollback(kind, subject, to, release)
        if not remote.json:
            _show_difference(found)
        if not found["difference"]:
            if remote.json:
                show_json({**found, "done": False})
            return 0
        if "refusal" in found:
            raise TrothError.from_problem(found["refusal"])
        if not yes:
            _confirm()
        result = client.command("roll_back", version=2, reason=reason, **_asked(found, release))
    if remote.json:
        show_json({**result, "done": True})
    else:
        show(f"{subject} is as it was at position {result['position']}")
    return 0


def _asked(found: dict[str, Any], release: str) -> dict[str, Any]:
    """The payload of the command that does what was shown, without the reason."""
    riding = {"release": release} if found["kind"].endswith("-version") else {}
    return {"kind": found["kind"], **found["names"], **riding, "position": found["position"], "values": found["values"]}


def _show_difference(found: dict[str, Any]) -> None:
    if not found["difference"]:
        show(f"nothing differs from position {found['position']}")
        return
    rows = [[name, _text(one["now"]), _text(one["then"])] for name, one in found["difference"].items()]
    show_table("", ["setting", "now", f"at position {found['position']}"], rows)
    did = found.get("result", {}).get("did", {})
    others = {**did.get("verdict", {}).get("effects", {}), **dict.fromkeys(did.get("deprecated", ()), "deprecated")}
    for name, state in others.items():
        if str(name) not in map(str, found["names"].values()):
            show(f"with it {escape(str(name))} becomes {state}")


def _confirm() -> None:
    """Raises Refused unless a person says yes."""
    if not sys.stdin.isatty():
        raise Refused("nothing was changed", why="nobody is there who could be asked", repair="add --yes")
    if input("set these back? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Refused("nothing was changed", why="you did not say yes")


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _found(
    client: Client, wanted: dict[str, str], after: int, since: str, as_of: str | None, limit: int
) -> list[dict[str, Any]]:
    """The entries that fit, in order."""
    conditions: list[Any] = [["=", name, value] for name, value in wanted.items() if value]
    conditions += [[">", "position", after]] if after else []
    conditions += [[">=", "at", since]] if since else []
    where = ["and", *conditions] if conditions else None
    query = ["extract", ["position", "at", "actor", "command", "entry"], *([where] if where else [])]
    if limit < 0:
        raise Malformed(f"--limit cannot be {limit}", repair="give a number; 0 is all entries")
    order = {"order_by": [["position", "desc"]]} if limit else {}
    rows = client.query_all("journal", query, as_of=as_of, most=limit, **order)
    found = [json.loads(row["entry"]) for row in rows]
    return found[::-1] if limit else found


def _show_entries(entries: list[dict[str, Any]], remote: Remote) -> None:
    if remote.json:
        show_json(entries)
        return
    rows = [
        [str(e["position"]), e["at"][:19].replace("T", " "), e["actor"], e["command"], *_came_of(e)] for e in entries
    ]
    show_table("", ["#", "at", "actor", "command", "outcome", "about"], rows)


def _verified(links: Iterable[Link], remote: Remote) -> int:
    position, digest = chain.verify(links)
    if remote.json:
        show_json({"entries": position, "digest": digest, "verified": True})
    else:
        show(f"[green]the journal holds[/]: {position} entries, last digest {digest}")
    return 0


def _exported(client: Client, path: Path, remote: Remote) -> int:
    """Writes one line of JSON for each entry, whole, and computes the chain meanwhile."""
    try:
        with path.open("x", encoding="utf-8") as file:
            position, digest = chain.verify(_written(client.journal(), file))
    except OSError as error:
        raise Malformed(f"{path} cannot be written: {error.strerror}", repair="name a new file") from None
    if remote.json:
        show_json({"file": str(path), "entries": position, "digest": digest})
    else:
        show(f"{position} entries are in {escape(str(path))}, last digest {digest}")
        say(f"next, also without a server: troth journal --verify --file {path}")
    return 0


def _written(links: Iterable[Link], file: Any) -> Iterator[Link]:
    for link in links:
        entry = base64.b64encode(link.entry).decode()
        row = {"position": link.position, "entry": entry, "previous": link.previous, "digest": link.digest}
        file.write(json.dumps(row) + "\n")
        yield link


def _of_file(path: Path, verify: bool, remote: Remote) -> int:
    try:
        with path.open(encoding="utf-8") as file:
            if verify:
                return _verified(_links(file, path), remote)
            _show_entries([_entry(link, path) for link in _links(file, path)], remote)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", repair="name another file") from None
    except UnicodeDecodeError:
        raise _no_export(path, 0) from None
    return 0


def _links(lines: Iterable[str], path: Path) -> Iterator[Link]:
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            entry = base64.b64decode(row["entry"], validate=True)
            position, previous, digest = row["position"], row["previous"], row["digest"]
            if not (isinstance(position, int) and isinstance(previous, str) and isinstance(digest, str)):
                raise TypeError
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
            raise _no_export(path, number) from None
        yield Link(position, entry, previous, digest)


def _entry(link: Link, path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(link.entry)
        _came_of(found)
        return found
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _no_export(path, link.position) from None


def _no_export(path: Path, number: int) -> Malformed:
    return Malformed(
        f"line {number} of {path} is no journal entry", repair="troth journal --export FILE writes such a file"
    )


def _came_of(entry: dict[str, Any]) -> tuple[str, str]:
    """(outcome, subject) of a journal entry in a few words."""
    refusal = entry["outcome"].get("refusal")
    outcome = f"refused {' '.join(refusal['clauses'])}".strip() if refusal else "done"
    about = subject_of(entry["payload"])
    version = entry["outcome"].get("result", {}).get("version")
    return outcome, f"{about}/{version}" if version else about
