"""Patterns of paths: what they mean, and that none takes long."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from troth.contracts.path_patterns import matches

STEPS = st.lists(st.sampled_from(["**", "*", "?", "a", "b", "a*", "*b", "*a*b", "a?", ".", ""]), max_size=6)
NAMES = st.lists(st.sampled_from(["a", "b", "ab", "ba", "abab", ".", ""]), max_size=6)


def expression(pattern: str) -> str:
    """The regular expression that says what a pattern means, and may take for ever to say it of a path."""
    steps = [step for step in pattern.split("/") if step] or ["**"]
    *inner, last = [re.escape(one).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") for one in steps]
    any_step = re.escape("**").replace(r"\*", "[^/]*")
    before = "".join("(?:[^/]+/)*" if one == any_step else f"{one}/" for one in inner)
    return before + (".*" if last == any_step else last) + "(?:/.*)?"


@given(STEPS.map("/".join), NAMES.map("/".join))
@example("a/**/b", "a/b")
@example("**/a", "a")
@example("a/**", "a")
@example("a", "a/b/c")
def test_a_pattern_means_what_its_expression_does(pattern: str, path: str) -> None:
    assert matches(pattern, path) == (re.fullmatch(expression(pattern), path) is not None)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**/" * 30 + "z", "a/" * 60 + "a"),
        ("**/*/" * 30 + "z", "a/" * 60 + "a"),
        ("*a" * 60 + "z", "a" * 120),
    ],
)
def test_a_pattern_with_many_ways_to_stand_for_a_path_is_followed_to_its_end(pattern: str, path: str) -> None:
    assert not matches(pattern, path)
    assert matches(pattern, f"{path}z" if "/" not in pattern else f"{path}/z")
