"""The commands of waivers: troth waiver request, approve, revoke, list, show, verify, key."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.markup import escape

from troth.clock import now, stamp
from troth.doors.cli.output import Remote, say, show, show_json, show_table
from troth.errors import Malformed, MalformedReference, NotFound, SignatureBroken
from troth.sdk import Client
from troth.versions.references import parse
from troth.versions.releases import rendering
from troth.versions.waivers import SOURCES, WAIVABLE, Waiver

waiver = App(
    name="waiver",
    help="Asks for, approves and checks waivers: permissions to publish, release or change what a comparing clause refuses.",
    help_format="plaintext",
)
_LARGEST_FILE = 1 << 20


@waiver.command
def request(
    version: str,
    /,
    *,
    reason: Annotated[str, Parameter(name=["-m", "--reason"], help="Why callers should bear it; everybody reads it.")],
    clause: Annotated[
        list[str] | None, Parameter(negative="", help="What is to be waived (default: what objects, if that can be).")
    ] = None,
    days: Annotated[int, Parameter(help="Days until it expires.")] = 30,
    hash: Annotated[  # noqa: A002 - the name of the option
        str | None, Parameter(help="The build (default: the newest successful one).")
    ] = None,
    remote: Remote = Remote(),
) -> int:
    """Asks that a build may have a number which ALG-05, ALG-07 or ALG-09 refuses. Another has to approve it.

    For a release of a product there is troth release request-waiver, for a change of an API troth api request-waiver, for the
    retirement of a line troth line request-waiver.

    Parameters
    ----------
    version
        OWNER/NAME/NUMBER: the number that it is asked for.
    """
    subject, number = _named(version)
    with remote.client() as client:
        commit = hash or _newest(client, subject)
        clauses = clause or _objecting(client, subject, commit, number)
        found = client.command(
            "request_waiver",
            algorithm=subject,
            hash=commit,
            number=number,
            clauses=clauses,
            reason=reason,
            expires_at=expiry(days),
        )
    show_waiver(found, remote)
    say(f"next: another owner or admin does: troth waiver approve {found['algorithm']}/{found['number']}")
    return 0


@waiver.command
def approve(named: str, /, *, remote: Remote = Remote()) -> int:
    """Approves a waiver, which the server then signs. Who asked for it approves it only where nobody else could.

    Parameters
    ----------
    named
        Its id, or OWNER/NAME/NUMBER (of an API OWNER/API/vN/RELEASE) for the newest one of that number.
    """
    with remote.client() as client:
        found = client.command("approve_waiver", waiver=_identity(client, named))
    show_waiver(found, remote)
    say(f"next: {_next(found)}")
    return 0


@waiver.command
def revoke(
    named: str,
    /,
    *,
    reason: Annotated[str, Parameter(name=["-m", "--reason"], help="Why it is taken back.")] = "",
    remote: Remote = Remote(),
) -> int:
    """Takes back a waiver by which nothing was published yet.

    Parameters
    ----------
    named
        Its id, or OWNER/NAME/NUMBER (of an API OWNER/API/vN/RELEASE) for the newest one of that number.
    """
    with remote.client() as client:
        found = client.command("revoke_waiver", waiver=_identity(client, named), reason=reason)
    show_waiver(found, remote)
    return 0


@waiver.command(name="list")
def list_(subject: str, /, *, remote: Remote = Remote()) -> int:
    """Lists the waivers of an algorithm, a product or an API, the newest first; who does not belong to its owner sees those that were used.

    Parameters
    ----------
    subject
        OWNER/NAME.
    """
    with remote.client() as client:
        found = _of_subject(client, subject)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [
            row["id"], row["number"], ", ".join(row["clauses"]), row["state"], row["requested_by"],
            row["approved_by"] or "", row["expires_at"][:10], row["reason"].partition("\n")[0],
        ]
        for row in found
    ]  # fmt: skip
    show_table("", ["waiver", "for", "clauses", "state", "asked by", "approved by", "expires", "reason"], rows)
    return 0


@waiver.command(name="show")
def show_(named: str, /, *, remote: Remote = Remote()) -> int:
    """Shows a waiver: what is waived, why, who approved it, and what the policy says without it.

    Parameters
    ----------
    named
        Its id, or OWNER/NAME/NUMBER (of an API OWNER/API/vN/RELEASE) for the newest one of that number.
    """
    with remote.client() as client:
        found = client.waiver(_identity(client, named))
    show_waiver(found, remote)
    if not remote.json:
        for line in _refused(found):
            show(f"  {escape(line)}")
    return 0


@waiver.command
def verify(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    public_key: Annotated[
        Path | None, Parameter(help="File with the server's public key; without it the server is asked for it.")
    ] = None,
    remote: Remote = Remote(),
) -> int:
    """Proves that a server signed what a waiver says. With --public-key it needs no network.

    Parameters
    ----------
    file
        What `troth waiver show ID --json` printed; - is standard input.
    """
    from troth.signing import fits, identity_of

    signed = signed_in(text_of(file))
    if public_key is None:
        with remote.client() as client:
            public = str(client.signing_key()["public_key"])
    else:
        public = text_of(public_key)
    named = identity_of(public)
    if signed.key != named:
        raise _broken(signed, f"it was signed by the key {signed.key[:12]}, and this is {named[:12]}")
    if not fits(public, signed.statement(), signed.signature):
        raise _broken(signed, "what it says is not what was signed")
    expired = signed.expires_at <= stamp(now())
    if remote.json:
        show_json({"verified": True, "expired": expired, "key": named, "waiver": signed.as_dict()})
        return 0
    show(f"[green]the waiver holds[/]: {signed.subject}/{signed.number}, {', '.join(signed.clauses)}, key {named[:12]}")
    show(f"  approved by {escape(signed.approved_by)} at {_moment(signed.approved_at)}: {escape(signed.reason)}")
    if expired:
        show(f"  [yellow]it expired[/] at {_moment(signed.expires_at)}, so nothing can be published by it any more")
    return 0


@waiver.command
def key(*, remote: Remote = Remote()) -> int:
    """Prints the server's public key. Keep it where waivers are verified."""
    with remote.client() as client:
        found = client.signing_key()
    show_json(found) if remote.json else print(found["public_key"], end="")
    return 0


def show_waiver(found: dict[str, Any], remote: Remote) -> None:
    """Prints a waiver and what became of it."""
    if remote.json:
        show_json(found)
        return
    show(f"waiver {found['id']}: {found['state']}")
    named, source = f"{found[found['kind']]}/{found['number']}", SOURCES[found["kind"]]
    show(f"  for {named}, {source} {found['hash'][:12]}: {', '.join(found['clauses'])}")
    show(f"  reason: {escape(found['reason'])}")
    show(
        f"  asked by {found['requested_by']} at {_moment(found['requested_at'])}; expires at {_moment(found['expires_at'])}"
    )
    if found["approved_by"]:
        alone = ", who asked for it and is alone" if found["self_approved"] else ""
        show(f"  approved by {found['approved_by']} at {_moment(found['approved_at'])}{alone}")
    if found["revoked_by"]:
        show(
            f"  revoked by {found['revoked_by']} at {_moment(found['revoked_at'])}: {escape(found['revocation'] or '')}"
        )
    if found["used_at"]:
        done = {"api": "changed", "line": "retired"}.get(found["kind"], "published")
        show(f"  used at {_moment(found['used_at'])}: {named} was {done} by it")


def _next(found: dict[str, Any]) -> str:
    """What to do with a waiver that was approved."""
    if found["kind"] == "api":
        version, _, release = found["number"].partition("/")
        return f"troth api change {found['api']} {version} --release {release}, with what the waiver was asked for"
    if found["kind"] == "line":
        stop = " --stop-floating" if found["verdict"]["stop_floating"] else ""
        return f"troth line retire {found['line']} {found['number']}{stop}"
    return f"troth {'publish --number' if found['kind'] == 'algorithm' else 'release cut'} {found['number']}"


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")


def _named(version: str) -> tuple[str, str]:
    reference = parse(version.removeprefix("algo://"))
    if reference.version.count(".") == 2:
        return reference.subject, reference.version
    raise MalformedReference(
        f"{version!r} names no complete number", why="a waiver is for one number", repair="write OWNER/NAME/1.2.0"
    )


def _identity(client: Client, named: str) -> str:
    """The id of the waiver that is named by it, or by the number that it is for. Raises NotFound."""
    if "/" not in named:
        return named
    owner, name, number = [*named.removeprefix("algo://").split("/", 2), "", ""][:3]
    subject = f"{owner}/{name}"
    for row in _of_subject(client, subject):
        if row["number"] == number:
            return str(row["id"])
    raise NotFound(f"there is no waiver for {named}", repair=f"troth waiver list {subject} shows those that there are")


def _of_subject(client: Client, subject: str) -> list[dict[str, Any]]:
    """The waivers of the algorithm, the product and the API of this name, the newest first. Raises NotFound where there is none."""
    found: list[dict[str, Any]] = []
    unknown: list[NotFound] = []
    asks = (client.waivers, client.release_waivers, client.api_waivers)
    for ask in asks:
        try:
            found += ask(subject)["waivers"]
        except NotFound as error:
            unknown.append(error)
    if len(unknown) == len(asks):
        raise NotFound(
            f"there is no algorithm, no product and no API {subject[:130]}",
            why="it was never made, or you may not know of it",
            repair="look at its spelling",
            asked=subject[:200],
        )
    return sorted(found, key=lambda row: str(row["requested_at"]), reverse=True)


def _refused(found: dict[str, Any]) -> list[str]:
    """What the policy says without the waiver, a line each."""
    verdict = found["verdict"]
    if found["kind"] in ("algorithm", "line"):
        return [f"{one['clause']}: {one['text']}" for one in verdict["findings"]]
    if found["kind"] == "api":
        return [f"{one['clause']}: {one['text']}" for one in verdict["objections"]]
    return [line for line in rendering.as_text(verdict).splitlines() if not line.lstrip().startswith("help:")]


def _newest(client: Client, subject: str) -> str:
    for build in client.builds(subject)["builds"]:
        if build["status"] == "succeeded":
            return str(build["hash"])
    raise NotFound(f"{subject} has no successful build", repair="troth compile makes one")


def _objecting(client: Client, subject: str, commit: str, number: str) -> list[str]:
    """What the policy objects to, as far as it can be waived; something that is refused where it is nothing."""
    verdict = client.check(subject, commit, number=number)["verdict"]
    legal = WAIVABLE["algorithm"]
    return [clause for clause in verdict["clauses"] if clause in legal] or verdict["clauses"][:1] or [legal[0]]


def expiry(days: int) -> str:
    """The moment in so many days. Raises Malformed where there is none."""
    try:
        return stamp(now() + timedelta(days=days))
    except OverflowError:
        raise Malformed(f"{days} days are no time", repair="give a number like 30") from None


def signed_in(text: str) -> Waiver:
    """The signed waiver in a document that troth waiver show printed. Raises Malformed."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"that is no waiver: it is not JSON: {error}", repair="troth waiver show ID --json") from None
    if isinstance(told, dict) and "waiver" in told:
        told = told["waiver"]
        if told is None:
            raise Malformed("the waiver is not approved yet, so nobody signed it", repair="troth waiver approve ID")
    return Waiver.from_dict(told)


def text_of(path: Path) -> str:
    """What a file says; - is standard input. Raises Malformed."""
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            return file.read(_LARGEST_FILE).decode()
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}", repair="name another file") from None
    except UnicodeDecodeError:
        raise Malformed(f"{path} is not text", repair="name another file") from None


def _broken(signed: Waiver, why: str) -> SignatureBroken:
    return SignatureBroken(
        f"the signature of waiver {signed.id[:36]} does not hold",
        why=why,
        repair="do not rely on it; ask the server for it",
    )
