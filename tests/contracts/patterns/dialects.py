"""Random patterns, each spelled twice: as ECMA-262 reads it, and for Python's `re` with the same meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import strategies as st

#: Characters at which the dialects differ, and some plain ones.
LETTERS = "ab01_ -\n\r\u2028é\u0660😀"
TEXTS = st.text(alphabet=LETTERS, max_size=8)

_WORD = "[A-Za-z0-9_]"
_SPACE = r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_BOUNDARY = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"


@dataclass(frozen=True)
class Twice:
    """One pattern in two spellings."""

    ecma: str
    python: str

    def found_in(self, text: str) -> bool:
        """What Python's `re` says."""
        return re.search(self.python, text) is not None


def _same(text: str) -> Twice:
    return Twice(text, text)


_CHARACTERS = st.sampled_from(
    [
        _same("a"),
        _same("b"),
        _same("0"),
        _same("_"),
        _same(r"\-"),
        _same(r"\n"),
        Twice(r"\u{1F600}", "😀"),
        Twice(r"\uD83D\uDE00", "😀"),
        Twice(r"\cJ", r"\n"),
        Twice(".", r"[^\n\r\u2028\u2029]"),
        Twice(r"\d", "[0-9]"),
        Twice(r"\D", "[^0-9]"),
        Twice(r"\w", _WORD),
        Twice(r"\W", "[^A-Za-z0-9_]"),
        Twice(r"\s", f"[{_SPACE}]"),
        Twice(r"\S", f"[^{_SPACE}]"),
        _same("[ab]"),
        _same("[^ab]"),
        _same(r"[a-b\-]"),
        _same("[0-9_a]"),
        Twice(r"[^\s\d]", f"[^{_SPACE}0-9]"),
        Twice(r"[\w-]", "[A-Za-z0-9_-]"),
        Twice(r"[é-\u{1F600}]", "[é-😀]"),
        Twice("[^]", r"(?s:.)"),
        Twice("[]", "(?!)"),
    ]
)
_ASSERTIONS = st.sampled_from(
    [Twice("^", r"\A"), Twice("$", r"\Z"), Twice(r"\b", _BOUNDARY), Twice(r"\B", f"(?!{_BOUNDARY})")]
)
_QUANTIFIERS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "*?", "+?", "??", "{1,3}?", "{0}"])


def _repeated(inside: st.SearchStrategy[Twice]) -> st.SearchStrategy[Twice]:
    return st.builds(lambda one, how: Twice(f"(?:{one.ecma}){how}", f"(?:{one.python}){how}"), inside, _QUANTIFIERS)


def _chained(inside: st.SearchStrategy[Twice]) -> st.SearchStrategy[Twice]:
    return st.lists(inside, max_size=4).map(
        lambda many: Twice("".join(one.ecma for one in many), "".join(one.python for one in many))
    )


def _optional(inside: st.SearchStrategy[Twice]) -> st.SearchStrategy[Twice]:
    return st.lists(inside, min_size=2, max_size=3).map(
        lambda many: Twice(
            "(" + "|".join(one.ecma for one in many) + ")", "(" + "|".join(one.python for one in many) + ")"
        )
    )


def _ahead(inside: st.SearchStrategy[Twice]) -> st.SearchStrategy[Twice]:
    return st.builds(
        lambda one, how: Twice(f"({how}{one.ecma})", f"({how}{one.python})"), inside, st.sampled_from(["?=", "?!"])
    )


#: Without look-ahead.
PLAIN = st.recursive(
    st.one_of(_CHARACTERS, _CHARACTERS, _ASSERTIONS),
    lambda inside: st.one_of(_chained(inside), _chained(inside), _optional(inside), _repeated(inside)),
    max_leaves=8,
)
#: With look-ahead anywhere, in loops too.
ALL = st.recursive(
    st.one_of(_CHARACTERS, _CHARACTERS, _ASSERTIONS),
    lambda inside: st.one_of(_chained(inside), _chained(inside), _optional(inside), _repeated(inside), _ahead(inside)),
    max_leaves=8,
)


def _anchored(one: Twice) -> Twice:
    return Twice(f"^(?:{one.ecma})$", rf"\A(?:{one.python})\Z")


#: As they are, and anchored at both ends, which makes many more texts differ.
ANCHORED = PLAIN.map(_anchored)
#: With a look-behind between two patterns; Python's has a fixed width.
BEHIND = st.builds(
    lambda before, how, seen, after: Twice(
        f"(?:{before.ecma}){how}{seen.ecma}){after.ecma}", f"(?:{before.python}){how}{seen.python})(?:{after.python})"
    ),
    PLAIN,
    st.sampled_from(["(?<=", "(?<!"]),
    _CHARACTERS,
    st.one_of(_CHARACTERS, _chained(_CHARACTERS), _repeated(PLAIN), _ahead(PLAIN), _ASSERTIONS),
)
ANY = st.one_of(PLAIN, ANCHORED, ALL, ALL.map(_anchored), BEHIND)
