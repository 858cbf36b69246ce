"""What a release may be called: PDB-05 to PDB-09, PDB-19, PLX-05, PLX-07 to PLX-13, PLX-17, PLX-18."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.releases.product import CONTRACT, HEAD, MIGRATED, ORDERS, Repository, askings, policy, with_parameter
from troth.errors import MalformedNumber
from troth.versions.releases.evidence import Fact, Kind, Maturity, Situation
from troth.versions.releases.judging import judge
from troth.versions.releases.numbers import ReleaseNumber, Step, supported
from troth.versions.releases.rules import BREAKS, FEATURES, PROFILES
from troth.versions.verdict import Outcome
from troth.versions.waivers import Waiver, considered

N = ReleaseNumber.parse
BROKEN = Fact(Kind.CONTRACT_BROKEN, "openapi.json", "a parameter is required")
NEW = Fact(Kind.CONTRACT_WIDENED, "openapi.json", "a parameter is new")
PERFECT = '<testsuite><testcase name="a"/><testcase name="b"/></testsuite>'
INFRASTRUCTURES = """
[infrastructures.laptop]
provider = "laptop"
records = ["records/laptop.xml"]
[infrastructures.cluster]
provider = "Kubernetes"
records = ["records/cluster.xml"]
"""


def least(facts: Sequence[Fact], former: str, *profiles: str, **more: Any) -> str:
    """The lowest legal number behind a release."""
    number = N(former)
    return str(judge(facts, Situation(number, (number,), profiles, **more)).least)


def outcome(facts: Sequence[Fact], former: str, number: str, *profiles: str, **more: Any) -> Outcome:
    """What is said of a number behind a release."""
    return judge(facts, Situation(N(former), (N(former),), profiles, **more), N(number)).outcome


# --- Semantic Versioning


@pytest.mark.clause("PDB-05")
@pytest.mark.clause("PLX-05")
@pytest.mark.parametrize("profile", PROFILES)
def test_a_break_is_a_major(shop: Repository, profile: str) -> None:
    shop.commit({"troth.toml": HEAD + policy(profile) + CONTRACT + MIGRATED}, tag="v1.0.1")
    shop.commit({"openapi.json": with_parameter("state", required=True)})
    code, verdict = shop.check("--minor")
    assert (code, verdict["outcome"], verdict["least"]) == (3, "refused", "2.0.0")
    assert set(verdict["clauses"]) == {"PLX-05" if profile == "polyaxon" else "PDB-05"}
    assert shop.check("--major")[0] == 0


@pytest.mark.clause("PDB-05")
def test_semantic_versioning_promises_nothing_of_zero() -> None:
    assert least([BROKEN], "0.4.0", "semver") == "0.4.1"
    assert least([NEW], "0.4.0", "semver") == "0.4.1"
    assert least([BROKEN], "1.4.0", "semver") == "2.0.0"
    assert least([NEW], "1.4.0", "semver") == "1.5.0"
    assert least([], "1.4.0", "semver") == "1.4.1"


@pytest.mark.clause("PDB-05")
@pytest.mark.parametrize(("number", "words"), [("1.2.3", "released already"), ("1.2.2", "does not come after"),
                                               ("1.3.1", "to 0"), ("2.0.1", "to 0"), ("2.1.0", "to 0")])  # fmt: skip
def test_numbers_rise_and_are_reset(number: str, words: str) -> None:
    found = judge([], Situation(N("1.2.3"), (N("1.2.3"),), ("semver",)), N(number))
    assert found.outcome is Outcome.REFUSED
    assert found.clauses == ("PDB-05",)
    assert words in found.objections[0].text


@pytest.mark.clause("PDB-05")
def test_precedence_is_that_of_semantic_versioning() -> None:
    """The list of SemVer's clause 11."""
    listed = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
              "1.0.0-rc.1", "1.0.0", "1.9.0", "1.10.0", "2.0.0"]  # fmt: skip
    assert [str(one) for one in sorted(map(N, reversed(listed)))] == listed
    assert N("1.0.0+one") == N("1.0.0+two")


@pytest.mark.clause("PDB-06")
@pytest.mark.parametrize("text", ["1.2", "01.2.3", "v1.2.3", "1.2.3.4", "1.0.0rc1", "1.2.3\n", "１.2.3", "1.2.-3", ""])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(MalformedNumber) as caught:
        N(text)
    assert caught.value.clauses == ("PDB-06",)
    assert caught.value.exit_code == 3


@pytest.mark.clause("PDB-06")
def test_prereleases_are_numbers_of_releases() -> None:
    assert N("1.2.0-rc.1").is_prerelease
    assert outcome([NEW], "1.1.0", "1.2.0-rc.1", "semver") is Outcome.ALLOWED
    assert outcome([BROKEN], "1.1.0", "1.2.0-rc.1", "semver") is Outcome.REFUSED


# --- PuppetDB


@pytest.mark.clause("PDB-19")
def test_a_feature_is_at_least_a_y_release_in_zero_too() -> None:
    assert outcome([NEW], "0.4.0", "0.4.1", "puppetdb") is Outcome.REFUSED
    assert outcome([NEW], "0.4.0", "0.5.0", "puppetdb") is Outcome.ALLOWED
    assert outcome([NEW], "1.4.0", "2.0.0", "puppetdb") is Outcome.ALLOWED


@pytest.mark.clause("PDB-19")
def test_an_added_field_of_a_response_is_a_feature(shop: Repository) -> None:
    shop.commit({"troth.toml": HEAD + policy("puppetdb") + CONTRACT + MIGRATED}, tag="v1.0.1")
    shop.commit({"openapi.json": with_parameter("state")})
    code, verdict = shop.check("--patch")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PDB-19"], "1.1.0")


def packaged(targets: str, *exceptions: str, only: bool = False) -> str:
    """A product of PuppetDB's profile that is packaged for these systems."""
    excepted = {"exceptions": json.dumps(list(exceptions))}
    release = "[release]\nonly_target = true\n" if only else ""
    return (
        HEAD + policy("puppetdb", **excepted) + f'[packaging]\npaths = ["packaging"]\ntargets = {targets}\n' + release
    )


@pytest.mark.clause("PDB-08")
@pytest.mark.clause("PDB-09")
def test_a_new_distribution_may_be_a_z_release_or_a_y_release(empty: Repository) -> None:
    empty.commit({"troth.toml": packaged('["deb"]', "PDB-08"), "src/a.py": "a = 1\n"}, tag="v1.6.1")
    empty.commit({"troth.toml": packaged('["deb", "rpm"]', "PDB-08", only=True), "packaging/rpm.spec": "Name: shop\n"})
    assert empty.check("--patch")[1]["outcome"] == "allowed"
    assert empty.check("--minor")[1]["outcome"] == "allowed"
    assert ("PDB-08", "patch") in askings(empty.check()[1])


@pytest.mark.clause("PDB-08")
def test_a_new_distribution_holds_nothing_else(empty: Repository) -> None:
    empty.commit({"troth.toml": packaged('["deb"]', "PDB-08"), "src/a.py": "a = 1\n"}, tag="v1.6.1")
    empty.commit({"troth.toml": packaged('["deb", "rpm"]', "PDB-08", only=True), "src/a.py": "a = 2\n"})
    code, verdict = empty.check("--patch")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PDB-08"], None)
    empty.commit({"troth.toml": packaged('["deb"]', "PDB-08", only=True), "src/a.py": "a = 1\n"})
    assert empty.check("--patch")[1]["clauses"] == ["PDB-08"]


@pytest.mark.clause("PDB-07")
def test_an_exception_that_is_not_listed_does_not_exist(empty: Repository) -> None:
    empty.commit({"troth.toml": packaged('["deb"]'), "src/a.py": "a = 1\n"}, tag="v1.6.1")
    empty.commit({"troth.toml": packaged('["deb", "rpm"]'), "packaging/rpm.spec": "Name: shop\n"})
    code, verdict = empty.check("--patch")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PDB-05"], "1.7.0")


@pytest.mark.clause("PDB-09")
def test_polyaxon_asks_for_no_more_than_a_patch_for_a_distribution() -> None:
    assert least([Fact(Kind.TARGET_ADDED, "rpm", "rpm is made as well")], "1.6.1", "polyaxon") == "1.6.2"


# --- Polyaxon


@pytest.mark.clause("PLX-05")
def test_releases_are_judged_from_the_starting_point_on() -> None:
    since = {"since": N("0.4.4")}
    assert outcome([BROKEN], "0.4.2", "0.4.3", "polyaxon", **since) is Outcome.ALLOWED
    assert outcome([BROKEN], "0.4.3", "0.4.4", "polyaxon", **since) is Outcome.ALLOWED
    assert outcome([BROKEN], "0.4.4", "0.4.5", "polyaxon", **since) is Outcome.REFUSED
    assert outcome([BROKEN], "0.4.4", "0.5.0", "polyaxon", **since) is Outcome.ALLOWED
    assert outcome([], "0.4.3", "0.4.3", "polyaxon", **since) is Outcome.REFUSED


@pytest.mark.clause("PLX-05")
def test_a_break_is_a_minor_in_zero_and_a_major_from_one_on() -> None:
    assert least([BROKEN], "0.5.0", "polyaxon") == "0.6.0"
    assert least([BROKEN], "1.5.0", "polyaxon") == "2.0.0"


@pytest.mark.clause("PLX-07")
@pytest.mark.parametrize(
    "kind", sorted({*BREAKS, *FEATURES, Kind.SETTING_DEFAULT, Kind.MANUAL_STEP, Kind.TARGET_REMOVED})
)
@pytest.mark.parametrize("former", ["0.5.0", "1.5.0"])
def test_a_patch_is_completely_compatible(kind: Kind, former: str) -> None:
    number = N(former)
    found = judge([Fact(kind, "x", "x")], Situation(number, (number,), ("polyaxon",)), number.raised(Step.PATCH))
    assert found.outcome is Outcome.REFUSED
    assert "PLX-07" in found.clauses


SETTINGS = {"type": "object", "properties": {"port": {"type": "integer", "default": 8000}, "host": {"type": "string"}}}


@pytest.mark.clause("PLX-07")
@pytest.mark.parametrize(
    ("properties", "step"),
    [
        ({"port": {"type": "integer", "default": 8000}}, "major"),
        ({**SETTINGS["properties"], "port": {"type": "integer", "default": 9000}}, "minor"),  # type: ignore[dict-item]
        ({**SETTINGS["properties"], "size": {"type": "integer", "default": 1}}, "minor"),  # type: ignore[dict-item]
        ({**SETTINGS["properties"], "host": {"type": "integer"}}, "major"),  # type: ignore[dict-item]
    ],
)
def test_settings_and_their_defaults_are_promises(empty: Repository, properties: dict[str, Any], step: str) -> None:
    declared = HEAD + policy("polyaxon") + '[[contracts]]\nkind = "settings"\npath = "settings.json"\n'
    empty.commit({"troth.toml": declared, "settings.json": json.dumps(SETTINGS)}, tag="v1.0.0")
    empty.commit({"settings.json": json.dumps({**SETTINGS, "properties": properties})})
    code, verdict = empty.check("--patch")
    assert (code, verdict["step"]) == (3, step)
    assert "PLX-07" in verdict["clauses"]


@pytest.mark.clause("PLX-08")
def test_a_migration_refuses_a_patch_and_passes_in_a_minor(shop: Repository) -> None:
    shop.commit({"migrations/0002_items.sql": "CREATE TABLE items (id INTEGER PRIMARY KEY);\n"})
    code, verdict = shop.check("--patch")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-08"], "1.1.0")
    assert shop.check("--minor")[0] == 0


@pytest.mark.clause("PLX-08")
def test_migrations_ask_for_nothing_in_other_profiles_and_are_a_question_there(shop: Repository) -> None:
    shop.commit({"troth.toml": HEAD + policy("semver") + CONTRACT + MIGRATED}, tag="v1.0.1")
    shop.commit({"migrations/0002_items.sql": "CREATE TABLE items (id INTEGER PRIMARY KEY);\n"})
    code, verdict = shop.check("--patch")
    assert (code, verdict["outcome"]) == (3, "not-regulated")
    assert "new migrations" in verdict["not_regulated"][0]["question"]


@pytest.mark.clause("PLX-09")
@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"migrations/0001_orders.sql": ORDERS.replace("TEXT)", "BLOB)")}, "migration-edited"),
        ({"migrations/0001_orders.sql": None}, "migration-removed"),
        ({"migrations/0002_a.sql": "SELECT 1;", "migrations/0002_b.sql": "SELECT 2;"}, "migration-heads"),
        ({"migrations/0003_a.sql": "SELECT 1;"}, "migration-gap"),
    ],
)
def test_a_chain_that_is_broken_has_no_legal_number(shop: Repository, files: dict[str, str | None], kind: str) -> None:
    shop.commit(files)
    code, verdict = shop.check()
    assert (code, verdict["outcome"], verdict["least"]) == (3, "refused", None)
    assert kind in [fact["kind"] for one in verdict["asked"] if one["clause"] == "PLX-09" for fact in one["facts"]]


@pytest.mark.clause("PLX-09")
def test_a_path_is_broken_where_a_migration_fails_on_rows(shop: Repository) -> None:
    shop.commit(
        {
            "migrations/0002_notes.sql": "CREATE TABLE notes (note TEXT NOT NULL);\n"
            "INSERT INTO notes SELECT note FROM orders;\n"
        }
    )
    assert shop.check("--minor")[0] == 0
    code, verdict = shop.check("--minor", "--prove-migrations")
    assert (code, verdict["outcome"], verdict["least"]) == (3, "refused", None)
    assert verdict["clauses"] == ["PLX-09"]
    (path,) = verdict["paths"]
    assert "runs on empty tables and fails on rows" in path["words"]
    assert path["again"] == "troth release check --prove-from 1.0.0"


@pytest.mark.clause("PLX-09")
def test_a_proved_path_passes_in_a_minor(shop: Repository) -> None:
    shop.commit({"migrations/0002_items.sql": "CREATE TABLE items (id INTEGER PRIMARY KEY);\n"})
    code, verdict = shop.check("--minor", "--prove-migrations")
    assert (code, verdict["outcome"]) == (0, "allowed")
    assert [path["outcome"] for path in verdict["paths"]] == ["passed"]
    assert "PLX-09" not in [one["clause"] for one in verdict["missing"]]


@pytest.mark.clause("PLX-09")
def test_a_path_that_need_not_lead_to_a_major_asks_for_one() -> None:
    """From every release of the same major, and from the last minor of the former (note N22)."""
    used = tuple(map(N, ["0.9.0", "1.0.0", "1.1.0", "1.2.0"]))
    assert [str(one) for one in supported(N("1.3.0"), list(used))] == ["0.9.0", "1.0.0", "1.1.0", "1.2.0"]
    assert [str(one) for one in supported(N("2.0.0"), list(used))] == ["1.2.0"]
    for begins, step in (("0.9.0", Step.MAJOR), ("1.0.0", Step.MAJOR), ("1.2.0", Step.NONE)):
        broken = Fact(Kind.PATH_BROKEN, f"from {begins}", "it fails", detail={"from": begins})
        assert judge([broken], Situation(N("1.2.0"), used, ("polyaxon",))).step is step, begins


@pytest.mark.clause("PLX-09")
def test_a_step_by_hand_refuses_a_minor(shop: Repository) -> None:
    shop.commit(
        {"troth.toml": HEAD + policy("polyaxon") + CONTRACT + MIGRATED + '[release]\nmanual = ["run fix.sh"]\n'}
    )
    code, verdict = shop.check("--minor")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-09"], "2.0.0")


@pytest.mark.clause("PLX-10")
def test_declared_major_functionality_is_a_major(shop: Repository) -> None:
    shop.commit({"troth.toml": HEAD + policy("polyaxon") + CONTRACT + MIGRATED + '[release]\nmajor = ["warehouses"]\n'})
    code, verdict = shop.check("--minor")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-10"], "2.0.0")
    assert shop.check("--major")[0] == 0
    assert least([Fact(Kind.MAJOR_FUNCTIONALITY, "x", "x")], "0.9.0", "polyaxon") == "1.0.0"


def released(occasion: str) -> dict[str, str]:
    """Files of a product that names an occasion, and has documentation and infrastructures."""
    occasions = f'[release]\noccasion = "{occasion}"\n' if occasion else ""
    declared = HEAD + policy("polyaxon") + '[documentation]\npaths = ["docs"]\n' + INFRASTRUCTURES + occasions
    return {"troth.toml": declared, "docs/index.md": "# shop\n"}


@pytest.mark.clause("PLX-11")
def test_a_release_names_its_occasion(empty: Repository) -> None:
    empty.commit(released(""), tag="v1.0.0")
    assert "PLX-11" in [one["clause"] for one in empty.check("--patch")[1]["missing"]]
    code, verdict = empty.check("--patch", "--complete")
    assert (code, verdict["clauses"]) == (3, ["PLX-11"])
    empty.commit(released("scheduled"))
    assert empty.check("--patch", "--complete")[0] == 0


@pytest.mark.clause("PLX-12")
def test_fixes_come_whenever_they_are_needed(empty: Repository) -> None:
    """Two on one day, without records of tests."""
    empty.commit(released("fix"), tag="v1.0.0")
    for number in ("1.0.1", "1.0.2"):
        empty.commit({"docs/news.md": number})
        assert empty.check("--patch", "--complete")[0] == 0
        empty.git("tag", f"v{number}")


@pytest.mark.clause("PLX-13")
@pytest.mark.parametrize(
    ("laptop", "cluster", "kind", "code"),
    [
        (PERFECT, PERFECT, "Kubernetes", 0),
        (PERFECT, None, "Kubernetes", 3),
        (None, None, "Kubernetes", 3),
        (PERFECT, PERFECT, "laptop", 3),
        (PERFECT, "<testsuite/>", "Kubernetes", 3),
        (PERFECT, '<testsuite><testcase name="a"><skipped/></testcase></testsuite>', "Kubernetes", 3),
        (PERFECT, '<testsuite><testcase name="a"><failure/></testcase></testsuite>', "Kubernetes", 3),
        (PERFECT, "no record", "Kubernetes", 3),
        (PERFECT, '<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase name="&b;"/></testsuite>', "Kubernetes", 3),
    ],
)
def test_functionality_was_tested_on_two_kinds_of_infrastructure(
    empty: Repository,
    laptop: str | None,
    cluster: str | None,
    kind: str,
    code: int,
) -> None:
    files = released("functionality")
    empty.commit({**files, "troth.toml": files["troth.toml"].replace("Kubernetes", kind)}, tag="v1.0.0")
    empty.commit({"docs/news.md": "news"})
    (empty.folder / "records").mkdir()
    for name, record in (("laptop", laptop), ("cluster", cluster)):
        if record is not None:
            (empty.folder / "records" / f"{name}.xml").write_text(record)
    found, verdict = empty.check("--patch", "--complete")
    assert found == code
    assert verdict["clauses"] == (["PLX-13"] if code else [])


def of_components(beta: str | None, *, break_: bool = False) -> dict[str, str]:
    """A product with a core and another component, whose API may ask for one thing more."""
    mark = f'maturity = "{beta}"\n' if beta else ""
    parts = f'[components.core]\ncore = true\npaths = ["core"]\n[components.reports]\npaths = ["reports"]\n{mark}'
    contract = '[[contracts]]\nkind = "python"\npath = "reports"\n'
    code = "def report(day, zone): ...\n" if break_ else "def report(day): ...\n"
    return {"troth.toml": HEAD + policy("polyaxon") + parts + contract, "reports/__init__.py": code, "core/a.py": ""}


@pytest.mark.clause("PLX-17")
def test_a_component_is_marked_and_stays_stable(empty: Repository) -> None:
    empty.commit(of_components(None))
    code, verdict = empty.check()
    assert (code, verdict["clauses"]) == (3, ["PLX-17"])
    empty.commit(of_components("stable"), tag="v1.0.0")
    empty.commit(of_components("beta"))
    code, verdict = empty.check("--major")
    assert (code, verdict["clauses"]) == (3, ["PLX-17"])
    empty.commit(of_components("stable"))
    assert empty.check("--patch")[0] == 0


@pytest.mark.clause("PLX-17")
def test_a_component_may_ripen(empty: Repository) -> None:
    empty.commit(of_components("alpha"), tag="v1.0.0")
    empty.commit(of_components("stable"))
    code, verdict = empty.check("--patch")
    assert code == 0
    assert {fact["maturity"] for fact in verdict["facts"] if fact.get("component") == "reports"} == {"alpha"}


@pytest.mark.clause("PLX-18")
@pytest.mark.parametrize(("mark", "expected"), [("alpha", "1.1.0"), ("beta", "1.1.0"), ("stable", "2.0.0")])
def test_a_break_of_an_unstable_component_comes_in_a_minor(empty: Repository, mark: str, expected: str) -> None:
    empty.commit(of_components(mark), tag="v1.0.0")
    empty.commit(of_components(mark, break_=True))
    code, verdict = empty.check("--patch")
    assert (code, verdict["least"]) == (3, expected)
    assert ("PLX-18" in verdict["clauses"]) == (mark != "stable")


# --- all together

_FACTS = st.builds(
    lambda kind, maturity: Fact(kind, "somewhere", "words", maturity=maturity, detail={"from": "1.2.3"}),
    st.sampled_from(sorted(Kind)),
    st.sampled_from(sorted(Maturity)),
)
_NUMBERS = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)).map(
    lambda parts: ReleaseNumber.of(*parts)
)


@pytest.mark.clause("PDB-05")
@given(st.lists(_FACTS, max_size=6), _NUMBERS, st.sets(st.sampled_from(PROFILES), min_size=1))
def test_the_least_number_is_allowed_and_no_lower_step_is(
    facts: list[Fact], former: ReleaseNumber, profiles: set[str]
) -> None:
    situation = Situation(former, (former,), tuple(sorted(profiles)), exceptions=("PDB-08",))
    found = judge(facts, situation)
    for step in (Step.PATCH, Step.MINOR, Step.MAJOR):
        told = judge(facts, situation, former.raised(step)).outcome
        assert (told is Outcome.REFUSED) == (step < found.step)
    if found.least is not None:
        assert judge(facts, situation, found.least).outcome is not Outcome.REFUSED


@pytest.mark.clause("PDB-05")
@given(st.lists(_FACTS, max_size=4), _NUMBERS)
def test_several_profiles_ask_for_the_highest_step_of_each(facts: list[Fact], former: ReleaseNumber) -> None:
    alone = [judge(facts, Situation(former, (former,), (one,))).step for one in PROFILES]
    assert judge(facts, Situation(former, (former,), PROFILES)).step == max(alone)


def test_the_clauses_of_all_rules_are_clauses(tmp_path: Path) -> None:
    from troth.versions.clauses import policy as clauses
    from troth.versions.releases.rules import RULES

    assert {rule.clause for rule in RULES} <= set(clauses().clauses)
    assert len({rule.id for rule in RULES}) == len(RULES)


# --- waivers


@pytest.mark.clause("PLX-09")
def test_no_waiver_leaves_who_upgrades_behind() -> None:
    signed = Waiver("w", "ada/shop", "1.0.1", "c" * 40, ("PLX-08", "PLX-09"), "", "", "", "", "9", "", kind="product")
    waivers = (considered(signed, "c" * 40, "1", authentic=True, revoked_at=None),)
    added, gap = Fact(Kind.MIGRATION_ADDED, "2.sql", "2 is new"), Fact(Kind.MIGRATION_GAP, "3.sql", "2 is missing")
    situation = Situation(N("1.0.0"), (N("1.0.0"),), ("polyaxon",))
    assert judge([added], situation, N("1.0.1"), (), waivers).outcome is Outcome.ALLOWED
    assert judge([added, gap], situation, N("1.0.1"), (), waivers).clauses == ("PLX-09",)
