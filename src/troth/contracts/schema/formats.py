"""`format` as an assertion (2020-12 validation, 7.2.2), for contracts that say so. A format that is unknown asserts nothing."""

from __future__ import annotations

from jsonschema import Draft202012Validator

CHECKER = Draft202012Validator.FORMAT_CHECKER

#: Strings to try, by format; whether each conforms is asked, never assumed.
SAMPLES: dict[str, tuple[str, ...]] = {
    "date": ("2020-02-29", "2021-02-30"),
    "date-time": ("2020-01-01T00:00:00Z", "2020-01-01"),
    "time": ("12:00:00Z", "25:00:00Z"),
    "duration": ("P1D", "1D"),
    "email": ("a@b.example", "a"),
    "idn-email": ("a@b.example", "a"),
    "hostname": ("a.example", "-a-"),
    "idn-hostname": ("a.example", "-a-"),
    "ipv4": ("127.0.0.1", "256.0.0.1"),
    "ipv6": ("::1", "::g"),
    "uri": ("http://a.example/", "a b"),
    "uri-reference": ("/a", "\\"),
    "iri": ("http://a.example/", "a b"),
    "iri-reference": ("/a", "\\"),
    "uri-template": ("/{a}", "/{a"),
    "json-pointer": ("/a", "a"),
    "relative-json-pointer": ("0/a", "/a"),
    "regex": ("a+", "("),
    "uuid": ("00000000-0000-0000-0000-000000000000", "0"),
}


def is_asserted(name: str) -> bool:
    """Whether troth knows how to check the format `name`."""
    return name in CHECKER.checkers


def conforms(name: str, text: str) -> bool:
    """Whether `text` has the format `name`."""
    return bool(CHECKER.conforms(text, name))
