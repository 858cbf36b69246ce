"""What the comparison of two schemas says: one of three answers, with a witness and the places that differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, TypeAlias

#: A JSON value as `json.loads` gives it; numbers may also be `decimal.Decimal`.
Json: TypeAlias = Any


class Absent(Enum):
    """The one value that stands for "no JSON value", because null is one."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT


class Answer(StrEnum):
    """Is every instance of one schema an instance of another?"""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot-tell"


class Dialect(StrEnum):
    """The drafts of JSON Schema that are read, each named by its `$schema`."""

    DRAFT_7 = "http://json-schema.org/draft-07/schema#"
    DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is done before the answer is "cannot tell", or the schema is refused; counted, never timed."""

    #: steps of the proof
    steps: int = 40_000
    #: instances that the search for a counterexample tries
    instances: int = 300
    #: steps of that search, which ends with them
    search_steps: int = 300_000
    #: nesting of a schema document, in JSON levels
    levels: int = 500
    #: JSON values in a schema document
    nodes: int = 200_000
    #: the seed of the search
    seed: int = 20_201_207


@dataclass(frozen=True, slots=True)
class Difference:
    """One keyword that differs, with its JSON pointers (RFC 6901) in both documents; ABSENT where it is missing."""

    keyword: str
    old_pointer: str
    new_pointer: str
    old: Json | Absent
    new: Json | Absent
    words: str


@dataclass(frozen=True, slots=True)
class Containment:
    """Whether every instance of `old` is an instance of `new`.

    `witness` is the smallest instance found that is valid under `old` and not under `new`; a validator confirmed it.
    It is there with NO only. `searched` counts the instances that the search for a counterexample tried.
    """

    answer: Answer
    witness: Json | Absent = ABSENT
    differences: tuple[Difference, ...] = ()
    searched: int = 0
    words: str = ""
    #: the work of it all, in steps of the proof
    steps: int = 0
