"""What code that imports a module relies on."""

from __future__ import annotations

import griffe
import pytest

from troth.contracts.changes import Answer
from troth.contracts.python_api.comparison import compare


def answer(old: str, new: str) -> str:
    return compare(old, new).answer.value


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("def f(a, /): ...", "def f(b, /): ...", "compatible"),
        ("def f(a, /): ...", "def f(b): ...", "compatible"),
        ("def f(a): ...", "def f(a, /): ...", "breaking"),
        ("def f(a, b): ...", "def f(a, *, b): ...", "breaking"),
        ("def f(a, b=1): ...", "def f(a, c=2, b=1): ...", "breaking"),
        ("def f(*, a): ...", "def f(a): ...", "compatible"),
        ("def f(a): ...", "def f(*args, **kwargs): ...", "compatible"),
        ("def f(a): ...", "def f(**kwargs): ...", "breaking"),
        ("async def f(): ...", "def f(): ...", "breaking"),
        ("def f(): return []", "def f(): yield 1", "breaking"),
        ("def _f(): ...", "", "compatible"),
        ("def f(): ...\ndef g(): ...\n__all__ = ['f']", "def f(): ...\n__all__ = ['f']", "compatible"),
        ("import os", "", "compatible"),
        ("def old(): ...", "def new(): ...\nold = new", "compatible"),
        ("class A:\n    def f(self): ...", "class B:\n    def f(self): ...\nclass A(B): ...", "compatible"),
        ("X: int", "X: bool", "compatible"),
        ("X = 1", "X = 'one'", "breaking"),
        ("def f(): pass", "def f(): pass\ndel f", "breaking"),
        ("def f(): pass", "def f(): pass\ndel f\ndef f(): pass", "compatible"),
        ("def f(): pass", "def f(): pass\ndef g(): pass\ndel g", "compatible"),
        ("f = g = 1\ndel g", "f = 1", "compatible"),
        ("class A:\n    def f(self): ...", "class A:\n    def f(self): ...\n    del f", "breaking"),
        ("__all__ = ['f']\n__all__.extend(['g'])\n{fg}", "__all__ = ['f']\n{fg}", "breaking"),
        ("__all__ = ['f']\n__all__.append('g')\n{fg}", "__all__ = ['f', 'g']\n{fg}", "compatible"),
        ("__all__ = ['f']\n{fg}", "__all__ = ['f']\n__all__.extend(['g'])\n{fg}", "compatible"),
        ("__all__ = ['f', 'g']\n{fg}", "__all__ = ['f', 'g']\n__all__.remove('g')\n{fg}", "cannot-tell"),
        ("__all__ = ['f']\n__all__.extend(names())\n{fg}", "__all__ = ['f']\n{fg}", "cannot-tell"),
        ("__all__ = ['f']\n__all__.extend(names())\n{fg}", "__all__ = ['f']\n__all__.extend(names())\n{fg}", "compatible"),
        ("{fg}", "raise ImportError\n{fg}", "cannot-tell"),
        ("{fg}", "if x:\n    raise ImportError\n{fg}", "cannot-tell"),
        ("try:\n    import x\nexcept ImportError:\n    raise\n{fg}", "{fg}", "compatible"),
        ("{fg}", "try:\n    import x\nexcept ImportError:\n    raise\n{fg}", "cannot-tell"),
        ("{fg}", "def f(): raise ValueError\ndef g(): ...", "compatible"),
        ("class A: ...", "class A:\n    def __init_subclass__(cls, *, k): ...", "breaking"),
        ("class A: ...", "class A:\n    def __init_subclass__(cls, *, k=1): ...", "compatible"),
        ("class A:\n    def __init_subclass__(cls, *, k=1): ...", "class A: ...", "breaking"),
        ("class A: ...", "class _M(type):\n    def __call__(c, x): ...\nclass A(metaclass=_M): ...", "cannot-tell"),
        ("class A: ...", "from abc import ABCMeta\nclass A(metaclass=ABCMeta): ...", "compatible"),
        (
            "class _M(type):\n    def __call__(c): ...\nclass A(metaclass=_M): ...",
            "class _M(type):\n    def __call__(c, x): ...\nclass A(metaclass=_M): ...",
            "cannot-tell",
        ),
    ],
)  # fmt: skip
def test_calls_and_names(old: str, new: str, expected: str) -> None:
    old, new = (text.replace("{fg}", "def f(): ...\ndef g(): ...") for text in (old, new))
    assert answer(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "given", "got"),
    [
        ("Optional[int]", "int | None", "compatible", "compatible"),
        ("List[int]", "list[int]", "compatible", "compatible"),
        ("'int'", "int", "compatible", "compatible"),
        ("int", "float", "compatible", "breaking"),
        ("list[int]", "Sequence[int]", "compatible", "breaking"),
        ("Sequence[bool]", "Sequence[int]", "compatible", "breaking"),
        ("list[bool]", "list[int]", "breaking", "breaking"),
        ("Literal['a']", "Literal['a', 'b']", "compatible", "breaking"),
        ("Literal['a']", "str", "compatible", "breaking"),
        ("str", "Iterable[str]", "compatible", "breaking"),
        ("str", "int", "breaking", "breaking"),
        ("dict[str, int]", "Mapping[str, int]", "compatible", "breaking"),
        ("tuple[int, int]", "tuple[int, ...]", "compatible", "breaking"),
        ("tuple[int, int]", "tuple[int]", "breaking", "breaking"),
        ("Callable[[int], str]", "Callable[[bool], str]", "compatible", "breaking"),
        ("Animal", "Dog", "breaking", "compatible"),
        ("int", "Any", "compatible", "breaking"),
        ("lib.A", "lib.B", "cannot-tell", "cannot-tell"),
        ("ValueError", "Exception", "compatible", "breaking"),
    ],
)  # fmt: skip
def test_types_grow_where_they_are_given_and_shrink_where_they_are_got(
    old: str, new: str, given: str, got: str
) -> None:
    head = (
        "from typing import Any, List, Literal, Optional\nfrom collections.abc import Callable, Iterable, Mapping, Sequence\n"
        "class Animal: ...\nclass Dog(Animal): ...\n"
    )
    assert answer(f"{head}def f(x: {old}): ...", f"{head}def f(x: {new}): ...") == given
    assert answer(f"{head}def f() -> {old}: ...", f"{head}def f() -> {new}: ...") == got


def test_a_package_is_compared_through_its_imports() -> None:
    old = {"pkg/__init__.py": "from .a import f\n", "pkg/a.py": "def f(x): ...\n"}
    moved = {
        "pkg/__init__.py": "from ._b import f\n",
        "pkg/a.py": "from ._b import *\n__all__ = ['f']",
        "pkg/_b.py": "def f(x): ...\n",
    }
    assert compare(old, moved).answer is Answer.COMPATIBLE
    changed = {**moved, "pkg/_b.py": "def f(x, y): ...\n"}
    assert compare(old, changed).answer is Answer.BREAKING
    gone = {"pkg/__init__.py": "", "pkg/a.py": "def f(x): ...\n"}
    assert [change.path for change in compare(old, gone).breaking] == ["pkg.f"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f(:", "line 1"),
        ("x = 1\n  y = 2", "line 2"),
        ("x = " + "(" * 5000 + ")" * 5000, "module.py"),
        ("x = " + "-" * 150 + "1", "levels deep"),
        ("x = '" + "a" * (5 << 20) + "'", "larger than"),
        ("x\0y", "null byte"),
    ],
)
def test_what_is_no_python_is_invalid_with_its_place(source: str, said: str) -> None:
    for pair in ((source, ""), ("", source)):
        found = compare(*pair)
        assert found.answer is Answer.INVALID
        assert said in found.fault


def test_a_large_module_is_within_bounds() -> None:
    lines = "".join(
        f"def f{i}(a: list[dict[str, list[int]]], b: str | None = None) -> int | str: ...\n" for i in range(2000)
    )
    assert compare(lines, lines).answer is Answer.COMPATIBLE


def test_types_that_are_defined_by_themselves_end() -> None:
    source = "from typing import Union\nT = Union[int, 'list[T]']\ndef f(x: T): ...\nclass A(B): ...\nclass B(A): ...\ndef g(x: A): ..."
    other = source.replace("int", "str")
    assert compare(source, source).answer is Answer.COMPATIBLE
    assert compare(source, other).answer is not Answer.COMPATIBLE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(a, b): ...", "def f(b, a): ..."),
        ("def f(a): ...", "def f(): ..."),
        ("def f(a): ...", "def f(*, a): ..."),
        ("def f(a=1): ...", "def f(a): ..."),
        ("def f(): ...", "def f(a): ..."),
        ("def f(): ...", ""),
        ("def f(): ...", "class f: ..."),
        ("class A: ...\nclass B(A): ...", "class A: ...\nclass B: ..."),
    ],
)
def test_what_griffe_calls_a_breakage_is_one(old: str, new: str) -> None:
    from pathlib import Path

    modules = [griffe.visit("m", Path("m.py"), source) for source in (old, new)]
    assert list(griffe.find_breaking_changes(*modules))
    assert answer(old, new) == "breaking"
