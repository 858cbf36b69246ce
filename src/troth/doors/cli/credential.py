"""The command that answers git, so that authors can clone and push with the key that they have already."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from troth.doors.cli.output import Remote, show_json
from troth.sdk import Client
from troth.settings import load

_PORTS = {"http": 80, "https": 443}


def credential(operation: str, /, *, remote: Remote = Remote()) -> int:
    """Answers git with your account and key when it asks for this server; git runs it.

    To clone: git clone -c credential.helper='!troth credential' SERVER/git/OWNER/NAME.git

    In a clone that there is: git config credential.helper '!troth credential'

    Which server and key: as options, environment and your own settings say, never a folder's troth.toml.

    Parameters
    ----------
    operation
        What git asks for: get. Everything else does nothing.
    """
    if operation != "get":
        return 0
    # a repository that was cloned must not choose the server that the key is sent to
    address = load({"server": remote.server}, Path(os.devnull)).server
    asked = _question()
    if _place(asked.get("protocol", ""), asked.get("host", "")) != _place(*urlsplit(address)[:2]):
        return 0
    with remote.client() as configured, Client(address, configured.key) as client:
        account = client.keys()["account"]
    if asked.get("username", account) != account:
        return 0
    if remote.json:
        show_json({"username": account, "password": client.key})
    else:
        print(f"username={account}\npassword={client.key}")
    return 0


def _question() -> dict[str, str]:
    """What git tells of its question, up to the first empty line."""
    found: dict[str, str] = {}
    for line in sys.stdin:
        name, equals, value = line.rstrip("\n").partition("=")
        if not equals:
            break
        found[name] = value
    return found


def _place(scheme: str, host: str) -> tuple[str, str, int | None]:
    """A server's scheme, name and port, however they are written."""
    parts = urlsplit(f"//{host.rpartition('@')[2]}")
    try:
        port = parts.port
    except ValueError:
        port = None
    return scheme.lower(), (parts.hostname or "").rstrip("."), port or _PORTS.get(scheme.lower())
