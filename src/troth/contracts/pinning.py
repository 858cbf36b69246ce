"""Which data a source pins: the files of its model manifest, which `algo freeze` writes sums of (ALG-04a)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FROZEN, PLAIN = "model_manifest.json.freeze", "model_manifest.json"
_MOST = 20
_LONGEST = 100


def pinning(files: Mapping[str, bytes]) -> list[str]:
    """A line for each file of the manifest, saying whether it may change under the version; nothing without a manifest."""
    name = FROZEN if FROZEN in files else PLAIN
    if name not in files:
        return []
    entries = _entries(files[name])
    lines = [_line(entry, frozen=name == FROZEN) for entry in entries[:_MOST]]
    return [*lines, f"and {len(entries) - _MOST} more"] if len(entries) > _MOST else lines


def _entries(content: bytes) -> list[dict[str, Any]]:
    """What the manifest names; what is none is refused by who loads it."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return []
    lists = [found.get(kind) for kind in ("required_files", "optional_files")] if isinstance(found, dict) else []
    return [entry for entries in lists if isinstance(entries, list) for entry in entries if isinstance(entry, dict)]


def _line(entry: dict[str, Any], *, frozen: bool) -> str:
    name, checksum = str(entry.get("name"))[:_LONGEST], entry.get("md5_checksum") if frozen else None
    if checksum is None:
        return f"data: {name} is not pinned, so it may change under this version (ALG-04a)"
    if entry.get("fail_on_tamper", True):
        return f"data: {name} is pinned to MD5 {str(checksum)[:_LONGEST]}"
    return f"data: {name} is compared with MD5 {str(checksum)[:_LONGEST]}, and may change all the same (ALG-04a)"
