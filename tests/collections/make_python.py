"""Writes python/*.ndjson from the rows below: `python -m tests.collections.make_python`. No checker is asked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

HERE = Path(__file__).parent
YES, NO = "compatible", "breaking"
Module = str | dict[str, str]


def f(signature: str, answer: str = "", *, kind: str = "def", body: str = "...", decorators: str = "") -> str:
    """A module with one function."""
    return f"{decorators}{kind} f({signature}){f' -> {answer}' if answer else ''}:\n    {body}\n"


def cls(body: str = "pass", bases: str = "", *, name: str = "C", head: str = "") -> str:
    """A module with one class."""
    return f"{dedent(head)}class {name}{f'({bases})' if bases else ''}:\n{indent(dedent(body).strip(), '    ')}\n"


def data(fields: str, options: str = "", head: str = "") -> str:
    """A module with one dataclass."""
    return cls(
        fields, head=f"from dataclasses import KW_ONLY, InitVar, dataclass, field\n{head}\n@dataclass{options}\n"
    )


def typed(fields: str, options: str = "") -> str:
    """A module with one TypedDict."""
    return cls(fields, f"TypedDict{options}", head="from typing import NotRequired, Required, TypedDict\n\n")


def enum(members: str, bases: str = "Enum") -> str:
    """A module with one Enum."""
    return cls(members, bases, head="from enum import Enum, IntEnum, StrEnum, auto\n\n")


def seq(source: str) -> str:
    """A module after the imports that annotations here need."""
    return (
        "from collections.abc import Iterable, Iterator, Mapping, Sequence\nfrom typing import Any, List, Literal, Optional, Union\n\n"
        + source
    )


OVERLOAD = "from typing import overload\n\n@overload\ndef f(a: int) -> int: ...\n@overload\ndef f(a: str) -> str: ...\n"
BODY = "def f(a):\n    return a\n"
THIRD = "@overload\ndef f(a: bytes) -> bytes: ...\n"
PROTOCOL = "from typing import Protocol\n\n"
ABSTRACT = "from abc import ABC, abstractmethod\n\n"
GENERIC = 'from typing import Generic, TypeVar\n\nT = TypeVar("T")\n\n'

# fmt: off
# One claim a line: this is a table. (about, old, new, label, label of the way back or "", why)
ROWS: list[tuple[str, Module, Module, str, str, str]] = [
    ("function", f("a"), f("a") + "\ndef g(): ...\n", YES, NO, "a function more, or less"),
    ("function", f("a"), f("a").replace("f(", "g("), NO, NO, "renamed"),
    ("function", f("a"), f("a").replace("f(", "g(") + "\nf = g\n", YES, "", "renamed, with the old name kept"),
    ("function", f("a"), f("a", body="return a + 1"), YES, YES, "only what is inside"),
    ("function", f("a"), f("a", body='"""Says what it does."""'), YES, YES, "words only"),
    ("function", f("a"), "# Made by hand.\ndef f(\n    a,\n):\n    ...\n", YES, YES, "only how it is written"),
    ("function", f("a") + "\ndef g(): ...\n", "def g(): ...\n\n" + f("a"), YES, YES, "order of definitions"),
    ("function", f("a") + "\ndef _g(): ...\n", f("a"), YES, YES, "a private name"),
    ("function", f("a") + "\ndef _g(x): ...\n", f("a") + "\ndef _g(): ...\n", YES, YES, "a private name"),
    ("function", f("a"), cls("def __init__(self, a): ...", name="f"), NO, NO, "a class answers with an instance of itself"),
    ("function", f("a"), "f = 5\n", NO, NO, "no longer to be called"),
    ("parameter", f("a"), f("a, b"), NO, NO, "a required one more, or less"),
    ("parameter", f("a"), f("a, b=1"), YES, NO, "an optional one at the end, or one less"),
    ("parameter", f("a, c=1"), f("a, b=2, c=1"), NO, NO, "an optional one between: positions move"),
    ("parameter", f("a"), f("a, *, b=1"), YES, NO, "an optional one by keyword"),
    ("parameter", f("a"), f("a, *, b"), NO, NO, "a required one by keyword"),
    ("parameter", f("a"), f("b"), NO, NO, "renamed, where callers may name it"),
    ("parameter", f("a, /"), f("b, /"), YES, YES, "renamed, where no caller can name it"),
    ("parameter", f("a, *, key=1"), f("a, *, name=1"), NO, NO, "renamed, where callers must name it"),
    ("parameter", f("a, b"), f("b, a"), NO, NO, "positions exchanged"),
    ("parameter", f("*, a=1, b=2"), f("*, b=2, a=1"), YES, YES, "those by keyword have no positions"),
    ("parameter", f("a, b=1"), f("a, b"), NO, YES, "it must be given, or may be left out"),
    ("parameter", f("*, a"), f("*, a=None"), YES, NO, "it may be left out, or must be given"),
    ("parameter", f("a=1"), f("a=2"), NO, NO, "who leaves it out gets another value"),
    ("parameter", f("a=True"), f("a=False"), NO, NO, "who leaves it out gets another value"),
    ("parameter", f("a=None"), f("a=()"), NO, NO, "who leaves it out gets another value"),
    ("parameter", f("a='x'"), f('a="x"'), YES, YES, "one value in two spellings"),
    ("parameter", f("a=1000"), f("a=1_000"), YES, YES, "one value in two spellings"),
    ("parameter", f("a, b=1"), f("a, *, b=1"), NO, YES, "its position is gone, or given"),
    ("parameter", f("a, b=1"), f("a, b=1, /"), NO, YES, "its name is gone, or given"),
    ("parameter", f("a, /"), f("*, a"), NO, NO, "by position or by name"),
    ("parameter", f("a"), f("a, *args"), YES, NO, "more positions, or fewer"),
    ("parameter", f("a"), f("a, **options"), YES, NO, "more names, or fewer"),
    ("parameter", f("a, *args"), f("a, *rest"), YES, YES, "the name of the rest is nobody's to give"),
    ("parameter", f("a, **options"), f("a, **more"), YES, YES, "the name of the rest is nobody's to give"),
    ("parameter", f("*args"), f("a, /, *args"), NO, YES, "one is demanded; any number may be"),
    ("parameter", f("a, b=1"), f("a, **options"), NO, "", "its position is gone"),
    ("parameter", f("a, b=1"), f("a, *args, **options"), YES, "", "whatever was legal is taken by the rest"),
    ("parameter", f("a, *, b=1"), f("a, *, b=1, _c=2"), YES, "", "an optional one, private or not"),
    ("annotation", f("a"), f("a: int"), YES, YES, "what was not said is no promise"),
    ("annotation", f("a: int"), f("a: int | str"), YES, NO, "more, or less, may be given"),
    ("annotation", f("a: int"), f("a: str"), NO, NO, "something else is to be given"),
    ("annotation", f("a: int"), f("a: float"), YES, NO, "an int may stand for a float (PEP 484)"),
    ("annotation", f("a: bool"), f("a: int"), YES, NO, "a bool is an int"),
    ("annotation", seq(f("a: Optional[int]")), seq(f("a: int | None")), YES, YES, "one type in two spellings"),
    ("annotation", seq(f("a: Union[int, str]")), seq(f("a: str | int")), YES, YES, "one type in two spellings"),
    ("annotation", seq(f("a: List[int]")), seq(f("a: list[int]")), YES, YES, "one type in two spellings"),
    ("annotation", f("a: int"), f('a: "int"'), YES, YES, "one type in two spellings"),
    ("annotation", seq(f("a: list[int]")), seq(f("a: Sequence[int]")), YES, NO, "a list is a sequence"),
    ("annotation", seq(f("a: Sequence[int]")), seq(f("a: Iterable[int]")), YES, NO, "a sequence is iterable"),
    ("annotation", seq(f("a: dict[str, int]")), seq(f("a: Mapping[str, int]")), YES, NO, "a dict is a mapping"),
    ("annotation", seq(f("a: Literal['x']")), seq(f("a: Literal['x', 'y']")), YES, NO, "more, or fewer, values may be given"),
    ("annotation", seq(f("a: Literal['x', 'y']")), seq(f("a: Literal['y', 'x']")), YES, YES, "order has no meaning"),
    ("annotation", seq(f("a: Literal['x']")), seq(f("a: str")), YES, NO, "any string, or one"),
    ("annotation", seq(f("a: int")), seq(f("a: Any")), YES, "", "anything may be given"),
    ("return", f("a", "int"), f("a", "str"), NO, NO, "something else comes back"),
    ("return", f("a"), f("a", "int"), YES, "", "what was not said is no promise"),
    ("return", f("a", "int"), f("a", "int | None"), NO, YES, "more may come back, or less"),
    ("return", f("a", "float"), f("a", "int"), YES, NO, "an int may stand for a float (PEP 484)"),
    ("return", seq(f("a", "Sequence[int]")), seq(f("a", "list[int]")), YES, NO, "a list is a sequence"),
    ("return", seq(f("a", "Iterator[int]")), seq(f("a", "list[int]")), NO, NO, "a list is no iterator, nor the other way round"),
    ("return", seq(f("a", "Literal['x', 'y']")), seq(f("a", "Literal['x']")), YES, NO, "fewer, or more, values come back"),
    ("return", seq(f("a", "Optional[str]")), seq(f("a", "str | None")), YES, YES, "one type in two spellings"),
    ("return", f("a", "tuple[int, int]"), f("a", "tuple[int, int, int]"), NO, NO, "one more comes back: unpacking fails"),
    ("async", f("a"), f("a", kind="async def"), NO, NO, "it is to be awaited, or not"),
    ("async", cls("def m(self): ..."), cls("async def m(self): ..."), NO, NO, "it is to be awaited, or not"),
    ("async", seq(f("", "Iterator[int]", body="yield 1")), "from collections.abc import AsyncIterator\n\n" + f("", "AsyncIterator[int]", kind="async def", body="yield 1"), NO, NO, "to be run through with async for, or not"),
    ("class", cls(), cls() + cls(name="D"), YES, NO, "a class more, or less"),
    ("class", cls(), cls(name="D"), NO, NO, "renamed"),
    ("class", cls(), cls(name="D") + "\nC = D\n", YES, "", "renamed, with the old name kept"),
    ("class", cls() + cls(name="_D"), cls(), YES, YES, "a private name"),
    ("class", cls("def m(self): ..."), cls("def m(self): ...\ndef n(self): ..."), YES, NO, "a method more, or less"),
    ("class", cls("def m(self): ..."), cls("def m(self): ...\ndef _n(self): ..."), YES, YES, "a private method"),
    ("class", cls("def m(self, a): ..."), cls("def m(self, a, b): ..."), NO, NO, "a parameter more, or less"),
    ("class", cls("def m(self, a): ..."), cls("def m(self, a, b=1): ..."), YES, NO, "an optional parameter more, or one less"),
    ("class", cls("def m(self, a): ..."), cls("def m(this, a): ..."), YES, YES, "the name of the instance is nobody's to give"),
    ("class", cls("def __init__(self, a): ..."), cls("def __init__(self, a, b): ..."), NO, NO, "a parameter more, or less"),
    ("class", cls("def __init__(self, a): ..."), cls("def __init__(self, a, b=1): ..."), YES, NO, "an optional parameter more, or one less"),
    ("class", cls(), cls("def __init__(self, a): ..."), NO, NO, "it is to be made with something, or with nothing"),
    ("class", cls("def m(self): ..."), "class B:\n    def m(self): ...\n\n" + cls("pass", "B"), YES, "", "the method is inherited"),
    ("class", "class B: ...\n" + cls("pass", "B"), "class B: ...\n" + cls(), NO, YES, "no longer an instance of B; now one"),
    ("class", cls("pass", "ValueError", name="Refused"), cls("pass", "Exception", name="Refused"), NO, YES, "who catches ValueError misses it; ValueError is an Exception"),
    ("class", cls("pass", "ValueError", name="Refused"), cls("pass", "ValueError, KeyError", name="Refused"), YES, NO, "one more kind, or less"),
    ("class", cls("pass", "ValueError", name="Refused"), cls("pass", "KeyError", name="Refused"), NO, NO, "another kind"),
    ("class", cls("pass", "dict"), cls(), NO, "", "no longer a dict"),
    ("class", cls("def __len__(self): return 0"), cls(), NO, YES, "it has a length no more"),
    ("class", cls("def __iter__(self): return iter(())"), cls(), NO, YES, "it can be run through no more"),
    ("class", cls("def m(self): ..."), cls("def m(self): ...\ndef __eq__(self, other): return True"), NO, NO, "with __eq__ alone it has no hash; without it, it is compared otherwise"),
    ("class", cls(), ABSTRACT + cls("@abstractmethod\ndef m(self): ...", "ABC"), NO, "", "it can be made no more"),
    ("class", ABSTRACT + cls("@abstractmethod\ndef m(self): ...", "ABC"), ABSTRACT + cls("@abstractmethod\ndef m(self): ...\n@abstractmethod\ndef n(self): ...", "ABC"), NO, NO, "who derives lacks a method; who calls misses one"),
    ("class", ABSTRACT + cls("@abstractmethod\ndef m(self): ...", "ABC"), ABSTRACT + cls("@abstractmethod\ndef m(self): ...\ndef n(self): ...", "ABC"), YES, NO, "a method more that nobody must write, or one less"),
    ("class", cls(), cls(head="from typing import final\n\n@final\n"), NO, YES, "who derives from it may do so no more"),
    ("class", GENERIC + cls("pass", "Generic[T]"), cls(), NO, YES, "C[int] is no longer legal"),
    ("class", cls("@classmethod\ndef m(cls, a): ..."), cls("def m(self, a): ..."), NO, "", "the class cannot call it alone"),
    ("class", cls("@staticmethod\ndef m(a): ..."), cls("@classmethod\ndef m(cls, a): ..."), YES, YES, "called alike"),
    ("class", cls("@staticmethod\ndef m(a): ..."), cls("def m(self, a): ..."), NO, "", "the class cannot call it alone"),
    ("attribute", "A = 1\n", "A = 1\nB = 2\n", YES, NO, "a constant more, or less"),
    ("attribute", "A = 1\n", "B = 1\n", NO, NO, "renamed"),
    ("attribute", "A = 1\n", "A = 2\n", NO, NO, "another value"),
    ("attribute", "A = 1\n", 'A = "1"\n', NO, NO, "another kind of value"),
    ("attribute", "A: int = 1\n", "A = 1\n", YES, YES, "one value"),
    ("attribute", "A = 'x'\n", 'A = "x"\n', YES, YES, "one value in two spellings"),
    ("attribute", "A = 0x10\n", "A = 16\n", YES, YES, "one value in two spellings"),
    ("attribute", '__version__ = "1.0"\nA = 1\n', '__version__ = "1.1"\nA = 1\n', YES, YES, "the module's own number is there to rise"),
    ("attribute", "A = 1\n_B = 2\n", "A = 1\n", YES, YES, "a private name"),
    ("attribute", cls("x = 1"), cls("x = 1\ny = 2"), YES, NO, "an attribute more, or less"),
    ("attribute", cls("x: int = 1"), cls("x: str = 'a'"), NO, NO, "another kind of value"),
    ("attribute", cls("def __init__(self):\n    self.x = 1\n    self.y = 2"), cls("def __init__(self):\n    self.x = 1"), NO, YES, "an instance's attribute less, or more"),
    ("attribute", cls("def __init__(self):\n    self.x = 1\n    self._y = 2"), cls("def __init__(self):\n    self.x = 1"), YES, YES, "a private attribute"),
    ("attribute", cls("x: int"), cls("x: int | None"), NO, "", "more may be found there"),
    ("property", cls("@property\ndef x(self): return 1"), cls("def x(self): return 1"), NO, NO, "to be called, or not"),
    ("property", cls("def __init__(self):\n    self.x = 1"), cls("@property\ndef x(self): return 1"), NO, YES, "it can be set no more, or again"),
    ("property", cls("@property\ndef x(self): return 1\n@x.setter\ndef x(self, value): ..."), cls("@property\ndef x(self): return 1"), NO, YES, "it can be set no more, or now"),
    ("property", cls("@property\ndef x(self) -> int: return 1"), cls("@property\ndef x(self) -> str: return ''"), NO, NO, "something else is read"),
    ("property", cls("@property\ndef x(self): return 1"), cls("@property\ndef x(self): return 1\n@property\ndef y(self): return 2"), YES, NO, "a property more, or less"),
    ("property", cls("@property\ndef x(self): return 1"), cls("@cached_property\ndef x(self): return 1", head="from functools import cached_property\n\n"), YES, "", "read alike"),
    ("__all__", '__all__ = ["f"]\ndef f(): ...\ndef g(): ...\n', '__all__ = ["f"]\ndef f(): ...\n', YES, YES, "what is not listed is not public"),
    ("__all__", '__all__ = ["f", "g"]\ndef f(): ...\ndef g(): ...\n', '__all__ = ["f"]\ndef f(): ...\ndef g(): ...\n', NO, YES, "no longer listed, or listed now"),
    ("__all__", '__all__ = ["f", "g"]\ndef f(): ...\ndef g(): ...\n', '__all__ = ("g", "f")\ndef f(): ...\ndef g(): ...\n', YES, YES, "order, and list or tuple, have no meaning"),
    ("__all__", '__all__ = ["_f"]\ndef _f(a): ...\n', '__all__ = ["_f"]\ndef _f(b): ...\n', NO, NO, "what is listed is public, whatever its name"),
    ("__all__", "def f(): ...\ndef g(): ...\n", '__all__ = ["f"]\ndef f(): ...\ndef g(): ...\n', NO, YES, "what was public is not listed"),
    ("__all__", '__all__ = ["f"]\n__all__ += ["g"]\ndef f(): ...\ndef g(): ...\n', '__all__ = ["f", "g"]\ndef f(): ...\ndef g(): ...\n', YES, YES, "one list in two spellings"),
    ("dataclass", data("a: int"), data("a: int\nb: int = 0"), YES, NO, "an optional field at the end, or one less"),
    ("dataclass", data("a: int"), data("a: int\nb: int"), NO, NO, "a required field more, or less"),
    ("dataclass", data("a: int = 0\nc: int = 0"), data("a: int = 0\nb: int = 0\nc: int = 0"), NO, NO, "a field between: positions move"),
    ("dataclass", data("a: int\nb: int"), data("b: int\na: int"), NO, NO, "positions exchanged"),
    ("dataclass", data("a: int\nb: int = 0", "(kw_only=True, eq=False)"), data("a: int\nc: int = 1\nb: int = 0", "(kw_only=True, eq=False)"), YES, NO, "an optional field by keyword has no position"),
    ("dataclass", data("a: int\nb: int"), data("a: int\nb: int", "(kw_only=True)"), NO, YES, "positions are gone, or given"),
    ("dataclass", data("a: int\nb: int = 0"), data("a: int\n_: KW_ONLY\nb: int = 0"), NO, YES, "its position is gone, or given"),
    ("dataclass", data("a: int"), data("b: int"), NO, NO, "renamed"),
    ("dataclass", data("a: int = 0"), data("a: int"), NO, YES, "it must be given, or may be left out"),
    ("dataclass", data("a: int = 0"), data("a: int = 1"), NO, NO, "who leaves it out gets another value"),
    ("dataclass", data("a: int = 0"), data("a: int = field(default=0)"), YES, YES, "one default in two spellings"),
    ("dataclass", data("a: int"), data("a: int", "()"), YES, YES, "the same decorator"),
    ("dataclass", data("a: int"), data("a: int", "(frozen=True)"), NO, NO, "it can be set no more; it has no hash any more"),
    ("dataclass", data("a: int"), data("a: int", "(order=True)"), YES, NO, "it can be compared, or no more"),
    ("dataclass", data("a: int"), data("a: int", "(eq=False)"), NO, NO, "equal values are not equal any more; it has no hash any more"),
    ("dataclass", data("a: int"), data("a: int\nb: int = field(default=0, init=False)"), YES, NO, "a field nobody gives; one that was read is gone"),
    ("dataclass", data("a: int\nb: InitVar[int] = 0"), data("a: int\nb: InitVar[int]"), NO, YES, "it must be given, or may be left out"),
    ("dataclass", data("a: int"), data("a: str"), NO, NO, "another type"),
    ("dataclass", data("a: int"), data("a: int\n_b: int = 0"), YES, "", "an optional field at the end, private or not"),
    ("dataclass", data("a: int"), cls("def __init__(self, a: int) -> None:\n    self.a = a"), NO, "", "equal values are not equal any more"),
    ("enum", enum('A = "a"'), enum('A = "a"\nB = "b"'), YES, NO, "a member more, or less"),
    ("enum", enum('A = "a"'), enum('B = "a"'), NO, NO, "renamed"),
    ("enum", enum('A = "a"'), enum('A = "x"'), NO, NO, "another value"),
    ("enum", enum("A = auto()\nB = auto()"), enum("B = auto()\nA = auto()"), NO, NO, "numbered in order: values exchanged"),
    ("enum", enum("A = auto()\nB = auto()"), enum("A = 1\nB = 2"), YES, YES, "numbered from 1: the same values"),
    ("enum", enum("A = auto()"), enum("A = auto()\nB = auto()"), YES, NO, "a member more at the end, or less"),
    ("enum", enum("A = auto()\nC = auto()"), enum("A = auto()\nB = auto()\nC = auto()"), NO, NO, "a member between: the next value moves"),
    ("enum", enum('A = "a"', "str, Enum"), enum('A = "a"'), NO, "", "no longer a string"),
    ("enum", enum("A = 1", "IntEnum"), enum("A = 1"), NO, "", "no longer an integer"),
    ("named tuple", cls("a: int\nb: int", "NamedTuple", head="from typing import NamedTuple\n\n"), cls("a: int\nb: int\nc: int = 0", "NamedTuple", head="from typing import NamedTuple\n\n"), NO, NO, "one more: unpacking fails; one less"),
    ("named tuple", cls("a: int\nb: int", "NamedTuple", head="from typing import NamedTuple\n\n"), cls("b: int\na: int", "NamedTuple", head="from typing import NamedTuple\n\n"), NO, NO, "positions exchanged"),
    ("typed dict", typed("a: int"), typed("a: int\nb: int"), NO, NO, "who makes one lacks a key; who reads one misses it"),
    ("typed dict", typed("a: int"), typed("a: int\nb: NotRequired[int]"), YES, NO, "a key that may be missing, or one less"),
    ("typed dict", typed("a: int"), typed("a: NotRequired[int]"), NO, NO, "who reads may miss it; who makes one lacks it"),
    ("typed dict", typed("a: int"), typed("a: str"), NO, NO, "another type"),
    ("typed dict", typed("a: int"), typed("a: int", ", total=False"), NO, NO, "who reads may miss it; who makes one lacks it"),
    ("typed dict", typed("a: NotRequired[int]"), typed("a: int", ", total=False"), YES, YES, "one meaning in two spellings"),
    ("typed dict", typed("a: int\nb: int"), typed("b: int\na: int"), YES, YES, "keys have no order"),
    ("protocol", PROTOCOL + cls("def m(self) -> int: ...", "Protocol"), PROTOCOL + cls("def m(self) -> int: ...\ndef n(self) -> int: ...", "Protocol"), NO, NO, "who fits it lacks a method; who calls misses one"),
    ("protocol", PROTOCOL + cls("def m(self) -> int: ...", "Protocol"), PROTOCOL + cls("def m(self, a: int = 0) -> int: ...", "Protocol"), NO, NO, "who fits it does not take a; who gives it may no more"),
    ("protocol", PROTOCOL + cls("def m(self) -> int: ...", "Protocol"), PROTOCOL + cls('def m(self) -> int:\n    """Says how many."""', "Protocol"), YES, YES, "words only"),
    ("overload", OVERLOAD + BODY, OVERLOAD + THIRD + BODY, YES, NO, "one way more, or less"),
    ("overload", OVERLOAD + BODY, OVERLOAD.replace("-> str", "-> bytes") + BODY, NO, NO, "something else comes back"),
    ("overload", OVERLOAD + BODY, OVERLOAD + BODY.replace("return a", "return  a"), YES, YES, "only how it is written"),
    ("decorator", f("a"), f("a", decorators='from warnings import deprecated\n\n@deprecated("use g")\n'), YES, YES, "deprecated, and still there"),
    ("decorator", seq(f("a", "Iterator[int]", body="yield a")), "from contextlib import contextmanager\n" + seq(f("a", "Iterator[int]", body="yield a", decorators="@contextmanager\n")), NO, NO, "a context, or an iterator"),
    ("decorator", f("a: int", "int"), f("a: int", "int", decorators="from functools import lru_cache\n\n@lru_cache\n"), YES, "", "called alike"),
    ("import", "import os\n" + f("a"), f("a"), YES, YES, "what a module imports for itself is not its own"),
    ("import", "from json import dumps\n" + f("a"), "from json import dumps as _dumps\n" + f("a"), YES, YES, "what a module imports for itself is not its own"),
    ("import", 'from json import dumps\n__all__ = ["dumps"]\n', "__all__ = []\n", NO, YES, "listed, so its own"),
    ("package", {"__init__.py": "", "a.py": f("x")}, {"__init__.py": "", "a.py": f("x"), "b.py": "def g(): ...\n"}, YES, NO, "a module more, or less"),
    ("package", {"__init__.py": "", "a.py": f("x")}, {"__init__.py": "", "b.py": f("x")}, NO, NO, "a module renamed"),
    ("package", {"__init__.py": "", "a.py": f("x")}, {"__init__.py": "", "a.py": "from .b import f\n\n__all__ = [\"f\"]\n", "b.py": f("x")}, YES, "", "moved, and still to be had where it was"),
    ("package", {"__init__.py": f("x")}, {"__init__.py": "from ._inside import f as f\n", "_inside.py": f("x")}, YES, YES, "moved into a private module, and still to be had where it was"),
    ("package", {"__init__.py": f("x")}, {"__init__.py": "", "_inside.py": f("x")}, NO, "", "moved into a private module"),
    ("package", {"__init__.py": "from ._inside import f\n\n__all__ = [\"f\"]\n", "_inside.py": f("x")}, {"__init__.py": "from ._inside import f\n\n__all__ = [\"f\"]\n", "_inside.py": f("x, y")}, NO, NO, "what is to be had here is defined elsewhere, and changed there"),
    ("package", {"__init__.py": "", "_inside.py": f("x")}, {"__init__.py": ""}, YES, YES, "a private module"),
    ("package", {"a.py": f("x")}, {"a/__init__.py": f("x")}, YES, YES, "a module, or a package of that name"),
    ("package", {"__init__.py": "", "a.py": f("x"), "tests/__init__.py": ""}, {"__init__.py": "", "a.py": f("x, y=1"), "tests/__init__.py": ""}, YES, NO, "an optional parameter more, or one less"),
]
# fmt: on


def lines() -> Iterator[dict[str, object]]:
    """Every row in every direction that has a label."""
    counted: Counter[str] = Counter()
    for about, old, new, forward, backward, why in ROWS:
        stem = re.sub(r"[^a-z]+", "-", about).strip("-")
        counted[stem] += 1
        name = f"{stem}/{counted[stem]}"
        yield {"id": name, "about": about, "old": old, "new": new, "label": forward, "why": why}
        if backward:
            yield {"id": f"{name}/back", "about": about, "old": new, "new": old, "label": backward, "why": why}


def main() -> None:
    """Writes the file and says how many lines it has."""
    (HERE / "python").mkdir(exist_ok=True)
    written = [json.dumps(line) + "\n" for line in lines()]
    (HERE / "python" / "modules.ndjson").write_text("".join(written))
    print(f"modules: {len(written)}")


if __name__ == "__main__":
    main()
