"""Which texts of patterns are taken, and which are refused because they are wrong or not the same everywhere."""

from __future__ import annotations

import pytest

from troth.contracts.patterns import Language, Undecidable, language, literal, literals


def same(one: Language, two: Language) -> bool:
    return bool(one.contained_in(two)) and bool(two.contained_in(one))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("*a", "nothing that could be repeated"),
        ("a|*", "nothing that could be repeated"),
        ("(+a)", "nothing that could be repeated"),
        ("^*", "nothing that could be repeated"),
        ("\\b+", "nothing that could be repeated"),
        ("(?=a)*", "nothing that could be repeated"),
        ("{2}", "nothing that could be repeated"),
        ("a**", "quantifier follows"),
        ("a+?+", "quantifier follows"),
        ("a{2}{3}", "quantifier follows"),
        ("a{3,2}", "out of order"),
        ("a{99999999999}", "too large"),
        ("a{,3}", "different meanings"),
        ("{,}", "different meanings"),
        ("(a", "not closed"),
        ("a)", "not opened"),
        ("[a", "not closed"),
        ("[a-", "not closed"),
        ("[b-a]", "out of order"),
        ("[]a]", "different meanings"),
        ("[^]a]", "different meanings"),
        ("[^][a]", "different meanings"),
        ("a\\", "backslash"),
        ("[\\", "backslash"),
        ("\\1", "back-reference"),
        ("(?<x>a)\\k<x>", "back-reference"),
        ("(?<x>a)(?<x>b)", "one name"),
        ("(?<1>a)", "not one that is compared"),
        ("(a|(?<=b))c", "look-behind stands inside"),
        ("(?<=(?=a)b)c", "another look"),
        ("(?<=a)*", "nothing that could be repeated"),
        ("(?i:a)", "not one that is compared"),
        ("(?#a)", "not one that is compared"),
        ("(?>a)", "not one that is compared"),
        ("\\p{Lu}", "Unicode"),
        ("[\\P{L}]", "Unicode"),
        ("\\A", "no meaning"),
        ("\\z", "no meaning"),
        ("\\a", "no meaning"),
        ("\\e", "no meaning"),
        ("\\Q", "no meaning"),
        ("\\x1", "no meaning"),
        ("\\u12", "no meaning"),
        ("\\u{110000}", "no such code point"),
        ("\\u{1234567}", "no meaning"),
        ("\\c1", "no meaning"),
        ("\\01", "back-reference"),
        ("[\\B]", "no meaning"),
        ("[\\1]", "back-reference"),
        ("\\uD83D", "surrogate"),
        ("[\\uD800-\\uDFFF]", "surrogate"),
        ("\\uDE00\\uD83D", "surrogate"),
        ("\ud83d", "surrogate"),
        ("[\udfff]", "surrogate"),
        ("(?:(?=a)|b)*c", "stand alone"),
    ],
)
def test_what_is_wrong_or_foreign_is_undecidable(pattern: str, reason: str) -> None:
    with pytest.raises(Undecidable, match=reason):
        language(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a{$", "a{"),
        ("^a{b}$", "a{b}"),
        ("^a{1$", "a{1"),
        ("^a{1,b}$", "a{1,b}"),
        ("^{}$", "{}"),
        ("^}]$", "}]"),
        ("^\\ \\#\\é$", " #é"),
        ("^[[]$", "["),
        ("^[a^]$", "^"),
        ("^\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/$", "^$\\.*+?()[]{}|/"),
        ("^\\t\\n\\v\\f\\r$", "\t\n\v\f\r"),
        ("^[\\t][\\x0b][\\u000c]$", "\t\v\f"),
        ("^\\u{0000000041}$", "A"),
        ("^\\cA\\cz$", "\x01\x1a"),
        ("^[+--]$", ","),
        ("^[\\cA-\\cC]$", "\x02"),
        ("^[\\x41-\\u{43}]$", "B"),
        ("^[\\d-x]$", "-"),
        ("^[a-\\d]$", "-"),
        ("^(?<$n_1>a)$", "a"),
        ("^(?:)$", ""),
        ("^()$", ""),
        ("^(|a)$", ""),
        ("^\U0010ffff$", "\U0010ffff"),
        ("^[\ue000-\U0010ffff]$", "\U0010ffff"),
    ],
)
def test_what_is_taken_matches(pattern: str, text: str) -> None:
    assert language(pattern).matches(text)
    assert literal(text).contained_in(language(pattern))


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("^[+--]$", "+,-"),
        ("^[\\w-.]$", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."),
        ("^[a\\]b]$", "a]b"),
        ("^[^\\0-\\u{10FFFF}]$", ""),
        ("^[\ud7ff-\ue000]$", "\ud7ff\ue000"),
        (
            "^\\s$",
            "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B))),
        ),
    ],
)
def test_classes_hold_exactly_these(pattern: str, texts: str) -> None:
    assert same(language(pattern), literals(texts))


def test_patterns_that_say_the_same_are_equal() -> None:
    assert language("^(?:a)$") == language("^(?<x>a)$") == language("^(a)$") == language("^a{1}$")
    assert language("^(?:a{2}){3}$") == language("^a{6}$")
    assert language("^a$") != language("^b$")


def test_a_text_with_a_lone_surrogate_is_undecidable() -> None:
    for ask in (language("a").matches, literal):
        with pytest.raises(Undecidable, match="surrogate"):
            ask("\ud800")
