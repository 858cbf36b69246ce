"""Directories as clients read them, page by page (algorithmia-api, sections 10.3 and 10.5)."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.requests import Request

from troth.access.data_paths import DataPath, check_collection, check_file
from troth.access.data_rights import acl_document
from troth.doors.algorithmia.objects import moment
from troth.doors.algorithmia.refusals import BAD_LIMIT, BAD_MARKER, Numbered
from troth.errors import MalformedName
from troth.queries.data import Listing

_MOST = 1000
_LONGEST_MARKER = 2000


def limit_of(request: Request) -> int:
    """How many entries a page has."""
    text = request.query_params.get("limit", "") or str(_MOST)
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MOST:
        return int(text)
    raise Numbered(BAD_LIMIT, f"limit cannot be {text[:40]!r}", why=f"it is a number from 1 to {_MOST}")


def after_of(request: Request, path: DataPath) -> str:
    """The name behind which the page begins; empty for the first. A marker holds the last name that was sent, so that what
    comes and goes meanwhile neither repeats nor hides another."""
    text = request.query_params.get("marker", "")
    if not text:
        return ""
    try:
        if len(text) > _LONGEST_MARKER:
            raise ValueError
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not isinstance(found, str):
            raise ValueError
        return check_file(found) if path.collection else check_collection(found)
    except (ValueError, RecursionError, MalformedName):
        raise Numbered(
            BAD_MARKER,
            f"{text[:40]!r} is not a marker of this list",
            why="a marker comes from the page before",
            repair="leave it out to begin anew",
        ) from None


def listing_document(path: DataPath, found: Listing, *, with_acl: bool) -> dict[str, Any]:
    """One page of a directory. Members without an entry are left out."""
    document: dict[str, Any] = {}
    if found.folders:
        document["folders"] = [{"name": name} for name in found.folders]
    if found.files:
        document["files"] = [
            {"filename": file.name, "size": file.size, "last_modified": moment(file.modified_at)}
            for file in found.files
        ]
    last = found.files[-1].name if found.files else found.folders[-1] if found.folders else ""
    document["marker"] = _marker(last) if found.more else None
    if with_acl and found.acl is not None:
        document["acl"] = acl_document(found.acl)
    return document


def _marker(name: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(name).encode()).decode().rstrip("=")
