"""Commands of callers: call, why, versions."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json, show_table, working
from troth.errors import Malformed, Refused
from troth.sdk import Answer
from troth.versions.rendering import waived


def call(
    reference: str,
    given: str | None = None,
    /,
    *,
    text: Annotated[
        str | None, Parameter(name=["-t", "--text"], allow_leading_hyphen=True, help="Input as text, as it is.")
    ] = None,
    data: Annotated[
        str | None, Parameter(name=["-j", "--data-json"], allow_leading_hyphen=True, help="Input as JSON.")
    ] = None,
    file: Annotated[
        Path | None,
        Parameter(
            name=["-f", "--file"], allow_leading_hyphen=True, help="Input as the bytes of a file; - is standard input."
        ),
    ] = None,
    timeout: Annotated[float | None, Parameter(help="Seconds that the call may take.")] = None,
    stdout: Annotated[
        bool, Parameter(negative="", help="Show what the algorithm prints (members of its owner).")
    ] = False,
    remote: Remote = Remote(),
) -> int:
    """Calls an algorithm and prints its result.

    Parameters
    ----------
    reference
        owner/name, or owner/name/version.
    given
        The input: JSON where it reads as JSON, else text.
    """
    check_named(reference)
    value = read_input(given, text, data, file)
    with remote.client() as client, working(f"calling {reference} ..."):
        answer = client.call(reference, value, seconds=timeout, stdout=stdout)
    if remote.json:
        show_json(answer_as_dict(answer))
        return 0
    if answer.stdout:
        say(escape(answer.stdout.rstrip("\n")))
    print_result(answer)
    if sys.stderr.isatty():
        say(f"[dim]version {answer.receipt['version']}, {answer.seconds * 1000:.1f} ms[/]")
    return 0


def why(reference: str, /, *, remote: Remote = Remote()) -> int:
    """Tells which version a reference means to you, and for what reasons.

    Parameters
    ----------
    reference
        owner/name, or owner/name/version.
    """
    check_named(reference)
    with remote.client() as client:
        found = client.resolve(reference.removeprefix("algo://"))
    if remote.json:
        show_json(found)
    else:
        _show_resolution(found)
    if found["resolved"]:
        return 0
    return Refused.exit_code


def check_named(reference: str) -> None:
    """Raises Malformed for a reference without an owner."""
    if "/" not in reference.removeprefix("algo://"):
        raise Malformed(
            f"{reference!r} names no algorithm",
            why="names are of an owner",
            repair=f"write OWNER/{reference or 'NAME'}",
        )


def versions(algorithm: str, /, *, remote: Remote = Remote()) -> int:
    """Lists the versions of an algorithm that you may know of, highest first.

    Parameters
    ----------
    algorithm
        owner/name.
    """
    with remote.client() as client:
        found = client.versions(algorithm)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [
            row["version"],
            row["permissions"]["visibility"] + _on_its_way_out(row),
            row["published_at"][:19].replace("T", " "),
            row.get("hash", "")[:12],
            _checked(row),
            row["notes"].partition("\n")[0],
        ]
        for row in found["versions"]
    ]
    show_table(
        ": ".join(filter(None, (found["algorithm"], found["summary"]))),
        ["version", "visibility", "published", "hash", "checked", "notes"],
        rows,
    )
    return 0


def _on_its_way_out(row: dict[str, Any]) -> str:
    return f", {row['state']}" if row["state"] in ("deprecated", "retired") else ""


def _checked(row: dict[str, Any]) -> str:
    """What was checked of a version, by which waivers it passed, and what a newer worker made of its examples."""
    said = [f"behaviour {row['verdict']['behaviour']}"]
    said += [f"{', '.join(waiver['clauses'])} waived ({waiver['id'][:8]})" for waiver in row["waivers"]]
    said += [f"{one['outcome']} on worker {one['worker']}" for one in row["replayed"] if one["outcome"] != "reproduced"]
    return "; ".join(said)


def _show_resolution(found: dict[str, Any]) -> None:
    if found["resolved"]:
        show(f"{found['reference']} -> [bold green]{found['version']}[/]  {found['hash'][:12]}")
    else:
        show(f"{found['reference']} -> [bold red]no version[/]")
    for reason in found["reasons"]:
        show(f"  {reason['clause']}: {escape(reason['text'])}")
    for waiver in found["waivers"]:
        show(f"  [yellow]published[/] by {escape(waived(waiver))}")
    for advice in found["advice"]:
        show(f"  [dim]{advice['clause']}: {escape(advice['text'])}[/]")


def read_input(given: str | None, text: str | None, data: str | None, file: Path | None) -> Any:
    """The input of a call, of which exactly one is given. Raises Malformed."""
    named = [value for value in (given, text, data, file) if value is not None]
    if len(named) != 1:
        raise Malformed(
            "a call has one input" + (", and none was given" if not named else ""),
            repair="give it as an argument, or with --text, --data-json or --file",
        )
    if text is not None:
        return text
    if file is not None:
        return _contents(file)
    if data is not None:
        try:
            return json.loads(data)
        except ValueError as error:
            raise Malformed(f"the input is not JSON: {error}", repair="use --text for text") from None
    assert given is not None
    try:
        return json.loads(given)
    except ValueError as error:
        if given.lstrip()[:1] in ("{", "["):
            say(f"[yellow]note:[/] the input is sent as text, because it is not JSON: {escape(str(error))}")
        return given


def _contents(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Malformed(f"{file} cannot be read: {error.strerror}", repair="name another file") from None


def print_result(answer: Answer) -> None:
    """Prints a result: bytes and text as they are, anything else as JSON."""
    if answer.content_type == "binary":
        sys.stdout.buffer.write(answer.result)
    elif answer.content_type == "text":
        print(answer.result)
    else:
        print(json.dumps(answer.result, ensure_ascii=False))


def answer_as_dict(answer: Answer) -> dict[str, Any]:
    """An answer with what ran, as JSON carries it."""
    result = answer.result
    if isinstance(result, bytes):
        result = base64.b64encode(result).decode()
    return {
        "result": result,
        "content_type": answer.content_type,
        "seconds": answer.seconds,
        "stdout": answer.stdout,
        "receipt": answer.receipt,
    }
