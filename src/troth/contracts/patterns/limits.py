"""What the comparing of patterns may cost. Bounds count states and steps, never seconds: every machine gives one answer."""

from __future__ import annotations

#: Characters of one pattern.
LONGEST_PATTERN = 20_000
#: Groups and repetitions inside each other, those not counted that only wrap a single thing.
DEEPEST_PATTERN = 64
#: Look-ahead and look-behind groups of one pattern.
MOST_LOOKS = 32
#: Characters of a text that is spelled as a witness.
LONGEST_WITNESS = 100_000
#: Alternatives of one language, each a conjunction.
MOST_ALTERNATIVES = 1_000
#: States that one question may visit.
MOST_STATES = 20_000
#: Elementary steps that one question may take, one or two microseconds each.
MOST_STEPS = 300_000


class Undecidable(Exception):
    """A pattern is outside of what is compared exactly, or a question costs more than the bounds allow.

    It never reaches users as an error: who compares contracts answers "cannot tell" with `reason`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """What is left of the states and steps of one question."""

    __slots__ = ("states", "steps")

    def __init__(self, states: int = MOST_STATES, steps: int = MOST_STEPS) -> None:
        self.states = states
        self.steps = steps

    def spent(self) -> int:
        """The steps that are used up, a new state counted as ten of them; of a budget that began in full."""
        return MOST_STEPS - max(self.steps, 0) + 10 * (MOST_STATES - max(self.states, 0))

    def share(self) -> Budget:
        """A tenth of what is left, so that one hard part of a question does not starve the easy ones."""
        return Budget(self.states // 10, self.steps // 10)

    def spend(self, steps: int, states: int = 0) -> None:
        """Take off what was used. Raises Undecidable where nothing is left."""
        self.states -= states
        self.steps -= steps
        if self.states < 0:
            raise Undecidable(f"the patterns have more than {MOST_STATES} states together")
        if self.steps < 0:
            raise Undecidable(f"comparing the patterns takes more than {MOST_STEPS} steps")
