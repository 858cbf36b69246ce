"""What a schema tells beside which values are valid: formats, defaults, discriminators, encodings, deprecation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from troth.contracts.changes import ABSENT, Change
from troth.contracts.openapi.flow import Flow
from troth.contracts.openapi.text import object_in
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
    if flow.xml and _xml(before, path) != _xml(after, path):
        yield rule("openapi-xml").found(path, before.get("xml", ABSENT), after.get("xml", ABSENT))
    if after.get("deprecated") is True and before.get("deprecated") is not True:
        yield rule("property-deprecated").found(path, False, True)
    yield from _discriminators(before.get("discriminator"), after.get("discriminator"), flow, path)


def _xml(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """How a value is written in XML, without the defaults (3.1.0, XML Object)."""
    said = schema.get("xml")
    found = {key: value for key, value in said.items() if value not in (False, None)} if isinstance(said, dict) else {}
    if found.get("name") == path.rpartition(".")[2]:
        del found["name"]
    return found


def _discriminators(old: Any, new: Any, flow: Flow, path: str) -> Iterator[Change]:
    """What changed of how a reader is told which kind of object it has. Without one the schemas themselves tell."""
    if old == new:
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield rule("openapi-discriminator-hint").found(path, old or ABSENT, new or ABSENT)
        return
    if old.get("propertyName") != new.get("propertyName"):
        yield rule("openapi-discriminator").found(path, old.get("propertyName"), new.get("propertyName", ABSENT))
        return
    sent, understood = (old, new) if flow.side == "input" else (new, old)
    given, taken = object_in(sent, "mapping"), object_in(understood, "mapping")
    lost = [name for name, target in given.items() if _target(taken.get(name, name)) != _target(target)]
    for name in lost:
        words = f"{name} does not stand for what it is sent for"
        yield rule("openapi-mapping").found(f"{path}({name})", old.get("mapping"), new.get("mapping"), words)
    if not lost:
        yield rule("openapi-discriminator-hint").found(path, old, new)


def _target(said: Any) -> str:
    """What a name stands for: the name of a schema and a reference to it are one."""
    return str(said).rpartition("/")[2]
