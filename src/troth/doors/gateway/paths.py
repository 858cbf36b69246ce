"""What a path below `/gateway/` names, and that it names nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from troth.calls.apis import GATEWAY
from troth.errors import Malformed, NotFound

_PREFIX = GATEWAY.encode()
_CONTROL = re.compile(rb"[\x00-\x1f\x7f\\]")
#: how often a part may be packed into escapes
_LAYERS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """An API, a name of a version, and the path below that, with its escapes as they came."""

    subject: str
    version: str
    rest: bytes


def place_of(raw_path: bytes) -> Place:
    """The place. Raises NotFound for a path that names no API, Malformed for one that would lead elsewhere."""
    _check(raw_path)
    parts = raw_path[len(_PREFIX) :].split(b"/", 3)
    if len(parts) < 3 or not all(parts[:3]):
        raise NotFound("APIs lie at /gateway/OWNER/API/vN/", repair="name an API and its version")
    try:
        owner, api, version = (part.decode("ascii") for part in parts[:3])
    except UnicodeDecodeError:
        raise NotFound("there is no such API", repair="look at its name") from None
    return Place(f"{owner}/{api}", version, b"/" + parts[3] if len(parts) == 4 else b"")


def _check(raw_path: bytes) -> None:
    """Raises Malformed where an upstream could take a part of the path for the folder above it, whatever it unpacks."""
    path = raw_path
    for _ in range(_LAYERS):
        parts = [part.partition(b";")[0] for part in path.split(b"/")]  # "..;x" is ".." to some servers
        if b".." in parts or b"." in parts or _CONTROL.search(path) or b"#" in path:
            break
        if b"%" not in path:
            return
        unpacked = unquote_to_bytes(path)
        if unpacked == path:
            return
        path = unpacked
    raise Malformed(
        "the path is not one that the gateway hands on",
        why="it holds . or .. as a part, a backslash, a control character, or escapes within escapes",
        repair="write the path without them",
    )
