"""What a schema tells beside which values are valid: formats, defaults, discriminators, encodings, deprecation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from troth.contracts.changes import ABSENT, Change
from troth.contracts.openapi.flow import Flow
from troth.contracts.rules.table import rule


def hint_changes(old: Any, new: Any, flow: Flow, path: str) -> Iterator[Change]:
    """The changes of what two schemas tell at one place."""
    before, after = (one if isinstance(one, dict) else {} for one in (old, new))
    if flow.side == "input" and before.get("default", ABSENT) != after.get("default", ABSENT):
        yield rule("default-changed").found(path, before.get("default", ABSENT), after.get("default", ABSENT))
    if before.get("format") != after.get("format"):
        yield rule("format-changed").found(path, before.get("format", ABSENT), after.get("format", ABSENT))
    for keyword in ("contentEncoding", "contentMediaType"):
        if before.get(keyword) != after.get(keyword):
            yield rule("content-changed").found(path, before.get(keyword, ABSENT), after.get(keyword, ABSENT))
    if after.get("deprecated") is True and before.get("deprecated") is not True:
        yield rule("property-deprecated").found(path, False, True)
    yield from _discriminators(before.get("discriminator"), after.get("discriminator"), path)


def _discriminators(old: Any, new: Any, path: str) -> Iterator[Change]:
    if old == new:
        return
    before, after = (one if isinstance(one, dict) else {} for one in (old, new))
    if not before:
        yield rule("openapi-discriminator-added").found(path, ABSENT, after)
        return
    if before.get("propertyName") != after.get("propertyName"):
        yield rule("openapi-discriminator").found(path, before.get("propertyName"), after.get("propertyName", ABSENT))
        return
    was, now = (one.get("mapping") if isinstance(one.get("mapping"), dict) else {} for one in (before, after))
    for name in {**was, **now}:
        if name not in was:
            yield rule("openapi-mapping-added").found(f"{path}({name})", ABSENT, now[name])
        elif was[name] != now.get(name):
            yield rule("openapi-mapping").found(f"{path}({name})", was[name], now.get(name, ABSENT))
