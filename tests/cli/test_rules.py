"""The rules of comparison, listed and explained."""

from __future__ import annotations

import json

import pytest

from troth.contracts.rules.table import rules
from troth.doors.cli.main import execute


def test_every_rule_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["rules", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in told] == list(rules())
    assert execute(["rules"]) == 0
    shown = capsys.readouterr()
    assert all(name in shown.out for name in rules())
    assert shown.err.startswith(f"{len(rules())} rules")


def test_rules_are_chosen_by_prefix_kind_and_bump(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["rules", "wire-property", "--kind", "wire", "--least", "major", "--json"]) == 0
    chosen = [row["id"] for row in json.loads(capsys.readouterr().out)]
    assert chosen == [row.id for row in rules().values() if row.id.startswith("wire-property")]
    assert execute(["rules", "input-", "--least", "revision", "--json"]) == 0
    assert all(row["least"] == "revision" for row in json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("name", list(rules()))
def test_each_rule_is_explained_with_its_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = rules()[name]
    assert execute(["explain", name]) == 0
    told = capsys.readouterr().out
    for part in (
        row.purpose,
        row.least,
        *row.clauses,
        *row.before.strip().splitlines(),
        *row.after.strip().splitlines(),
    ):
        assert part in told
    assert execute(["explain", name.upper(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == row.as_dict()


def test_clauses_are_explained_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["explain", "alg-10"]) == 0
    assert capsys.readouterr().out.startswith("ALG-10 (RULE")


@pytest.mark.parametrize(("name", "word"), [("input-nothing", "rule"), ("ALG-99", "clause")])
def test_what_is_neither_is_not_found(name: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["explain", name]) == 4
    assert word in capsys.readouterr().err
