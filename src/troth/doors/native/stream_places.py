"""How many answers are streamed at once: each holds a connection to the registry as long as its reader takes."""

from __future__ import annotations

from collections import Counter

from troth.errors import Overloaded

#: of all accounts, and of one, so that a slow reader keeps nobody else from having any
MOST, OF_ONE = 4, 2


class StreamPlaces:
    """The places, and who has them. For one thread."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, account_id: str) -> None:
        """Gives the account a place. Raises Overloaded where it has as many as it may, or none is free."""
        if self._taken[account_id] >= OF_ONE:
            raise Overloaded(
                "too many answers are streamed to this account",
                why=f"an account may have {OF_ONE} at once",
                repair="read one of them to its end first, or ask for pages",
            )
        if self._taken.total() >= MOST:
            raise Overloaded(
                "too many answers are streamed",
                why=f"{MOST} are at once",
                repair="try again a little later, or ask for pages",
            )
        self._taken[account_id] += 1

    def leave(self, account_id: str) -> None:
        """Takes a place back."""
        self._taken[account_id] -= 1
        if not self._taken[account_id]:
            del self._taken[account_id]
