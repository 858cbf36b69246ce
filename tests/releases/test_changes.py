"""What changed between two releases, kind by kind: settings, defaults, help, wire formats, Python, notes; and how it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.releases.product import HEAD, Repository, askings, kinds, policy
from troth.contracts.help_changes import help_changes
from troth.contracts.settings_changes import document_of, schema_changes, values_changes
from troth.versions.releases import rendering


def contract(kind: str, path: str, more: str = "") -> str:
    """A product with one contract."""
    return f'{HEAD}{policy("polyaxon")}[[contracts]]\nkind = "{kind}"\npath = "{path}"\n{more}'


OBJECT: dict[str, Any] = {"type": "object"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": {"default": 1}}, {"a": {"default": 1, "description": "better"}}, []),
        ({"a": {"default": 1}}, {}, ["setting-removed"]),
        ({"a": {"default": 1}}, {"a": {"default": True}}, ["setting-default"]),
        ({"a": {"default": 1}}, {"a": {}}, ["setting-default"]),
        ({}, {"a": {"default": 1}}, ["setting-added"]),
        ({"a": {"type": "string"}}, {"a": {"type": "integer"}}, ["setting-narrowed"]),
        ({"a": {"type": "string"}}, {"a": {"type": ["string", "null"]}}, []),
        ({"a": {"enum": ["x", "y"]}}, {"a": {"enum": ["x"]}}, ["setting-narrowed"]),
        ({"a": {"properties": {"b": {"default": 1}}}}, {"a": {"properties": {}}}, ["setting-removed"]),
        ({"a": {"type": ["integer", "string"]}}, {"a": {"type": ["integer", "null", "string"]}}, []),
        ({"a": {"type": "integer"}}, {"a": {"type": "number"}}, []),
        ({"a": {"type": "integer"}}, {"a": {"type": "integer", "maximum": 4}}, ["setting-narrowed"]),
        ({"a": {"type": "string"}}, {"a": {"type": "string", "pattern": "^x"}}, ["setting-narrowed"]),
        ({"a": {}}, {"a": {"enum": [1]}}, ["setting-narrowed"]),
        ({"a": {}}, {"a": {"const": 1}}, ["setting-narrowed"]),
        ({"a": {}}, {"a": {"type": "string"}}, ["setting-narrowed"]),
        ({"a": {}}, {"a": False}, ["setting-narrowed"]),
        ({"a": {"items": {"type": "number"}}}, {"a": {"items": {"type": "integer"}}}, ["setting-narrowed"]),
        ({"a": {"oneOf": [{"const": 1}, {"const": 2}]}}, {"a": {"oneOf": [{"const": 1}]}}, ["setting-narrowed"]),
        ({"a": {"properties": {"b": {}}}}, {"a": {"properties": {"b": {}, "c": {"default": 1}}}}, ["setting-added"]),
        ({"a": {"properties": {"b": {}}}}, {"a": {"properties": {"b": {"const": 1}}}}, ["setting-narrowed"]),
        ({"a": {"pattern": r"^(a*)\1b$"}}, {"a": {"pattern": r"^(a*)\1c$"}}, ["contract-undecided"]),
        ({"a": {}}, {"a": {"$ref": "http://127.0.0.1:9/x"}}, ["contract-undecided"]),
    ],
)
def test_settings(old: dict[str, Any], new: dict[str, Any], expected: list[str]) -> None:
    found = schema_changes({**OBJECT, "properties": old}, {**OBJECT, "properties": new}, "settings.json")
    assert [one.kind.value for one in found] == expected


def test_a_setting_that_has_to_be_given_breaks() -> None:
    new = {**OBJECT, "properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert [one.kind.value for one in schema_changes(OBJECT, new, "s")] == ["setting-required"]


def kinds_of(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [one.kind.value for one in schema_changes({**OBJECT, **old}, {**OBJECT, **new}, "s")]


def test_what_concerns_the_whole_document() -> None:
    named = {"properties": {"workers": {"type": "integer"}}}
    closed = {**named, "additionalProperties": False}
    assert kinds_of(named, closed) == ["setting-narrowed"]
    assert kinds_of(closed, {**closed, "properties": {**named["properties"], "b": {}}}) == ["setting-added"]
    assert kinds_of(closed, {"additionalProperties": False}) == ["setting-removed"]
    typed = {**named, "additionalProperties": {"type": "string"}}
    assert kinds_of(typed, {**typed, "properties": {**named["properties"], "b": {"type": "integer"}}}) == [
        "setting-added", "setting-narrowed",
    ]  # fmt: skip


def test_an_object_that_has_to_be_given_narrows_and_a_default_need_not_be_given() -> None:
    inner = {"properties": {"server": {"type": "object", "properties": {"port": {"default": 1}}}}}
    assert kinds_of(inner, {**inner, "required": ["server"]}) == ["setting-narrowed"]
    leaf = {"properties": {"port": {"default": 1}}}
    assert kinds_of(leaf, {**leaf, "required": ["port"]}) == []
    assert kinds_of({**leaf, "required": ["port"]}, leaf) == []


def test_settings_behind_references_are_the_same_settings() -> None:
    there = {"$defs": {"p": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/p"}}}
    assert kinds_of(there, {"properties": {"a": {"type": "integer"}}}) == []
    assert kinds_of(there, {**there, "$defs": {"p": {"type": "integer", "minimum": 1}}}) == ["setting-narrowed"]
    endless = {"$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}}}, "properties": {"n": {"$ref": "#/$defs/n"}}}
    assert kinds_of(endless, {**endless, "title": "again"}) == []


LEAVES = st.sampled_from(
    [{}, {"type": "integer"}, {"type": "number"}, {"type": ["integer", "string"]}, {"enum": [1, 2]}, {"const": 1},
     {"maximum": 4}, {"type": "integer", "minimum": 2}, {"type": "string", "pattern": "^a"}]
)  # fmt: skip
NAMED = st.dictionaries(st.sampled_from("ab"), LEAVES, min_size=1)
GIVEN = st.dictionaries(st.sampled_from("ab"), st.sampled_from([None, 0, 1, 2, 5, 1.5, "a", "b"]))


@given(NAMED, NAMED, GIVEN)
def test_what_breaks_nobody_accepts_what_was_accepted(old: dict[str, Any], new: dict[str, Any], values: Any) -> None:
    before, after = {"properties": old}, {"properties": new}
    given_names = {name: value for name, value in values.items() if name in old}
    if set(kinds_of(before, after)) <= {"setting-added"} and Draft202012Validator(before).is_valid(given_names):
        assert Draft202012Validator(after).is_valid(given_names)


def test_documents_of_defaults_in_three_formats() -> None:
    old = document_of("values.yaml", "image: {tag: a}\nreplicas: 1\n")
    new = document_of("values.json", '{"image": {"tag": "b"}, "port": 1}')
    found = [(one.kind.value, one.words) for one in values_changes(old, new, "values")]
    assert found == [
        ("setting-default", "the default of image.tag is another"),
        ("setting-removed", "the setting replicas is gone"),
        ("setting-added", "the setting port is new"),
    ]
    assert document_of("a.toml", "a = 1") == {"a": 1}


HELP = """\
Usage: shop [OPTIONS] COMMAND

Options:
  -v, --verbose   Say more.
Commands:
  serve   Serves.
  export  Exports.
"""


def test_help_of_a_command_line() -> None:
    new = (
        HELP.replace("  export  Exports.\n", "  import  Imports.\n")
        .replace("Say more", "Talk")
        .replace("--verbose", "--loud")
    )
    found = sorted((one.kind.value, one.words) for one in help_changes(HELP, new, "help.txt"))
    assert found == [
        ("contract-broken", "shop --verbose is gone"),
        ("contract-broken", "shop export is gone"),
        ("contract-widened", "shop --loud is new"),
        ("contract-widened", "shop import is new"),
    ]
    assert list(help_changes(HELP, HELP, "help.txt")) == []


@pytest.mark.parametrize(
    ("kind", "path", "old", "new", "expected"),
    [
        ("wire", "order.json", '{"type": "object"}', '{"type": "object", "required": ["a"]}', "2.0.0"),
        ("values", "values.yaml", "a: 1\nb: 1\n", "a: 1\n", "2.0.0"),
        ("values", "values.yaml", "a: 1\n", "a: 2\n", "1.1.0"),
        ("help", "help.txt", HELP, HELP + "  import  Imports.\n", "1.1.0"),
        ("python", "shop", "def a(x): ...\n", "def a(): ...\n", "2.0.0"),
        ("python", "shop", "def a(x): ...\n", "def a(x): ...\ndef b(): ...\n", "1.1.0"),
        ("python", "shop", "def a(x): ...\n", "def a(x): return 1\n", "1.0.1"),
    ],
)
def test_contracts_of_every_kind(empty: Repository, kind: str, path: str, old: str, new: str, expected: str) -> None:
    file = f"{path}/__init__.py" if kind == "python" else path
    empty.commit({"troth.toml": contract(kind, path), file: old}, tag="v1.0.0")
    empty.commit({file: new})
    assert empty.check()[1]["least"] == expected


def test_the_tolerant_setting_of_a_product_lets_wire_formats_gain(empty: Repository) -> None:
    old = {"type": "object", "properties": {"a": {"enum": ["x"]}}, "additionalProperties": False}
    new = {**old, "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "string"}}}
    empty.commit(
        {"troth.toml": contract("wire", "order.json", "tolerant = true\n"), "order.json": json.dumps(old)}, tag="v1.0.0"
    )
    empty.commit({"order.json": json.dumps(new)})
    assert empty.check()[1]["least"] == "1.1.0"
    empty.commit({"order.json": json.dumps({**new, "required": ["a"]})})
    assert empty.check()[1]["least"] == "2.0.0"


def test_a_large_package_is_compared_with_what_hangs_together(empty: Repository) -> None:
    """A name that a package offers from a module of its own is found though most of the package is left out."""
    filler = "".join(f"VALUE_{number} = {number}\n" for number in range(3_000))
    files = {f"shop/parts/part_{number}.py": filler for number in range(30)}
    files |= {
        "shop/__init__.py": "from shop._inner import made\n",
        "shop/parts/__init__.py": "",
        "shop/other.py": filler,
    }
    files |= {
        "shop/_inner.py": "from shop._deep import Thing\ndef made(a) -> Thing: ...\n",
        "shop/_deep.py": "class Thing: ...\n",
    }
    empty.commit({"troth.toml": contract("python", "shop"), **files}, tag="v1.0.0")
    empty.commit({"shop/_inner.py": "from shop._deep import Thing\ndef made(a, b) -> Thing: ...\n"})
    _, verdict = empty.check()
    assert verdict["least"] == "2.0.0"
    assert {fact.get("rule") for fact in verdict["facts"]} >= {"python-parameter-added-required"}


def test_contracts_come_and_go(empty: Repository) -> None:
    empty.commit({"troth.toml": contract("values", "a.yaml"), "a.yaml": "a: 1\n"}, tag="v1.0.0")
    empty.commit({"troth.toml": contract("values", "b.yaml"), "b.yaml": "b: 1\n"})
    for _ in ("no longer declared", "gone"):
        _, verdict = empty.check()
        assert [one for one in kinds(verdict) if one.startswith("contract")] == ["contract-removed", "contract-added"]
        empty.commit({"a.yaml": None})
    empty.commit({"b.yaml": None})
    assert empty.run()[0] == 2


@pytest.mark.parametrize("content", ["a: [", "a: 1\na: 2\n", "\0", "[1]"])
def test_contracts_that_cannot_be_read_are_errors_with_a_place(empty: Repository, content: str) -> None:
    empty.commit({"troth.toml": contract("values", "a.yaml"), "a.yaml": "a: 1\n"}, tag="v1.0.0")
    empty.commit({"a.yaml": content})
    code, _, err = empty.run()
    assert code == 2
    assert "a.yaml" in err


FRAGMENTS = '[notes]\nkind = "fragments"\npath = "changes"\n'


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("1.feature.md", "noted-feature"),
        ("1.bugfix.2.rst", "noted-fix"),
        ("1.removal.md", "noted-break"),
        ("1.major.md", "major-functionality"),
        ("1.manual.md", "manual-step"),
        ("1.poem.md", "noted-fix"),
    ],
)
def test_fragments_declare(empty: Repository, name: str, kind: str) -> None:
    empty.commit({"troth.toml": HEAD + FRAGMENTS, "changes/0.major.md": "released", "a": "1"}, tag="v1.0.0")
    empty.commit({"a": "2", f"changes/{name}": "\nWhat is new.\n"})
    found = empty.check()[1]["facts"]
    assert [one["kind"] for one in found if one["where"].startswith("changes/")] == [kind]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("feat: more", ["noted-feature"]),
        ("fix(core): mended", ["noted-fix"]),
        ("feat!: other", ["noted-break", "noted-feature"]),
        ("refactor: inside\n\nBREAKING CHANGE: it is another", ["noted-break"]),
        (
            "feat: all\n\nMajor-Functionality: warehouses\nManual-Step: run fix.sh",
            ["major-functionality", "manual-step", "noted-feature"],
        ),
        ("chore: tidy", []),
        ("whatever", []),
    ],
)
def test_commits_declare(empty: Repository, message: str, expected: list[str]) -> None:
    empty.commit({"troth.toml": HEAD + '[notes]\nkind = "commits"\n', "a": "1"}, tag="v1.0.0")
    empty.commit({"a": "2"}, message)
    _, verdict = empty.check()
    assert sorted(one for one in kinds(verdict) if one.startswith(("noted", "major", "manual"))) == expected


def test_the_interval_is_said_and_refuses_nothing(shop: Repository) -> None:
    shop.commit({"a": "1"}, when=1_750_000_000 + 40 * 24 * 3600)
    code, verdict = shop.check("--patch")
    assert code == 0
    assert any("40 days" in one and "PLX-14" in one for one in verdict["warnings"])


def test_a_verdict_is_told_in_four_ways(shop: Repository) -> None:
    shop.commit(
        {
            "migrations/0002_a.sql": "CREATE TABLE a (b TEXT);",
            "openapi.json": json.dumps({"openapi": "3.1.0", "paths": {}}),
        }
    )
    code, verdict = shop.check("--patch")
    assert code == 3
    assert askings(verdict) == {("PLX-05", "major"), ("PLX-07", "minor"), ("PLX-08", "minor")}
    text = shop.run("--patch")[1]
    assert text.startswith("1.0.1 is refused behind 1.0.0\n  PLX-05 asks for a major:")
    assert "help: release it as 2.0.0" in text
    markdown = shop.run("--patch", "--format", "markdown")[1]
    assert markdown.startswith("### 1.0.1 is refused behind 1.0.0\n")
    annotations = shop.run("--patch", "--format", "github")[1].splitlines()
    assert (
        "::error file=migrations/0002_a.sql,title=PLX-08 asks for a minor::migrations/0002_a.sql: 0002_a is new"
        in annotations
    )


def test_strangers_words_break_no_rendering(shop: Repository) -> None:
    shop.commit({"migrations/0002_a|<b>\n::error::x.sql": "SELECT 1;"})
    _, verdict = shop.check("--minor")
    markdown = rendering.as_markdown(verdict)
    assert "<b>" not in markdown
    assert all(line.startswith("::") for line in rendering.as_annotations(verdict).splitlines())
    assert "\n::error::x" not in rendering.as_annotations(verdict)


def test_only_one_number_is_asked_for(shop: Repository) -> None:
    assert shop.run("--patch", "--number", "1.0.1")[0] == 2
    assert shop.run("--number", "one")[0] == 3


NOTED = '[notes]\nkind = "fragments"\npath = "changes"\n'


def test_a_note_of_a_misspelt_kind_is_said_and_so_is_what_is_no_note(empty: Repository) -> None:
    empty.commit({"troth.toml": HEAD + policy("polyaxon") + NOTED})
    assert "there is no changes, where [notes] says that change notes lie" in empty.check()[1]["warnings"]
    empty.commit({"changes/README.md": "Notes.", "changes/1.feature.md": "New."}, tag="v1.0.0")
    assert empty.check()[1]["warnings"] == []
    notes = {"changes/2.braking.md": "Gone.", "changes/two.md": "Else.", "changes/3.fix.md": "Right.", "a": "1"}
    empty.commit(notes)
    _, out, _ = empty.run("--patch")
    kind = "changes/2.braking.md is a note of a kind that nobody knows, and counts as a fix"
    assert f"  note: {kind}; did you mean breaking?" in out
    assert "  note: changes/two.md is no note, and says nothing of the release" in out
    assert out.count("note: changes/") == 2
