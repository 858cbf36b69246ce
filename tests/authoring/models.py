"""Types of an author who writes annotations as text, as `from __future__ import annotations` makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Optional, Required, TypedDict

import msgspec


class Color(Enum):
    RED = "red"
    GREEN = "green"
    NONE = None


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    x: int
    y: float = 0.5


@dataclass(frozen=True)
class Frozen:
    key: str


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)


@dataclass
class Scored:
    score: float
    label: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if self.score > 100:
            raise ValueError("a score is at most 100")
        self.label = "good" if self.score > 50 else "bad"


class Options(TypedDict):
    name: str
    size: NotRequired[int]


class Loose(TypedDict, total=False):
    name: Required[str]
    size: int


class Pair(NamedTuple):
    first: str
    second: int = 7


class Node(NamedTuple):
    value: int
    following: Optional[Node] = None  # noqa: UP045 - as authors write it


class Item(msgspec.Struct):
    name: str
    price: float = 0.0
    parts: list[Item] = []


class Bound:
    """A bound of any library's: what counts is the attribute."""

    def __init__(self, **bounds: Any) -> None:
        for name, bound in bounds.items():
            setattr(self, name, bound)

    def __repr__(self) -> str:
        return f"Bound({', '.join(f'{name}={bound}' for name, bound in vars(self).items())})"


class Several:
    """Bounds as pydantic's Field() has them."""

    metadata = (Bound(ge=0), Bound(le=9))


UserId = NewType("UserId", int)
Share = Annotated[float, Bound(ge=0, le=1)]
Digit = Annotated[int, Several()]
Name = Annotated[str, Bound(min_length=1), Bound(max_length=3), "words", Bound(ge=None)]
Mode = Literal["fast", "slow", 1, True, None]
Rows = Sequence[Mapping[str, int]]
