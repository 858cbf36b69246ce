"""Faults of payloads of troth's own commands in words: what to write, where the wire format has a pattern."""

from __future__ import annotations

from typing import Any, Final

#: What texts are, by each pattern that wire formats have.
PATTERNS: Final = {
    r"^[A-Za-z0-9_]{1,63}/[A-Za-z][A-Za-z0-9_]{0,62}$": "OWNER/NAME, in letters, digits and underscores",
    r"^[A-Za-z0-9_]{1,63}$": "a name, in letters, digits and underscores",
    r"^[^/\u0000]{1,63}(/[^/\u0000]{1,63})?$": "OWNER, or OWNER/NAME",
    r"^[0-9a-f]{40}$": "a whole hash, 40 digits of 0-9 and a-f",
    r"^[0-9a-f]{64}$": "a whole SHA-256, 64 digits of 0-9 and a-f",
    r"^([0-9a-f]{40}|[0-9a-f]{64})$": "a whole hash, 40 or 64 digits of 0-9 and a-f",
    r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$": "a uuid, like 5b7e0f0c-3a55-4a0e-9b1e-0a4c2d1f9c11",
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$": (
        "the uuid of an accepted command; troth command queue lists them"
    ),
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$": (
        "a day like 2027-02-28, or a moment like 2027-02-28T12:00:00Z"
    ),
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a day like 2027-02-28",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{15}Z$": "a moment like 2027-02-28T12:00:00.000000Z",
    r"^(https?://|/)[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*$": "an address that begins with https://, http:// or /",
    r"^/[!-~]*$": "a path that begins with /",
    r"^[a-z][a-z0-9_]{0,39}$": "a name in small letters, digits and underscores, which begins with a letter",
    r"^[A-Za-z0-9_][A-Za-z0-9._+-]{0,254}$": "the name of a file, without folders",
    r"^[^\u0000]*[^\s\u0000][^\u0000]*$": "a text that is not empty",
    r"^v[1-9][0-9]{0,8}$": "a version of an API, like v4",
    r"^[0-9a-f-]{36}$": "an id of 36 digits and dashes",
    r"^[0-9a-f-]{36,64}$": "an id of a thing, as troth collect lists it",
    r"^[^\u0000-\u0020]*$": "a text without spaces",
    r"^[^\u0000]*$": "a text without NUL",
}


def told(fault: Any) -> tuple[str, str]:
    """(why, repair) of a fault that jsonschema found; no repair where the wire format says enough."""
    expected = PATTERNS.get(fault.validator_value) if fault.validator == "pattern" else None
    if expected is None:
        return fault.message[:500], ""
    return f"{_short(fault.instance)} is not {expected.partition(';')[0]}", f"write {expected}"


def members(schema: Any) -> str:
    """What a payload has to hold and may hold, in a line."""
    names = list(schema.get("properties", {}))
    required = [name for name in names if name in schema.get("required", ())]
    others = [name for name in names if name not in required]
    said = [f"it has to hold {', '.join(required)}"] if required else []
    said += [f"it may hold {', '.join(others)}"] if others else []
    return "; ".join(said) or "it holds nothing"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
