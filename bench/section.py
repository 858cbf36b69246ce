"""What a section of the measurements is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.load import Generator
from bench.table import Table


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how often to measure: `seconds` of each load, by the generator of that name."""

    rounds: int
    seconds: float
    generator: Generator
    generator_name: str
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Findings:
    """A section's tables, the number of wrong answers in it, and what could not be measured, in words."""

    tables: Sequence[Table]
    wrong: int
    failures: Sequence[str] = field(default=())


Section = Callable[[Options], Findings]
