"""Regular expressions of `~`: one dialect for both databases, in time that no pattern can make long.

What ECMA-262 and everybody else write alike (`troth.contracts.patterns`): characters, classes, `^`, `$`, groups, `|`,
`* + ? {2,5}`. No back-references, no looking around, no `\\b`. A dot is everything but the end of a line.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from troth.contracts.patterns import Undecidable, syntax
from troth.contracts.patterns.alphabet import Ranges, character, numbers_of
from troth.contracts.patterns.derivatives import PatternAutomaton
from troth.contracts.patterns.parsing import parse
from troth.contracts.patterns.places import END, START
from troth.contracts.patterns.syntax import Expression
from troth.queries.language import bounds
from troth.queries.language.hints import wrong

#: transitions that a matcher remembers
_MOST_KEPT = 20_000
#: terms and transitions of one automaton
_LARGEST = 10_000
_MOST_TURNS = 255


def check_pattern(pattern: str) -> None:
    """Raises Malformed for what is no pattern of the dialect, or too large a one."""
    posix(pattern)


@lru_cache(256)
def posix(pattern: str) -> str:
    """The pattern as PostgreSQL's regular expressions (ARE) say the same. Raises Malformed."""
    if len(pattern) > bounds.LONGEST_PATTERN:
        raise wrong("the pattern is too long", f"it has at most {bounds.LONGEST_PATTERN} characters")
    try:
        tree = parse(pattern)
        if _size(tree) > bounds.LARGEST_PATTERN:
            raise wrong(
                "the pattern is too large", f"with its counts written out it has at most {bounds.LARGEST_PATTERN} parts"
            )
        return _written(tree)
    except Undecidable as error:
        raise wrong(f"{pattern[:60]!r} is no pattern here", error.reason) from None


def matcher(pattern: str, check: Callable[[], None] = lambda: None) -> Callable[[str], bool]:
    """Whether the pattern is found in a text, for one thread: some steps for each character.

    `check` is called before each step that is new, and may raise. Raises Undecidable where the automaton grows too large.
    """
    automaton = PatternAutomaton(parse(pattern))
    moves: dict[tuple[object, int], object] = {}

    def matches(text: str) -> bool:
        nonlocal automaton
        if automaton.size() > _LARGEST // 2:
            automaton = PatternAutomaton(parse(pattern))
            moves.clear()
        state = automaton.start
        for number in numbers_of(text):
            step = (state, number)
            found = moves.get(step)
            if found is None:
                if automaton.certain(state) or automaton.hopeless(state):
                    break
                check()
                if automaton.size() > _LARGEST:
                    raise Undecidable("the pattern has too many states")
                found = automaton.moves(state).at(number)
                if len(moves) < _MOST_KEPT:
                    moves[step] = found
            state = found  # type: ignore[assignment]
        return automaton.accepts(state)

    return matches


def _size(node: Expression) -> int:
    """Parts of a pattern, each counted as often as its counts repeat it."""
    if isinstance(node, syntax.Repetition):
        turns = max(node.least, node.most or 0, 1)
        if turns > _MOST_TURNS:
            raise Undecidable(f"a count is at most {_MOST_TURNS}")
        return turns * _size(node.body) + 1
    if isinstance(node, syntax.Concatenation):
        return 1 + sum(map(_size, node.items))
    if isinstance(node, syntax.Alternation):
        return 1 + sum(map(_size, node.options))
    return 1


def _written(node: Expression) -> str:
    if isinstance(node, syntax.Characters):
        return _class(node.ranges)
    if isinstance(node, syntax.Assertion):
        if node.places not in (START, END):
            raise Undecidable("\\b and \\B are not in the dialect")
        return "^" if node.places == START else "$"
    if isinstance(node, syntax.Concatenation):
        return "(?:" + "".join(map(_written, node.items)) + ")"
    if isinstance(node, syntax.Alternation):
        return "(?:" + "|".join(map(_written, node.options)) + ")"
    if isinstance(node, syntax.Repetition):
        return f"(?:{_written(node.body)}){_turns(node)}"
    raise Undecidable("looking ahead and behind is not in the dialect")


def _turns(node: syntax.Repetition) -> str:
    if node.most is None:
        return f"{{{node.least},}}"
    return f"{{{node.least},{node.most}}}"


def _class(ranges: Ranges) -> str:
    """Characters by their code points, so that neither escaping nor a locale matters. NUL is in no text there."""
    parts = [(max(low, 1), high) for low, high in ranges if high >= 1]
    if not parts:
        return "(?:[^\\u0001-\\U0010FFFF])"
    return "[" + "".join(f"{_code(low)}-{_code(high)}" for low, high in parts) + "]"


def _code(number: int) -> str:
    return f"\\U{ord(character(number)):08X}"
