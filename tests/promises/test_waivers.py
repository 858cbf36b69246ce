"""Waivers as values: what they excuse, what they say when they do not, and signatures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.promises.test_rendering import GONE, HISTORY, OPEN
from troth.errors import Malformed, MalformedSetting
from troth.signing import SigningKey, fits, identity_of
from troth.versions.candidate import Candidate
from troth.versions.evidence import Evidence, Judged
from troth.versions.history import Readings
from troth.versions.numbers import Number
from troth.versions.permissions import Permissions
from troth.versions.policy import RULES, judge, least_number
from troth.versions.rendering import as_annotations, as_markdown, as_text
from troth.versions.verdict import Outcome
from troth.versions.waivers import WAIVABLE, Waiver, considered

NOW, LATER, BEFORE = "2026-11-25T12:00:00.000000Z", "2026-12-25T12:00:00.000000Z", "2026-11-01T00:00:00.000000Z"
COMMIT = "c" * 40
WAIVER = Waiver(
    "11111111-1111-1111-1111-111111111111", "ada/echo", "1.2.0", COMMIT, ("ALG-05", "ALG-07"), "nobody sends lang | <b>",
    "ada", "bob", NOW, LATER, "k" * 64,
)  # fmt: skip
JUDGED = Judged({version.number: Evidence(version.number, (GONE,)) for version in HISTORY.versions}, "described")


def candidate(number: str = "1.2.0", waiver: Waiver = WAIVER, **how: object) -> Candidate:
    facts = {"authentic": True, "revoked_at": None, **how}
    return Candidate(Number.parse(number), OPEN, JUDGED, waivers=(considered(waiver, COMMIT, NOW, **facts),))  # type: ignore[arg-type]


@pytest.mark.clause("ALG-05")
@pytest.mark.clause("ALG-07")
def test_a_waiver_lets_pass_and_the_verdict_says_so() -> None:
    found = judge(candidate(), HISTORY)
    assert (found.outcome, found.findings, found.used) == (Outcome.ALLOWED, (), (WAIVER.id,))
    assert [finding.clause for finding in found.waived] == ["ALG-05", "ALG-07"]
    told = found.as_dict()
    assert told["waivers"] == [{**WAIVER.as_dict(), "holds": True, "why": ""}]
    assert [one["version"] for one in told["contradicted"]] == ["1.0.0", "1.1.0"]
    text = as_text(told)
    assert text.startswith("1.2.0 is allowed by a waiver; ")
    assert f"by a waiver of ALG-05, ALG-07 ({WAIVER.id}), approved by bob: nobody sends lang" in text
    assert "lang is gone" in text
    assert "<b>" not in as_markdown(told)
    assert as_annotations(told).startswith("::notice ")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"authentic": False}, "its signature does not fit what it says"),
        ({"revoked_at": NOW}, f"it was revoked at {NOW}"),
        ({"waiver": replace(WAIVER, expires_at=BEFORE)}, f"it expired at {BEFORE}"),
        ({"waiver": replace(WAIVER, expires_at=NOW)}, f"it expired at {NOW}"),
        ({"waiver": replace(WAIVER, hash="d" * 40)}, "it is for the build dddddddddddd, and not for cccccccccccc"),
        ({"waiver": replace(WAIVER, number="1.3.0")}, "it is for 1.3.0, and not for 1.2.0"),
    ],
)
def test_a_waiver_that_does_not_hold_is_named_with_the_reason(how: dict[str, object], why: str) -> None:
    found = judge(candidate(**how), HISTORY)  # type: ignore[arg-type]
    assert (found.outcome, found.clauses, found.used) == (Outcome.REFUSED, ("ALG-05", "ALG-07"), ())
    assert f"the waiver {WAIVER.id} does not help: {why}" in found.refusal().why
    assert f"does not help: {why}" in as_text(found.as_dict())


def test_a_waiver_excuses_the_clauses_that_it_names_and_no_more() -> None:
    found = judge(candidate(waiver=replace(WAIVER, clauses=("ALG-07",))), HISTORY)
    assert (found.outcome, found.clauses, [one.clause for one in found.waived]) == (
        Outcome.REFUSED, ("ALG-05",), ["ALG-07"]
    )  # fmt: skip


@pytest.mark.clause("ALG-08")
def test_no_waiver_excuses_what_is_not_compared() -> None:
    every = replace(WAIVER, clauses=tuple(rule.clause for rule in RULES))
    private = replace(candidate(waiver=every), permissions=Permissions("private"))
    assert judge(private, HISTORY).clauses == ("ALG-08",)
    used = replace(candidate("1.1.0", replace(every, number="1.1.0")))
    assert "ALG-02" in judge(used, HISTORY).clauses
    comparing = {rule.clause for rule in RULES if rule.comparing}
    assert comparing <= set(WAIVABLE["algorithm"])
    assert set(WAIVABLE["algorithm"]) == {"ALG-05", "ALG-07", "ALG-09", "ALG-11"}


def test_the_lowest_number_is_told_without_waivers() -> None:
    assert least_number(candidate(), HISTORY) == Number(2, 0, 0)
    assert judge(candidate(waiver=replace(WAIVER, number="1.3.0")), HISTORY).least == Number(2, 0, 0)


def test_where_it_is_only_said_no_waiver_is_used() -> None:
    found = judge(candidate(), HISTORY, Readings(compatibility="warn"))
    assert (len(found.warnings), found.waived, found.used) == (2, (), ())


def test_a_waiver_survives_being_told() -> None:
    assert Waiver.from_dict(json.loads(json.dumps(WAIVER.as_dict()))) == WAIVER
    told: Any
    for told in (None, [], {}, {**WAIVER.as_dict(), "form": "x"}, {**WAIVER.as_dict(), "clauses": "ALG-05"},
                 {**WAIVER.as_dict(), "reason": 1}, {**WAIVER.as_dict(), "signature": None}):  # fmt: skip
        with pytest.raises(Malformed, match="no waiver"):
            Waiver.from_dict(told)


def test_what_was_signed_is_every_word(tmp_path: Path) -> None:
    key = SigningKey.open(tmp_path / "signing.key")
    waiver = replace(WAIVER, key=key.identity)
    signed = replace(waiver, signature=key.sign(waiver.statement()))
    assert key.fits(signed.statement(), signed.signature)
    altered: dict[str, Any]
    for name, value in (("number", "1.2.1"), ("reason", "other"), ("expires_at", NOW), ("clauses", ("ALG-05",)),
                        ("approved_by", "eve"), ("hash", "d" * 40), ("subject", "ada/other"), ("kind", "product"), ("key", "x")):  # fmt: skip
        altered = {name: value}
        assert not key.fits(replace(signed, **altered).statement(), signed.signature), name
    for signature in ("", "AAAA", "no base64!", signed.signature[:-4]):
        assert not key.fits(signed.statement(), signature)


def test_the_key_is_kept_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    key = SigningKey.open(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["signing.key"]
    again = SigningKey.open(path)
    assert (again.identity, again.public) == (key.identity, key.public)
    assert fits(key.public, b"words", again.sign(b"words"))
    assert identity_of(key.public) == key.identity
    other = SigningKey.open(tmp_path / "other.key")
    assert not fits(other.public, b"words", key.sign(b"words"))


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signing.key"
    path.write_bytes(content)
    with pytest.raises(MalformedSetting, match="is no signing key"):
        SigningKey.open(path)
    with pytest.raises(Malformed, match="no public key"):
        fits(content.decode(), b"words", "AAAA")
