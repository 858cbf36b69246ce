"""Waivers of releases as values: which rules they excuse, and which nothing excuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from troth.errors import Malformed
from troth.signing import SigningKey
from troth.versions.releases.evidence import Fact, Kind, Situation
from troth.versions.releases.judging import judge
from troth.versions.releases.numbers import ReleaseNumber, Step
from troth.versions.releases.rendering import as_annotations, as_markdown, as_text
from troth.versions.releases.rules import RULES
from troth.versions.releases.verdict import ReleaseVerdict
from troth.versions.verdict import Outcome
from troth.versions.waivers import WAIVABLE, Waiver, considered

NOW, LATER, BEFORE = "2026-11-25T12:00:00.000000Z", "2026-12-25T12:00:00.000000Z", "2026-11-01T00:00:00.000000Z"
COMMIT = "c" * 40
WAIVER = Waiver(
    "22222222-2222-2222-2222-222222222222", "ada/shop", "1.2.1", COMMIT, WAIVABLE["product"], "nobody sets port | <b>",
    "ada", "bob", NOW, LATER, "k" * 64, kind="product",
)  # fmt: skip
BREAK = Fact(Kind.SETTING_REMOVED, "settings.json", "port is gone", "keep port")


def verdict(
    *facts: Fact, number: str = "1.2.1", waiver: Waiver = WAIVER, profile: str = "polyaxon", **how: object
) -> ReleaseVerdict:
    situation = Situation(ReleaseNumber.parse("1.2.0"), (ReleaseNumber.parse("1.2.0"),), (profile,), complete=True)
    held = {"authentic": True, "revoked_at": None, **how}
    waivers = (considered(waiver, COMMIT, NOW, **held),)  # type: ignore[arg-type]
    return judge(facts, situation, ReleaseNumber.parse(number), (), waivers)


@pytest.mark.clause("PLX-07")
def test_a_waiver_lets_pass_and_the_verdict_says_so() -> None:
    found = verdict(BREAK)
    assert (found.outcome, found.clauses, found.used) == (Outcome.ALLOWED, (), (WAIVER.id,))
    assert (str(found.least), found.step) == ("2.0.0", Step.MAJOR)
    told = found.as_dict()
    assert [(one["clause"], one["waived"], one["refuses"]) for one in told["asked"]] == [
        ("PLX-05", True, False),
        ("PLX-07", True, False),
    ]
    assert told["waivers"] == [{**WAIVER.as_dict(), "holds": True, "why": ""}]
    text = as_text(told)
    assert text.startswith("1.2.1 is allowed by a waiver behind 1.2.0")
    assert "PLX-07 asks for a minor, which is waived: A patch is completely compatible" in text
    assert f"({WAIVER.id}), approved by bob: nobody sets port" in text
    assert "<b>" not in as_markdown(told)
    assert as_annotations(told).startswith("::notice ")


@pytest.mark.parametrize(
    ("profile", "fact", "clause"),
    [
        ("semver", BREAK, "PDB-05"),
        ("semver", Fact(Kind.CONTRACT_ADDED, "api.json", "GET /new"), "PDB-05"),
        ("puppetdb", Fact(Kind.CONTRACT_ADDED, "api.json", "GET /new"), "PDB-19"),
        ("polyaxon", BREAK, "PLX-05"),
        ("polyaxon", Fact(Kind.CONTRACT_ADDED, "api.json", "GET /new"), "PLX-07"),
        ("polyaxon", Fact(Kind.MIGRATION_ADDED, "migrations/2.sql", "2 is new"), "PLX-08"),
    ],
)
@pytest.mark.clause("PDB-05")
@pytest.mark.clause("PDB-19")
@pytest.mark.clause("PLX-08")
def test_what_compares_is_excused_by_the_clause_that_is_named(profile: str, fact: Fact, clause: str) -> None:
    assert verdict(fact, profile=profile).outcome is Outcome.ALLOWED
    others = tuple(one for one in WAIVABLE["product"] if one != clause)
    without = verdict(fact, profile=profile, waiver=replace(WAIVER, clauses=others))
    assert (without.outcome, without.clauses) == (Outcome.REFUSED, (clause,))


@pytest.mark.parametrize(
    ("fact", "clause"),
    [
        (Fact(Kind.MANUAL_STEP, "changes/1.md", "run this by hand"), "PLX-07"),
        (Fact(Kind.MIGRATION_GAP, "migrations", "2 is missing"), "PLX-09"),
        (Fact(Kind.PATH_BROKEN, "from 1.2.0", "2 fails", detail={"from": "1.2.0"}), "PLX-09"),
        (Fact(Kind.PATHS_NOT_TRIED, "migrations", "not run"), "PLX-09"),
        (Fact(Kind.MAJOR_FUNCTIONALITY, "changes/1.md", "carts"), "PLX-10"),
        (Fact(Kind.COMPONENT_UNMARKED, "troth.toml", "web is not marked"), "PLX-17"),
        (Fact(Kind.OCCASION_MISSING, "troth.toml", "no occasion"), "PLX-11"),
        (Fact(Kind.RECORDS_MISSING, "troth.toml", "no records"), "PLX-13"),
        (Fact(Kind.DOCUMENTATION_MISSING, "documentation", "none"), "PLX-06"),
    ],
)
@pytest.mark.clause("PLX-09")
@pytest.mark.clause("PLX-17")
def test_no_waiver_excuses_what_does_not_compare(fact: Fact, clause: str) -> None:
    every = replace(WAIVER, clauses=tuple(rule.clause for rule in RULES))
    found = verdict(fact, waiver=every)
    assert found.outcome is Outcome.REFUSED
    assert clause in found.clauses


@pytest.mark.clause("PDB-05")
def test_no_waiver_excuses_a_number_that_is_wrong_by_itself() -> None:
    for number in ("1.2.0", "1.1.9", "1.3.1"):
        found = verdict(BREAK, number=number, waiver=replace(WAIVER, number=number), profile="semver")
        assert (found.outcome, found.objections != ()) == (Outcome.REFUSED, True), number


@pytest.mark.clause("PDB-04")
def test_no_waiver_decides_what_nobody_wrote() -> None:
    found = verdict(BREAK, number="1.2.3", waiver=replace(WAIVER, number="1.2.3"))
    assert (found.outcome, found.used) == (Outcome.NOT_REGULATED, (WAIVER.id,))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"authentic": False}, "its signature does not fit what it says"),
        ({"revoked_at": NOW}, f"it was revoked at {NOW}"),
        ({"waiver": replace(WAIVER, expires_at=BEFORE)}, f"it expired at {BEFORE}"),
        ({"waiver": replace(WAIVER, hash="d" * 40)}, "it is for the commit dddddddddddd, and not for cccccccccccc"),
        ({"waiver": replace(WAIVER, number="1.2.2")}, "it is for 1.2.2, and not for 1.2.1"),
    ],
)
def test_a_waiver_that_does_not_hold_is_named_with_the_reason(how: dict[str, object], why: str) -> None:
    found = verdict(BREAK, **how)  # type: ignore[arg-type]
    assert (found.outcome, found.clauses, found.used) == (Outcome.REFUSED, ("PLX-05", "PLX-07"), ())
    assert f"the waiver {WAIVER.id} does not help: {why}" in as_text(found.as_dict())


def test_metadata_of_a_build_counts_for_nothing() -> None:
    assert verdict(BREAK, number="1.2.1+linux").outcome is Outcome.ALLOWED


def test_the_rows_that_compare_are_those_that_can_be_waived() -> None:
    comparing = {rule.clause for rule in RULES if rule.comparing}
    assert comparing == set(WAIVABLE["product"])
    assert not any(rule.missing for rule in RULES if rule.comparing)


def test_who_may_ask_is_told_how() -> None:
    text = as_text(verdict(BREAK, authentic=False).as_dict())
    assert "ask for a waiver of PLX-05, PLX-07: troth release request-waiver 1.2.1" in text
    mixed = verdict(BREAK, Fact(Kind.MIGRATION_GAP, "migrations", "2 is missing"), authentic=False)
    assert "request-waiver" not in as_text(mixed.as_dict())


def test_its_document_says_its_kind_and_is_signed_with_it(tmp_path: Path) -> None:
    told = WAIVER.as_dict()
    assert (told["form"], told["kind"], told["subject"]) == ("troth-waiver-2", "product", "ada/shop")
    assert Waiver.from_dict(json.loads(json.dumps(told))) == WAIVER
    for wrong in ({"kind": "algorithm"}, {"kind": "nothing"}, {"subject": None}, {"form": "troth-waiver-3"}):
        with pytest.raises(Malformed, match="no waiver"):
            Waiver.from_dict({**told, **wrong})
    key = SigningKey.open(tmp_path / "signing.key")
    signature = key.sign(WAIVER.statement())
    assert not key.fits(replace(WAIVER, kind="algorithm").statement(), signature)
    assert not key.fits(replace(WAIVER, subject="ada/other").statement(), signature)
