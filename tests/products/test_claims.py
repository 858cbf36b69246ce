"""What is written into the commit of a release, or into its evidence, to have it judged more mildly than it is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.products.conftest import SETTINGS, Shop
from troth.contracts.release_document import (
    ReleaseDocument,
    ToldFact,
    ToldNote,
    ToldPath,
    release_document,
)
from troth.errors import MalformedSource, Refused
from troth.versions.releases.evidence import Kind

BROKEN = json.dumps({**SETTINGS, "properties": {}})
NOTED = {"changes/1.fix.md": "mended\n"}


def silent(document: ReleaseDocument) -> ReleaseDocument:
    """What somebody sends who leaves out every fact but a note."""
    return msgspec.structs.replace(document, facts=tuple(one for one in document.facts if one.kind is Kind.NOTED_FIX))


def kinds(refused: Refused) -> set[str]:
    return {one["kind"] for one in refused.found["facts"]}


@pytest.mark.clause("PLX-05")
@pytest.mark.parametrize("since", ["0.1.1", "9.0.0"])
def test_no_release_says_itself_that_it_is_not_judged(shop: Shop, since: str) -> None:
    assert shop.cut()[0] == 0
    declared = shop.head("0.1.1").replace("[policy]\n", f'[policy]\nsince = "{since}"\n')
    shop.repository.commit({"troth.toml": declared, "settings.json": BROKEN, **NOTED})
    with pytest.raises(Refused) as caught:
        shop.cut_as(silent(shop.claimed("0.1.1")), "0.1.1")
    assert "PLX-07" in caught.value.clauses
    assert {"setting-removed", "policy-changed"} <= kinds(caught.value)


@pytest.mark.clause("PDB-05")
def test_a_number_is_used_once_wherever_the_policy_begins(shop: Shop) -> None:
    assert shop.cut()[0] == 0
    declared = shop.head("0.1.0").replace("[policy]\n", '[policy]\nsince = "0.1.0"\n')
    shop.repository.commit({"troth.toml": declared.replace("0.1.0", "0.1.1", 1), **NOTED})
    document = msgspec.structs.replace(shop.claimed("0.1.1"), declared=declared)
    with pytest.raises(Refused, match="is refused") as caught:
        shop.cut_as(document, "0.1.0")
    assert "released already" in caught.value.why


LABS = '[components.labs]\nmaturity = "alpha"\npaths = ["labs"]\n\n[[contracts]]'


@pytest.mark.clause("PLX-05")
def test_what_was_stable_is_not_broken_by_calling_it_alpha(shop: Shop) -> None:
    head = shop.head("1.0.0").replace("[[contracts]]", LABS)
    shop.repository.commit({"troth.toml": head, "labs/new.py": ""})
    assert shop.cut()[0] == 0
    moved = head.replace("1.0.0", "1.1.0", 1).replace(
        'path = "settings.json"', 'path = "settings.json"\ncomponent = "labs"'
    )
    shop.repository.commit({"troth.toml": moved, "settings.json": BROKEN, **NOTED})
    told = shop.claimed("1.1.0")
    for document in (told, silent(told)):
        with pytest.raises(Refused) as caught:
            shop.cut_as(document, "1.1.0")
        assert caught.value.least == "2.0.0"
    (fact,) = [one for one in told.facts if one.kind is Kind.SETTING_REMOVED]
    assert (fact.component, fact.maturity) == ("core", "stable")


REPORTS = '[components.reports]\nmaturity = "stable"\npaths = ["reports"]\n\n[[contracts]]'
TARGETS = '[packaging]\ntargets = ["deb", "rpm"]\n\n[[contracts]]'
#: by clause, what a declaration is replaced by, and the kind of fact that it is
DECLARED = [
    ("PLX-05", REPORTS, "[[contracts]]", "component-removed"),
    ("PLX-07", '["deb", "rpm"]', '["deb"]', "target-removed"),
    ("PLX-10", '"fix"\n', '"fix"\nmajor = ["graphs"]\n', "major-functionality"),
    ("PLX-09", '"fix"\n', '"fix"\nmanual = ["copy the files"]\n', "manual-step"),
    ("PDB-04", '["polyaxon"]\n', '["polyaxon"]\nsupported = ["1.0.0"]\n', "policy-changed"),
]
ADDED = "ALTER TABLE orders ADD COLUMN {} TEXT;\n"


@pytest.mark.clause("PLX-09")
@pytest.mark.clause("PLX-10")
def test_what_is_declared_and_how_migrations_follow_is_not_only_the_client_s_to_say(shop: Shop) -> None:
    def head(version: str) -> str:
        return shop.head(version).replace("[[contracts]]", TARGETS).replace("[[contracts]]", REPORTS)

    shop.repository.commit({"troth.toml": head("1.0.0"), "reports/all.py": ""})
    assert shop.cut()[0] == 0
    for clause, was, becomes, kind in DECLARED:
        declared = head("1.0.1")
        assert was in declared
        shop.repository.commit({"troth.toml": declared.replace(was, becomes), **NOTED})
        with pytest.raises(Refused) as caught:
            shop.cut_as(silent(shop.claimed("1.0.1")), "1.0.1")
        assert kind in kinds(caught.value)
        assert clause in caught.value.clauses, kind
    for names, kind in ((("0002_a", "0002_b"), "migration-heads"), (("0003_a",), "migration-gap")):
        files = {f"migrations/{name}.sql": ADDED.format(name) for name in names}
        shop.repository.commit({"troth.toml": head("2.0.0"), **files})
        with pytest.raises(Refused) as caught:
            shop.cut_as(silent(shop.claimed("2.0.0")), "2.0.0")
        assert ("PLX-09" in caught.value.clauses, kind in kinds(caught.value)) == (True, True)
        shop.repository.commit(dict.fromkeys(files))
    shop.repository.commit({"troth.toml": head("1.0.1")})
    assert shop.cut_as(silent(shop.claimed("1.0.1")), "1.0.1")["number"] == "1.0.1"


# --- evidence that nobody could read later


def _fact(kind: Kind = Kind.PATH_BROKEN, /, **detail: Any) -> ToldFact:
    return ToldFact(kind, "from 0.1.0", "it ended", detail=detail)


def _path(begins: str, *also: str) -> ToldPath:
    return ToldPath("migrations", begins, also, "SQLite", "passed", "", 1.0, None, "")


def _document(**more: Any) -> bytes:
    empty: dict[str, Any] = dict.fromkeys(
        ["known", "facts", "migrations", "paths", "infrastructures", "notes", "settings"], ()
    )
    told = {"format": 1, "declared": "", "commit": "", "committed_at": 0, "base": "", "base_commit": "", "tried": True}
    return ReleaseDocument(**{**empty, **told, **more}).as_bytes()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"notes": (ToldNote(Kind.UNCLAIMED, "", "x", "text"),)}, "unclaimed is no kind of a note"),
        ({"paths": (_path("x"),)}, "'x' is no number"),
        ({"paths": (_path("0.1.0", "y"),)}, "'y' is no number"),
        ({"known": ("z",)}, "'z' is no number"),
        ({"base": "b"}, "'b' is no number"),
        ({"facts": (_fact(**{"from": "0.1.0", "kind": "zzz"}),)}, "a fact tells kind besides"),
        ({"facts": (_fact(**{"from": "w"}),)}, "'w' is no number"),
        ({"facts": (_fact(**{"from": 1}),)}, "no text"),
        ({"facts": (_fact(),)}, "from which release on"),
    ],
)
def test_evidence_that_no_plan_could_read_is_refused(told: dict[str, Any], words: str) -> None:
    with pytest.raises(MalformedSource, match=words):
        release_document(_document(**told))


def test_what_clients_tell_of_paths_and_notes_is_read() -> None:
    told = {
        "facts": (_fact(**{"from": "0.1.0", "again": "troth release check"}), _fact(Kind.PATH_UNPROVED)),
        "paths": (_path("0.1.0", "0.1.1"),),
        "notes": (ToldNote(Kind.MANUAL_STEP, "", "x", "text"),),
        "known": ("0.1.0",),
        "base": "0.1.0",
    }
    assert release_document(_document(**told)).base == "0.1.0"
