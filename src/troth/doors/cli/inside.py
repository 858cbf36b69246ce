"""Commands on what algorithms are given and what they report: secret, insights."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from troth.doors.cli.output import Remote, say, show_json, show_table
from troth.errors import Malformed

secret = App(
    name="secret",
    help="Sets, lists and deletes secrets: variables of workers whose values nobody is shown again.",
    help_format="plaintext",
)


@secret.command(name="set")
def set_secret(
    of: str,
    name: str,
    /,
    *,
    file: Annotated[Path | None, Parameter(name=["-f", "--file"], help="File that holds the value, as it is.")] = None,
    label: Annotated[str, Parameter(help="Short name, for people.")] = "",
    description: Annotated[str, Parameter(help="What it is for.")] = "",
    remote: Remote = Remote(),
) -> int:
    """Gives a secret its value, which is asked for, or read from standard input or a file; never from the command line.

    Parameters
    ----------
    of
        owner/name of an algorithm, or an account, whose algorithms all get it.
    name
        The environment variable in which workers find it.
    """
    value = _value(file)
    with remote.client() as client:
        done = client.command("set_secret", of=of, name=name, value=value, label=label, description=description)
    if remote.json:
        show_json(done)
    else:
        say(f"{name} of {of} is set; calls that begin from now on get it")
    return 0


@secret.command(name="list")
def list_secrets(of: str, /, *, remote: Remote = Remote()) -> int:
    """Lists the secrets of an algorithm or account, without their values.

    Parameters
    ----------
    of
        owner/name of an algorithm, or an account.
    """
    with remote.client() as client:
        found = client.secrets(of)
    if remote.json:
        show_json(found)
        return 0
    rows = [[row["name"], row["label"], row["description"], row["modified_at"]] for row in found["secrets"]]
    show_table(f"secrets of {of}", ["variable", "label", "description", "set at"], rows)
    return 0


@secret.command(name="delete")
def delete_secret(of: str, name: str, /, *, remote: Remote = Remote()) -> int:
    """Forgets a secret.

    Parameters
    ----------
    of
        owner/name of an algorithm, or an account.
    name
        Its environment variable.
    """
    with remote.client() as client:
        done = client.command("delete_secret", of=of, name=name)
    if remote.json:
        show_json(done)
    else:
        say(f"{name} of {of} is deleted")
    return 0


def insights(
    algorithm: str,
    /,
    *,
    key: Annotated[str, Parameter(help="Figures of this name only.")] = "",
    version: Annotated[str, Parameter(help="Figures of this version only.")] = "",
    request: Annotated[str, Parameter(help="Figures of this call only.")] = "",
    since: Annotated[str, Parameter(help="Moment from which on, e.g. 2026-11-25; without it one day back.")] = "",
    until: Annotated[str, Parameter(help="Moment before which.")] = "",
    limit: Annotated[int, Parameter(help="How many at most, the newest.")] = 100,
    remote: Remote = Remote(),
) -> int:
    """Shows what an algorithm reported of its calls, newest first.

    Parameters
    ----------
    algorithm
        owner/name.
    """
    wanted = {"key": key, "version": version, "request": request, "from": since, "to": until}
    with remote.client() as client:
        found = client.insights(algorithm, limit=limit, **{name: value for name, value in wanted.items() if value})
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [row["at"], row["version"], row["key"], json.dumps(row["value"]), row["request"]] for row in found["insights"]
    ]
    show_table(f"insights of {algorithm}", ["at", "version", "key", "value", "request"], rows)
    return 0


def _value(file: Path | None) -> str:
    try:
        if file is not None:
            return file.read_text()
        if sys.stdin.isatty():
            return getpass.getpass("value: ")
        return sys.stdin.read().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"the value cannot be read: {error}", repair="give it as UTF-8 text") from None
