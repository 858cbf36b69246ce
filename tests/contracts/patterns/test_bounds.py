"""Hostile patterns end with an answer or Undecidable, within steps that are counted and the same for everybody."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from tests.contracts.patterns.pairs import CONTAINED, UNDECIDABLE, Label
from troth.contracts.patterns import Language, Undecidable, language, lengths, limits, literals
from troth.contracts.patterns.conditions import Pattern
from troth.contracts.patterns.languages import _kept


def test_nesting_costs_no_stack() -> None:
    for many in (65, 9_000):
        assert language("(" * many + "a" + ")" * many) == language("a")
        for pattern in (
            "(a" * many + "b)" * many,
            "(?:a|" * many + "b" + ")" * many,
            "(?:" * many + "a" + "b)*" * many,
        ):
            with pytest.raises(Undecidable):
                language(pattern[: limits.LONGEST_PATTERN])
        with pytest.raises(Undecidable, match="not closed"):
            language("(" * many)
        with pytest.raises(Undecidable, match="not opened"):
            language(")" * many)
        with pytest.raises(Undecidable):
            language("(?=" * many + "a" + ")" * many)


def test_a_pattern_is_not_read_beyond_its_bound() -> None:
    with pytest.raises(Undecidable, match="more than 20000 characters"):
        language("a" * 10_000_000)
    long = "a" * (limits.LONGEST_PATTERN - 2)
    assert language(f"^{long}$").matches(long)
    with pytest.raises(Undecidable, match="more than 20000 characters"):
        language(f"^{long}a$")
    assert language("^" + "a" * 1_000 + "$").contained_in(language("^a*$"))
    assert language("^" + "[ab]" * 500 + "$").matches("ab" * 250)


@pytest.mark.parametrize(
    ("pattern", "label"),
    [
        ("^(a{1,1000}b?){1,1000}$", UNDECIDABLE),
        ("^((a{1,30}){1,30}b|c){1,30}$", UNDECIDABLE),
        ("^(?:a?){5000}b{5000}$", CONTAINED),
        ("^" + "a?" * 500 + "a" * 500 + "$", CONTAINED),
        ("^(?:a|b|ab)*(?:ba|a){300}(?:a|b)*$", CONTAINED),
        ("(a|b)*a(a|b){60}", "a" * 61 + "z"),
        ("(x+x+)+y", "xxyz"),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "aaAa"),
        ("^(?:(?!a{5}|b{7}).)*$", "z"),
        ("^(?:(?=.*a.{9}b)(?!.*c.{8}d).)*$", UNDECIDABLE),
        ("^" + "".join(f"(?=.*{chr(97 + n)}.{{{n}}}x)" for n in range(26)) + ".*$", UNDECIDABLE),
        ("^(?:" + "|".join(f"[^{chr(0x400 + n)}]{chr(0x500 + n)}" for n in range(3_000)) + ")$", UNDECIDABLE),
        ("^(?:" + "|".join(f"x{n}y" for n in range(1_000)) + ")*$", "x0y"),
        ("[" + "".join(chr(0x400 + 2 * n) for n in range(9_000)) + "]", "\u0400"),
        ("\\b(?:\\Ba\\b|b\\B|\\b){1,50}$", "z"),
        ("(^|a|$|\\b|\\B)*", "z"),
        ("a{999999999}", UNDECIDABLE),
        ("(?:(?:a{9999}){9999}b){9999}", UNDECIDABLE),
        ("(?:(((a*)*)*)*)*b", "bz"),
    ],
)
def test_hostile_patterns_end_within_the_steps(pattern: str, label: Label) -> None:
    few = "^[a-y]*$"
    if label is UNDECIDABLE:
        with pytest.raises(Undecidable, match="steps|states"):
            language(pattern).contained_in(language(few))
        return
    found = language(pattern).contained_in(language(few))
    assert found.contained == (label is CONTAINED)
    assert found.contained or found.witness == label


def answer(one: Language, two: Language) -> str:
    try:
        return str(one.contained_in(two))[:200]
    except Undecidable as error:
        return error.reason


PAIRS = [
    ("^(a{1,1000}b?){1,1000}c$", "^[ab]+$"),
    ("^(?:(?=.*a.{9}b)(?!.*c.{8}d).)*$", "^(?:(?!c.{8}d).)*$"),
    ("(?:foo|bar|baz).*\\b", "(?:\\w|-)+(?!x)"),
    ("^(a|b)*a(a|b){9}$", "^(a|b)*a(a|b){8}$"),
    ("^(?:a|b|ab)*(?:ba|a){9}(?:a|b)*$", "^(?:a|b)*(?:ab|a){8}(?:a|b)*$"),
    ("^(a|b)*a(a|b){20}$", "^(a|b)*b(a|b){20}$"),
]


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    """Not on warm automata, not on addresses of objects, not on the seed of hashes."""
    code = (
        "from tests.contracts.patterns.test_bounds import PAIRS, answer, language\n"
        "for one, two in PAIRS: print(repr(answer(language(one), language(two))))"
    )
    command = [sys.executable, "-c", code]
    fresh = [
        subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    ]
    assert fresh[0] == fresh[1]
    order = [*PAIRS, *PAIRS]
    random.Random(7).shuffle(order)
    asked = {pair: answer(language(pair[0]), language(pair[1])) for pair in order}
    assert fresh[0].splitlines() == [repr(asked[pair]) for pair in PAIRS]


def test_large_lengths_need_no_states() -> None:
    endless = language("^(ab)+$")
    assert not endless.contained_in(lengths(0, 2**31))
    assert endless.contained_in(lengths(0, 2**31)).witness is None
    assert endless.contained_in(lengths(0, 9_999)).witness == "ab" * 5_000
    assert endless.intersection(lengths(2**31 + 1, 2**31 + 1)).is_empty()
    assert not endless.intersection(lengths(2**31, 2**31)).is_empty()
    assert lengths(3, 2**31).contained_in(lengths(2, 2**32))
    with pytest.raises(Undecidable, match="too long"):
        lengths(2**31).shortest()


def test_an_easy_part_answers_though_another_is_too_hard() -> None:
    left, right = language("^(a|b)*a(a|b){20}$"), language("^(a|b)*b(a|b){20}$")
    for other in (right.intersection(language("^a")), language("^a").intersection(right)):
        refuted = left.contained_in(other)
        assert refuted.witness is not None
        assert left.matches(refuted.witness)
        assert not other.matches(refuted.witness)
    with pytest.raises(Undecidable, match="steps"):
        left.contained_in(right.intersection(language("^[ab]*$")))


def test_what_a_question_made_large_is_forgotten() -> None:
    hard = language("^(a|b)*b(a|b){20}$")
    with pytest.raises(Undecidable):
        language("^(a|b)*a(a|b){20}$").contained_in(hard)
    subject = hard._alternatives[0][0].subject
    assert isinstance(subject, Pattern)
    assert _kept(subject).automaton.size() < 100


def test_many_alternatives_are_undecidable_rather_than_slow() -> None:
    wide = language("a").union(*[language(f"^{n}").intersection(language(f"{n}$")) for n in range(40)])
    with pytest.raises(Undecidable, match="alternatives"):
        wide.complement()


def test_many_listed_texts_are_cheap() -> None:
    many = literals(f"value-{n}" for n in range(2_000))
    assert many.contained_in(language("^value-\\d+$"))
    assert many.contained_in(literals(f"value-{n}" for n in range(2_001)))
    assert language("^value-1?[0-9]{2}$").contained_in(many.union(literals(f"value-{n:02}" for n in range(10))))
