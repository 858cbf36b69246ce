"""Patterns of JSON Schema, compared by the texts in which they are found.

`language(pattern)` gives a `Language`, of which everything is asked. What is not decided exactly raises `Undecidable`:
no answer is a guess, none takes long, and none depends on the machine.

Sources: ECMA-262, 22.2 (syntax and meaning of regular expressions, with the flag `u`); JSON Schema 2020-12, core 6.4
(which dialect, and that patterns are not anchored); J. A. Brzozowski, Derivatives of Regular Expressions (1964);
V. Antimirov, Partial Derivatives of Regular Expressions and Finite Automaton Constructions (1996); S. Owens, J. Reppy,
A. Turon, Regular-expression Derivatives Re-examined (2009).
"""

from troth.contracts.patterns.languages import (
    EVERYTHING,
    NOTHING,
    Containment,
    Language,
    language,
    lengths,
    literal,
    literals,
)
from troth.contracts.patterns.limits import Budget, Undecidable

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "Budget",
    "Containment",
    "Language",
    "Undecidable",
    "language",
    "lengths",
    "literal",
    "literals",
]
