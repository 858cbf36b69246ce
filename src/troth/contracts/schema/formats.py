"""`format` as an assertion (2020-12 validation, 7.2.2), for contracts that say so.

What is checked here does not depend on which libraries are installed. A format of the drafts that is not checked is not
understood, and one that the drafts do not know asserts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from ipaddress import IPv4Address, IPv6Address

from jsonschema import FormatChecker

_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"


def _whole(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _date(text: str) -> bool:
    return _whole(r"\d{4}-\d{2}-\d{2}")(text) and _accepts(date.fromisoformat, text)


def _accepts(reads: Callable[[str], object], text: str) -> bool:
    try:
        reads(text)
    except ValueError:
        return False
    return True


#: The formats that are checked: RFC 3339, RFC 2673, RFC 4291, RFC 4122, RFC 6901; e-mail as far as to have one "@" and both sides.
CHECKS: dict[str, Callable[[str], bool]] = {
    "date": _date,
    "time": _whole(f"(?i:{_TIME})"),
    "date-time": lambda text: _date(text[:10]) and _whole(f"(?i:T{_TIME})")(text[10:]),
    "email": _whole(r"[^@\s]+@[^@\s]+"),
    "ipv4": lambda text: _whole(r"[\d.]+")(text) and _accepts(IPv4Address, text),
    "ipv6": lambda text: _whole(r"[0-9A-Fa-f:.]+")(text) and _accepts(IPv6Address, text),
    "uuid": _whole(r"(?i:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})"),
    "json-pointer": _whole(r"(/([^~/]|~[01])*)*"),
}
#: The other formats of the drafts.
UNCHECKED = frozenset(
    [
        "duration",
        "hostname",
        "idn-email",
        "idn-hostname",
        "iri",
        "iri-reference",
        "regex",
        "relative-json-pointer",
        "uri",
        "uri-reference",
        "uri-template",
    ]
)

#: Strings to try, by format; whether each conforms is asked, never assumed.
SAMPLES: dict[str, tuple[str, ...]] = {
    "date": ("2020-02-29", "2021-02-30"),
    "time": ("12:00:00Z", "25:00:00Z"),
    "date-time": ("2020-01-01T00:00:00Z", "2020-01-01"),
    "email": ("a@b", "a"),
    "ipv4": ("127.0.0.1", "256.0.0.1"),
    "ipv6": ("::1", "::g"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "0"),
    "json-pointer": ("/a", "a"),
}

CHECKER = FormatChecker(formats=())
for _name, _check in CHECKS.items():
    CHECKER.checks(_name)(lambda value, check=_check: not isinstance(value, str) or check(value))


def is_asserted(name: str) -> bool:
    """Whether the drafts know the format `name`, so that it says something."""
    return name in CHECKS or name in UNCHECKED


def conforms(name: str, text: str) -> bool | None:
    """Whether `text` has the format `name`; None where that is not checked."""
    check = CHECKS.get(name)
    return None if check is None else check(text)
