"""The two forms of the language say the same, what is wrong is refused with a hint, and nothing is too much to be refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.queries import short_form
from troth.errors import Malformed
from troth.queries.asking import document_of
from troth.queries.entities import ENTITIES, SHAPES
from troth.queries.language import bounds, text
from troth.queries.language.fields import FUNCTIONS, OPERATORS, Kind
from troth.queries.language.patterns import check_pattern, matcher, posix
from troth.queries.language.reading import read_order, read_query
from troth.queries.language.syntax import Query
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.ordering import order_key

_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in text._RESERVED)
_VALUES = st.text(max_size=8) | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)


def _leaves() -> st.SearchStrategy[Any]:
    compared = st.builds(
        lambda *parts: list(parts), st.sampled_from(sorted({*OPERATORS} - {"in", "null?"})), _NAMES, _VALUES
    )
    null = st.builds(lambda name, wanted: ["null?", name, wanted], _NAMES, st.booleans())
    array = st.builds(lambda name, rows: ["in", name, ["array", rows]], _NAMES, st.lists(_VALUES, max_size=3))
    pairs = st.lists(st.lists(_VALUES, min_size=2, max_size=2), max_size=2)
    several = st.builds(
        lambda names, rows: ["in", names, ["array", rows]], st.lists(_NAMES, min_size=2, max_size=2), pairs
    )
    return compared | null | array | several


def _wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    joined = st.builds(
        lambda word, parts: [word, *parts], st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)
    )
    found = st.builds(
        lambda names, entity, where, by: [
            "in", names, ["extract", names, [f"select_{entity}", *where], *([["group_by", *names]] if by else [])]
        ],
        st.lists(_NAMES, min_size=2, max_size=3),
        st.sampled_from([name.replace("-", "_") for name in SHAPES]), st.lists(inner, max_size=1), st.booleans(),
    )  # fmt: skip
    return joined | found | inner.map(lambda one: ["not", one])


_EXPRESSIONS = st.recursive(_leaves(), _wider, max_leaves=8)
_CALLS = st.builds(
    lambda name, field: ["function", name, *field], st.sampled_from(sorted(FUNCTIONS)), st.lists(_NAMES, max_size=1)
)
_QUERIES = _EXPRESSIONS | st.builds(
    lambda columns, where, by: ["extract", columns, *where, *([["group_by", *by]] if by else [])],
    st.lists(_NAMES | _CALLS, min_size=1, max_size=3), st.lists(_EXPRESSIONS, max_size=1), st.lists(_NAMES, max_size=2),
)  # fmt: skip


@given(_QUERIES)
def test_the_short_form_says_what_the_json_form_says(document: Any) -> None:
    """AST to text to AST, and the text that comes of it is the same again."""
    written = short_form.write(document)
    assert text.parse(written) == document
    assert short_form.write(text.parse(written)) == written


def test_the_short_form_is_forgiving_about_letters_quotes_and_space() -> None:
    assert text.parse("  Owner = 'u\"t\\'il'  AND\n\tnot version != \"1.0.0\"  ") == [
        "and", ["=", "Owner", "u\"t'il"], ["not", ["not", ["=", "version", "1.0.0"]]]
    ]  # fmt: skip
    assert text.parse("a not in (1)") == ["not", ["in", "a", ["array", [1]]]]
    assert text.parse("") is None
    assert text.parse("Select Count() Where a Is Not Null Group By b") == [
        "extract", [["function", "count"]], ["null?", "a", False], ["group_by", "b"]
    ]  # fmt: skip


def test_and_binds_closer_than_or_and_both_keep_their_brackets() -> None:
    assert text.parse("a = 1 or b = 2 and c = 3") == ["or", ["=", "a", 1], ["and", ["=", "b", 2], ["=", "c", 3]]]
    nested = ["and", ["and", ["=", "a", 1], ["=", "b", 2]], ["or", ["=", "c", 3], ["=", "d", 4]]]
    assert short_form.write(nested) == "(a = 1 and b = 2) and (c = 3 or d = 4)"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ('ownr = "util"', "owner"),
        ('owner == "util"', "cannot be read"),
        ("owner = util", "in quotes"),
        ('version >= "1.2"', "major.minor.revision"),
        ('version = "v1.0.0"', "major.minor.revision"),
        ("policy_revision = 1.5", "whole number"),
        ("policy_revision = true", "whole number"),
        ('published_at > "yesterday"', "RFC 3339"),
        ('published_at > "9999-12-31T23:59:59-12:00"', "RFC 3339"),
        ('version ~ "1"', "kind version"),
        ('notes in-line "1"', "kind text"),
        ('version in-line "1.2.3"', "line"),
        ('verdict = "x"', "kind document"),
        ('notes ~ "(a"', "pattern"),
        ('notes ~ "(?=a)b"', "looking"),
        ('notes ~ "(a)\\\\1"', "pattern"),
        ('notes ~ "\\\\bword"', "dialect"),
        ('notes ~ "a{300}"', "count"),
        ('notes ~ "((ab?){90}c){90}"', "parts"),
        ("select cout()", "count"),
        ("select sum(notes)", "no sum"),
        ("select max()", "needs a field"),
        ("select owner, count()", "group_by"),
        ("select owner, owner group by owner", "twice"),
        ("select count() group by verdict", "grouped"),
        ("owner in (select owner from acounts)", "accounts"),
        ("owner in (select version from versions)", "same kind"),
        ("owner in (select owner, name from versions)", "as many fields"),
        ("(owner, name) in ((\"a\"))", "2 values"),
        ('owner = "a" and', "ends too early"),
        ('owner = "a" )', "cannot be read"),
        ('owner = "\\q"', "escapes"),
        ("policy_revision = " + "9" * 5000, "number"),
        ("policy_revision = 99999999999999999999", "whole number"),
        ('notes = "a\\u0000b"', "NUL"),
        ('notes = "\\ud800"', "character"),
        ("not " * 500 + "owner is null", "nests too deep"),
        ("(" * 500 + "owner is null" + ")" * 500, "nests too deep"),
        ("[1", "JSON"),
        ('["="]', "operands"),
        ('["and"]', "at least one"),
        ('["frobnicate", "owner", "x"]', "operator"),
        ('["=", ["owner"], "x"]', "field"),
        ('["null?", "owner", "yes"]', "true or false"),
        ('["extract"]', "parts"),
        ('["extract", []]', "names nothing"),
        ('["extract", ["owner"], ["=", "owner", "a"], ["=", "owner", "a"]]', "more than one expression"),
        ('["in", "owner", ["select_accounts"]]', "looks into"),
        ('["in", "owner", ["extract", "name", "accounts"]]', "subquery"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_says_what_would_do(written: str, hint: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_query(document_of(written), SHAPES["versions"], SHAPES)
    error = refused.value
    assert hint in f"{error.what} {error.why} {error.repair}"
    assert error.why or error.repair


def _read(document: Any) -> Query:
    return read_query(document, SHAPES["versions"], SHAPES)


def _nested(depth: int, word: str = "and") -> Any:
    found: Any = ["=", "owner", "util"]
    for _ in range(depth):
        found = [word, found]
    return found


def test_ten_thousand_nested_ands_are_refused() -> None:
    for word in ("and", "not"):
        with pytest.raises(Malformed, match="nests too deep"):
            _read(_nested(10_000, word))
        with pytest.raises(Malformed, match=r"nests too deep|cannot be read"):
            _read(document_of(json.dumps(_nested(400, word))))
    _read(_nested(bounds.DEEPEST - 1))


def test_what_is_too_much_is_refused() -> None:
    leaf = ["=", "owner", "util"]
    with pytest.raises(Malformed, match="too large"):
        _read(["or", *[leaf] * bounds.MOST_PARTS])
    with pytest.raises(Malformed, match="too long"):
        _read(["in", "owner", ["array", ["x"] * (bounds.MOST_VALUES + 1)]])
    with pytest.raises(Malformed, match="too long"):
        _read(["=", "owner", "x" * (bounds.LONGEST_VALUE + 1)])
    inner: Any = ["=", "owner", "util"]
    for _ in range(bounds.MOST_QUERIES):
        inner = ["in", "owner", ["extract", "owner", ["select_versions", inner]]]
    with pytest.raises(Malformed, match="subqueries"):
        _read(inner)
    with pytest.raises(Malformed, match="too many fields"):
        read_order(["owner"] * (bounds.MOST_ORDERS + 1), _read(None))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([*OPERATORS, "and", "extract", "owner", "version", "array", "select_versions", "function", "group_by"]), lambda inner: st.lists(inner, max_size=4), max_leaves=12))  # fmt: skip
def test_no_json_does_anything_but_be_read_or_refused(document: Any) -> None:
    try:
        query = _read(document)
    except Malformed as refused:
        assert refused.what
    else:
        assert query.shape.name == "versions"


@given(st.text(max_size=60) | st.lists(st.sampled_from(["owner", "=", '"a"', "and", "not", "(", ")", "in", "select", "from", "versions", ",", "is", "null", "1"]), max_size=14).map(" ".join))  # fmt: skip
def test_no_text_does_anything_but_be_read_or_refused(written: str) -> None:
    try:
        _read(document_of(written))
    except Malformed as refused:
        assert refused.what


_SIMPLE_PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "\\d", "^", "$", "ä"]),
    lambda inner: (
        st.builds("".join, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda one, times: f"(?:{one}){times}", inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"]))
        | st.builds(lambda one, two: f"(?:{one}|{two})", inner, inner)
    ),
    max_leaves=6,
)


@given(_SIMPLE_PATTERNS, st.text("ab1ä\n", max_size=8))
def test_patterns_are_found_where_python_finds_them(pattern: str, value: str) -> None:
    try:
        check_pattern(pattern)
    except Malformed:
        return  # what is not the same everywhere
    expected = re.search(pattern.replace("$", r"\Z").replace("\\d", "[0-9]"), value) is not None
    assert matcher(pattern)(value) == expected
    assert "\\U" in posix(pattern) or not re.search(r"[ab.äd]", pattern)


def test_no_pattern_takes_long() -> None:
    """Each would keep a backtracking engine busy for longer than anybody waits."""
    for pattern in ("^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){10}$", "(x+x+)+y"):
        assert not matcher(pattern)("a" * 2000 + "b")


def test_texts_of_releases_are_in_the_order_of_precedence() -> None:
    """SemVer 2.0.0, clause 11, and its own example."""
    ordered = ["0.9.9", "1.0.0-0", "1.0.0-2", "1.0.0-10", "1.0.0--", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
               "1.0.0-alpha0", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0",
               "1.10.0", "2.0.0", "10.0.0"]  # fmt: skip
    numbers = [ReleaseNumber.parse(one) for one in ordered]
    assert sorted(numbers) == numbers
    keys = [order_key(one).encode() for one in numbers]
    assert sorted(keys) == keys
    assert len(set(keys)) == len(keys)
    assert order_key(ReleaseNumber.parse("1.0.0+one")) == order_key(ReleaseNumber.parse("1.0.0"))


_PARTS = st.integers(0, 10**12)
_IDENTIFIERS = st.from_regex(r"(0|[1-9][0-9]{0,5}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]{0,4})", fullmatch=True)
_RELEASES = st.builds(
    lambda parts, before: ".".join(map(str, parts)) + ("-" + ".".join(before) if before else ""),
    st.tuples(_PARTS, _PARTS, _PARTS), st.lists(_IDENTIFIERS, max_size=3),
).map(ReleaseNumber.parse)  # fmt: skip


@given(_RELEASES, _RELEASES)
def test_texts_of_releases_compare_as_the_releases_do(one: ReleaseNumber, two: ReleaseNumber) -> None:
    assert (order_key(one).encode() < order_key(two).encode()) == (one < two)
    assert (order_key(one) == order_key(two)) == (one == two)


def test_every_entity_says_what_it_is() -> None:
    for entity in ENTITIES.values():
        assert entity.summary.endswith(".")
        assert entity.seen_by.endswith(".")
        for column in entity.columns:
            assert column.field.summary.endswith(".")
            assert column.field.name not in text._RESERVED
            assert column.field.kind is not Kind.DOCUMENT or column.field.name.islower()
