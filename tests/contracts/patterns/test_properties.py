"""Random patterns: the languages agree with Python's `re`, and obey the laws of sets."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.contracts.patterns.dialects import ANY, LETTERS, TEXTS, Twice
from troth.contracts.patterns import Language, Undecidable, language, lengths, literals


def compared(pattern: Twice) -> Language:
    """The language of a random pattern, which is left out where it is undecidable."""
    try:
        return language(pattern.ecma)
    except Undecidable:
        assume(False)
        raise


@settings(max_examples=600)
@given(ANY, st.lists(TEXTS, min_size=1, max_size=8))
@example(Twice(r"(?:a|\B)*b", r"(?:a|(?!\b))*b"), ["aab", "b", ""])
def test_a_language_holds_the_texts_in_which_the_pattern_is_found(pattern: Twice, texts: list[str]) -> None:
    found = compared(pattern)
    for text in texts:
        assert found.matches(text) == pattern.found_in(text), text


@settings(max_examples=400)
@given(ANY, ANY, st.lists(TEXTS, max_size=8))
def test_containment_is_proved_by_a_witness_and_refuted_by_no_text(one: Twice, two: Twice, texts: list[str]) -> None:
    try:
        answer = compared(one).contained_in(compared(two))
    except Undecidable:
        assume(False)
        raise
    if answer.contained:
        assert answer.witness is None
        for text in texts:
            assert not one.found_in(text) or two.found_in(text), text
    else:
        assert answer.witness is not None
        assert one.found_in(answer.witness)
        assert not two.found_in(answer.witness)
        for text in texts:
            assert len(text) >= len(answer.witness) or not one.found_in(text) or two.found_in(text), text


@settings(max_examples=150)
@given(ANY, st.lists(TEXTS, max_size=6))
def test_the_shortest_text_is_one_and_no_other_is_shorter(pattern: Twice, texts: list[str]) -> None:
    found = compared(pattern)
    shortest = found.shortest()
    assert (shortest is None) == found.is_empty()
    assert shortest is None or pattern.found_in(shortest)
    for text in texts:
        if pattern.found_in(text):
            assert shortest is not None
            assert len(shortest) <= len(text)


@settings(max_examples=150)
@given(ANY)
def test_examples_belong_to_the_language_and_grow(pattern: Twice) -> None:
    examples = compared(pattern).examples(12)
    assert all(pattern.found_in(text) for text in examples)
    assert list(examples) == sorted(examples, key=len)
    assert len(set(examples)) == len(examples)
    assert bool(examples) or compared(pattern).is_empty()


@settings(max_examples=150)
@given(ANY, ANY, st.lists(TEXTS, max_size=6))
def test_intersection_union_and_complement_are_those_of_sets(one: Twice, two: Twice, texts: list[str]) -> None:
    first, second = compared(one), compared(two)
    for text in texts:
        assert first.intersection(second).matches(text) == (one.found_in(text) and two.found_in(text))
        assert first.union(second).matches(text) == (one.found_in(text) or two.found_in(text))
        assert first.complement().matches(text) != one.found_in(text)


@settings(max_examples=100)
@given(ANY, ANY)
def test_laws_of_sets_hold(one: Twice, two: Twice) -> None:
    first, second = compared(one), compared(two)
    try:
        assert first.intersection(second).contained_in(first)
        assert first.contained_in(first.union(second))
        assert first.intersection(first.complement()).is_empty()
        assert first.union(first.complement()).is_universal()
        neither = first.union(second).complement()
        assert neither.contained_in(first.complement().intersection(second.complement()))
        assert first.complement().intersection(second.complement()).contained_in(neither)
    except Undecidable:
        assume(False)


@settings(max_examples=150)
@given(ANY, st.integers(0, 5), st.one_of(st.none(), st.integers(0, 5)), st.lists(TEXTS, max_size=6))
def test_lengths_are_counted_in_characters(pattern: Twice, least: int, most: int | None, texts: list[str]) -> None:
    inside = compared(pattern).intersection(lengths(least, most))
    shortest = inside.shortest()
    if shortest is not None:
        assert pattern.found_in(shortest)
        assert least <= len(shortest)
        assert most is None or len(shortest) <= most
    for text in texts:
        fits = least <= len(text) and (most is None or len(text) <= most) and pattern.found_in(text)
        assert inside.matches(text) == fits
        assert not fits or (shortest is not None and len(shortest) <= len(text))


@settings(max_examples=150)
@given(ANY, st.sets(TEXTS, max_size=5))
def test_listed_texts_are_compared_with_patterns(pattern: Twice, texts: set[str]) -> None:
    answer = literals(texts).contained_in(compared(pattern))
    assert answer.contained == all(pattern.found_in(text) for text in texts)
    assert answer.witness is None or (answer.witness in texts and not pattern.found_in(answer.witness))
    other = compared(pattern).contained_in(literals(texts))
    if not other.contained:
        assert other.witness is not None
        assert other.witness not in texts
        assert pattern.found_in(other.witness)


@pytest.mark.parametrize("char", LETTERS)
def test_letters_stand_for_themselves(char: str) -> None:
    assert language(f"^{char}$").contained_in(literals([char]))
    assert literals([char]).contained_in(language(f"^{char}$"))
