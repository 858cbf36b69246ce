"""The grammars of numbers, names and references."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import MalformedName, MalformedNumber, MalformedReference, NameTaken
from troth.versions import names, references
from troth.versions.numbers import Bump, Number
from troth.versions.references import Form

part = st.integers(0, 2**31 - 1)


@pytest.mark.clause("ALG-01")
@given(part, part, part)
def test_a_number_reads_as_it_is_written(major: int, minor: int, revision: int) -> None:
    number = Number(major, minor, revision)
    assert Number.parse(str(number)) == number


@pytest.mark.clause("ALG-01")
@given(st.text(max_size=20))
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        assert str(Number.parse(text)) == text
    except MalformedNumber as error:
        assert error.clauses == ("ALG-01",)


@given(st.tuples(part, part, part), st.tuples(part, part, part))
def test_numbers_are_ordered_by_their_parts(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    assert (Number(*one) < Number(*other)) == (one < other)


def test_bumps() -> None:
    number = Number(1, 2, 3)
    assert [str(number.raised(bump)) for bump in Bump] == ["2.0.0", "1.3.0", "1.2.4"]


@pytest.mark.clause("ALG-12")
@given(st.text(alphabet=string.ascii_letters + string.digits + "/._*-+ \n１é", max_size=40))
def test_only_listed_forms_are_references(text: str) -> None:
    try:
        reference = references.parse(text)
    except MalformedReference as error:
        assert error.clauses == ("ALG-12",)
        return
    assert str(reference) == text
    assert text.isascii()
    assert 2 <= len(text.split("/")) <= 3
    assert (reference.form is Form.EXACT) == (reference.number is not None)


@pytest.mark.clause("ALG-12")
@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("util/echo", Form.LATEST),
        ("util/echo/latest", Form.LATEST),
        ("util/echo/latestPrivate", Form.LATEST_PRIVATE),
        ("util/echo/0.2", Form.MINOR_LINE),
        ("util/echo/0.2.*", Form.MINOR_LINE),
        ("util/echo/0.*", Form.MAJOR_LINE),
        ("util/echo/0.2.1", Form.EXACT),
        ("util/echo/" + "aB" * 20, Form.HASH),
        ("9lives/echo", Form.LATEST),
    ],
)
def test_the_listed_forms(text: str, form: Form) -> None:
    assert references.parse(text).form is form


@pytest.mark.parametrize("name", ["a.b", "a/b", "a-b", "", "é", "ａｂ", "а", "_a", "a" * 64, "a b", "a\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(MalformedName):
        names.check_account(name)
    with pytest.raises(MalformedName):
        names.check_algorithm(name)


@pytest.mark.parametrize("name", ["api", "API", "v1", "git", "health", "troth", "Docs", "latest"])
def test_reserved_names(name: str) -> None:
    with pytest.raises(NameTaken):
        names.check_account(name)
