"""What a server holds a release to, whatever its client says: PLX-01, PLX-05 to PLX-09, PLX-11 to PLX-14, PLX-17."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from tests.products.conftest import RECORD, Shop, shop  # noqa: F401  # the fixture
from troth.clock import now
from troth.contracts.release_document import ToldInfrastructure, ToldRecord
from troth.errors import Forbidden, Refused
from troth.versions.clauses import policy
from troth.versions.releases import judging
from troth.versions.releases.cadence import Planned, cadence, suggested_occasion
from troth.versions.releases.evidence import Fact, Kind

INFRASTRUCTURES = """
[infrastructures.one]
provider = "{one}"
records = ["records/one/*.xml"]

[infrastructures.two]
provider = "{two}"
records = ["records/two/*.xml"]
"""
NOTES = {"migrations/0002_notes.sql": "ALTER TABLE orders ADD COLUMN note TEXT;\n"}


@pytest.mark.clause("PLX-01")
def test_a_release_names_the_revision_that_it_was_judged_under(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    assert shop.cut()[1]["policy_revision"] == policy().revision
    later = replace(policy(), revision=policy().revision + 1)
    monkeypatch.setattr(judging, "policy", lambda: later)
    shop.released("0.1.1", {"src/shop.py": "print(1)\n", "changes/1.fix.md": "mended\n"})
    found = {row["number"]: row["policy_revision"] for row in shop.client.releases(shop.subject)}
    assert found == {"0.1.0": later.revision - 1, "0.1.1": later.revision}
    assert shop.client.release(shop.subject, "0.1.0")["verdict"]["policy_revision"] == later.revision - 1


@pytest.mark.clause("PLX-05")
def test_stable_is_a_mark_that_people_give(shop: Shop) -> None:  # noqa: F811
    shop.cut()
    organization = shop.server.organization(shop.client)
    key = shop.client.command("create_key", account=organization)["key"]
    _, stranger = shop.server.account("sam")
    for client in (stranger, shop.server.client(key)):
        with pytest.raises(Forbidden):
            client.command("mark_stable", product=shop.subject, number="0.1.0")
    assert shop.client.release(shop.subject, "0.1.0")["stable_at"] is None
    code, out, _ = shop.troth("release", "stable", f"{shop.subject}/0.1.0", "--json")
    assert (code, json.loads(out)["stable_by"]) == (0, shop.owner)
    assert shop.client.product(shop.subject)["stable"] == "0.1.0"
    with pytest.raises(Refused, match="marked stable already"):
        shop.client.command("mark_stable", product=shop.subject, number="0.1.0")


@pytest.mark.clause("PLX-05")
def test_an_organization_s_own_key_is_nobody(shop: Shop) -> None:  # noqa: F811
    organization = shop.server.organization(shop.client)
    key = shop.client.command("create_key", account=organization)["key"]
    itself = shop.server.client(key)
    itself.command("create_product", product=f"{organization}/shop")
    with pytest.raises(Forbidden, match="may not mark releases"):
        itself.command("mark_stable", product=f"{organization}/shop", number="0.1.0")


@pytest.mark.clause("PLX-05")
def test_a_prerelease_is_cut_and_never_stable(shop: Shop) -> None:  # noqa: F811
    shop.cut()
    shop.commit("0.2.0", {"changes/1.feature.md": "more\n", "src/shop.py": "print(2)\n"})
    code, found = shop.cut("0.2.0-rc.1")
    assert (code, found["prerelease"], found["former"]) == (0, True, "0.1.0")
    with pytest.raises(Refused, match="is a prerelease"):
        shop.client.command("mark_stable", product=shop.subject, number="0.2.0-rc.1")
    assert shop.client.product(shop.subject)["latest"] == "0.1.0"
    code, found = shop.cut()
    assert (code, found["number"], found["former"]) == (0, "0.2.0", "0.1.0")


@pytest.mark.clause("PLX-06")
def test_a_release_has_documentation(shop: Shop) -> None:  # noqa: F811
    document = shop.claimed("0.1.0")
    with pytest.raises(Refused) as caught:
        shop.client.command(
            "cut_release", product=shop.subject, number="0.1.0", commit=document.commit, tag="v0.1.0",
            evidence=shop.uploaded(document.as_bytes()),
        )  # fmt: skip
    assert caught.value.clauses == ("PLX-06",)
    assert shop.client.releases(shop.subject) == []


@pytest.mark.clause("PLX-06")
def test_the_documentation_of_a_release_stays_as_it_was(shop: Shop) -> None:  # noqa: F811
    first = shop.cut()[1]["docs_digest"]
    shop.released("0.1.1", {"docs/index.html": "<h1>other</h1>\n", "changes/1.fix.md": "mended\n"})
    found = {row["number"]: row["docs_digest"] for row in shop.client.releases(shop.subject)}
    assert found["0.1.0"] == first
    assert found["0.1.1"] != first


@pytest.mark.clause("PLX-07")
def test_a_setting_that_goes_without_a_word_is_seen(shop: Shop) -> None:  # noqa: F811
    """The server compares contracts itself, whatever its client says became of them."""
    shop.cut()
    shop.commit("0.1.1", {"settings.json": '{"type": "object"}', "changes/1.fix.md": "mended\n"})
    document = shop.claimed("0.1.1")
    told = tuple(one for one in document.facts if one.kind is Kind.NOTED_FIX)
    with pytest.raises(Refused) as caught:
        shop.cut_as(msgspec.structs.replace(document, facts=told), "0.1.1")
    assert "PLX-07" in caught.value.clauses


@pytest.mark.clause("PLX-08")
def test_a_migration_that_the_client_does_not_tell_of_is_seen(shop: Shop) -> None:  # noqa: F811
    shop.cut()
    shop.commit("0.1.1", {**NOTES, "changes/1.fix.md": "mended\n"})
    document = shop.claimed("0.1.1")
    told = tuple(one for one in document.facts if one.kind is not Kind.MIGRATION_ADDED)
    with pytest.raises(Refused) as caught:
        shop.cut_as(msgspec.structs.replace(document, facts=told, tried=True), "0.1.1")
    assert "PLX-08" in caught.value.clauses


@pytest.mark.clause("PLX-09")
def test_a_migration_that_was_not_run_is_refused(shop: Shop) -> None:  # noqa: F811
    shop.cut()
    shop.commit("0.2.0", {**NOTES, "changes/1.feature.md": "notes\n"})
    code, problem = shop.cut("--no-prove-migrations")
    assert (code, problem["clauses"]) == (3, ["PLX-09"])
    assert "the migrations were not run" in problem["why"]
    document = shop.claimed("0.2.0")
    with pytest.raises(Refused, match="refused") as caught:  # who says so, and names no path
        shop.cut_as(msgspec.structs.replace(document, tried=True), "0.2.0")
    assert caught.value.clauses == ("PLX-09",)
    assert shop.cut()[0] == 0


@pytest.mark.clause("PLX-11")
def test_a_release_names_its_occasion(shop: Shop) -> None:  # noqa: F811
    shop.commit("0.1.0", {"troth.toml": shop.head("0.1.0").partition("[release]")[0]})
    code, problem = shop.cut()
    assert (code, problem["clauses"]) == (3, ["PLX-11"])
    assert shop.client.releases(shop.subject) == []


@pytest.mark.clause("PLX-12")
def test_two_fixes_in_one_day_are_released(shop: Shop) -> None:  # noqa: F811
    shop.cut()
    shop.released("0.1.1", {"src/shop.py": "print(1)\n", "changes/1.fix.md": "mended\n"})
    shop.released("0.1.2", {"src/shop.py": "print(2)\n", "changes/2.fix.md": "mended again\n"})


@pytest.mark.clause("PLX-13")
@pytest.mark.parametrize("record", ["<testsuite/>", RECORD.replace("/></", "><skipped/></testcase></"), "no record"])
def test_tests_are_counted_by_the_server(shop: Shop, record: str) -> None:  # noqa: F811
    shop.commit("0.1.0", {}, occasion="functionality")
    document = shop.claimed("0.1.0")
    good, other = (shop.uploaded(content.encode()) for content in (RECORD, record))
    told = tuple(
        ToldInfrastructure(name, name, "", "", (ToldRecord(f"{name}.xml", digest, tests=100),))
        for name, digest in (("one", good), ("two", other))
    )
    with pytest.raises(Refused) as caught:
        shop.cut_as(msgspec.structs.replace(document, infrastructures=told), "0.1.0")
    assert caught.value.clauses == ("PLX-13",)
    both = (told[0], msgspec.structs.replace(told[1], records=told[0].records))
    shop.cut_as(msgspec.structs.replace(document, infrastructures=both), "0.1.0")
    found = shop.client.release(shop.subject, "0.1.0")
    assert [one["records"][0]["tests"] for one in found["infrastructures"]] == [1, 1]
    assert "2 tests counted in 2 records" in found["checked"]


@pytest.mark.clause("PLX-13")
@pytest.mark.parametrize(
    ("one", "two", "record", "code"),
    [
        ("laptop", "cluster", RECORD, 0),
        ("laptop", "laptop", RECORD, 3),
        ("laptop", "cluster", RECORD.replace("/></", "><skipped/></testcase></"), 3),
        ("laptop", "cluster", "<testsuite/>", 3),
        ("laptop", "cluster", None, 3),
    ],
)
def test_functionality_is_tested_on_two_kinds(shop: Shop, one: str, two: str, record: str | None, code: int) -> None:  # noqa: F811
    head = shop.head("0.1.0", "functionality") + INFRASTRUCTURES.format(one=one, two=two)
    shop.repository.commit({"troth.toml": head})
    for name, content in (("one", RECORD), ("two", record)):
        if content is not None:
            path = shop.repository.folder / "records" / name / "tests.xml"
            path.parent.mkdir(parents=True)
            path.write_text(content)
    found, problem = shop.cut()
    assert found == code
    if code:
        assert problem["clauses"] == ["PLX-13"]


@pytest.mark.clause("PLX-14")
def test_cadence_is_shown_and_refuses_nothing(shop: Shop) -> None:  # noqa: F811
    planned = [Planned("ada/shop 1.0.0", date(2026, 11, 1))]
    found = cadence([date(2026, 9, 1), date(2026, 9, 21), date(2026, 10, 1)], planned, date(2026, 11, 25))
    assert (found.days, found.usual) == (55, 15)
    assert (found.earliest, found.latest) == (date(2026, 10, 15), date(2026, 11, 1))
    assert found.warnings == (
        "ada/shop 1.0.0 was due on 2026-11-01",
        "55 days lie behind the last release; two weeks to a month are usual (PLX-14)",
    )
    due = (now() + timedelta(days=1)).date().isoformat()
    shop.client.command("plan_release", product=shop.subject, due=due, occasion="scheduled", number="0.1.0")
    assert shop.cut()[0] == 0
    assert shop.client.cadence(shop.subject)["planned"] == []


@pytest.mark.clause("PLX-17")
def test_a_component_that_was_released_as_stable_stays_so(shop: Shop) -> None:  # noqa: F811
    component = '[components.reports]\npaths = ["reports"]\nmaturity = "{}"\n'
    shop.commit("0.1.0", {"troth.toml": shop.head("0.1.0") + component.format("stable"), "reports/a.py": "1\n"})
    assert shop.cut()[0] == 0
    shop.commit(
        "0.2.0", {"troth.toml": shop.head("0.2.0") + component.format("beta"), "changes/1.feature.md": "more\n"}
    )
    document = shop.claimed("0.2.0")
    told = tuple(one for one in document.facts if one.kind is not Kind.MATURITY_LOWERED)
    with pytest.raises(Refused) as caught:
        shop.cut_as(msgspec.structs.replace(document, facts=told), "0.2.0")
    assert caught.value.clauses == ("PLX-17",)


def test_what_waits_suggests_an_occasion() -> None:
    fix, feature = Fact(Kind.NOTED_FIX, "", ""), Fact(Kind.NOTED_FEATURE, "", "")
    assert suggested_occasion([fix]) == "fix"
    assert suggested_occasion([fix, feature]) == "functionality"
    assert suggested_occasion([Fact(Kind.COMPONENT_CHANGED, "", "")]) == "scheduled"


def test_what_is_due_is_told_without_a_server(shop: Shop) -> None:  # noqa: F811
    shop.cut()
    code, out, _ = shop.troth_offline("release", "due", "--project", str(shop.repository.folder))
    assert (code, out.strip()) == (0, "nothing waits since 0.1.0")
    shop.commit("0.1.0", {"changes/1.feature.md": "notes\n"})
    code, out, _ = shop.troth_offline("release", "due", "--project", str(shop.repository.folder), "--json")
    found = json.loads(out)
    assert (code, found["commits"], found["occasion"], found["number"]) == (0, 1, "functionality", "0.2.0")
    days = (int(now().timestamp()) - 1_750_000_000) // 86400
    assert found["days"] in (days - 1, days)  # midnight may lie between
