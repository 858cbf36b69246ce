"""The command that takes an existing algorithm's repository over."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json, show_table
from troth.errors import Failed, Malformed, Refused
from troth.sdk import importing
from troth.sdk.importing import Taken


def import_(
    repository: str,
    algorithm: str | None = None,
    /,
    *,
    public: Annotated[bool, Parameter(negative="", help="Let every account call the versions.")] = False,
    private: Annotated[bool, Parameter(negative="", help="Let members of the owner call them only.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Imports an existing algorithm from its git repository: every tag like 1.2.3 or v1.2.3 is a version.

    Versions are built, judged and imported as they are, in the order in which they were tagged. What the policy objects to
    is listed. It takes an administrator's key, and an algorithm that nothing was published on otherwise. What was imported
    before is left as it is.

    Parameters
    ----------
    repository
        Address or folder, as git clone takes it.
    algorithm
        OWNER/NAME (default: as troth.toml or algorithmia.conf of the newest commit says).
    """
    if public and private:
        raise Malformed("--public and --private exclude each other", repair="give one of them")
    visibility = "public" if public else "private" if private else None
    with remote.client() as client:
        subject, history, taken = importing.imported(
            client, client.key, repository, algorithm, visibility, lambda words: say(f"[dim]{escape(words)}[/]")
        )
    if remote.json:
        left_out = [{"tag": name, "why": why} for name, why in history.left_out]
        show_json({"algorithm": subject, "versions": [one.as_dict() for one in taken], "left_out": left_out})
    else:
        _tell(subject, history, taken)
    return _code(taken)


def _tell(subject: str, history: importing.History, taken: list[Taken]) -> None:
    rows = [[str(one.tag.number), one.tag.name, one.tag.commit[:12], one.outcome, _said(one)] for one in taken]
    show_table(subject, ["version", "tag", "commit", "outcome", "what is said"], rows)
    for name, why in history.left_out:
        show(f"left out: {escape(name)}: {escape(why)}")
    breaches = sum(len(one.breaches) for one in taken)
    done = sum(one.outcome == importing.IMPORTED for one in taken)
    say(f"{done} of {len(taken)} versions imported, {breaches} breaches of the policy among them")


def _said(one: Taken) -> str:
    return "; ".join(f"{breach['clause']}: {breach['text']}" for breach in one.breaches) or one.why


def _code(taken: list[Taken]) -> int:
    """0 where every version is there, else as the worst of them ended."""
    outcomes = {one.outcome for one in taken}
    if outcomes & {importing.MOVED, importing.REFUSED}:
        return Refused.exit_code
    return Failed.exit_code if importing.NOT_BUILT in outcomes else 0
