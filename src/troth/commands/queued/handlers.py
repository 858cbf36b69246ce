"""Who handles a command: an algorithm, called in the name of who set it up, or a command of troth's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Protocol

from troth.access.scopes import Scope
from troth.errors import Malformed

#: The account whose commands are troth's own; no other may have this name.
OWN: Final = "troth/"
#: Commands of troth's own with a secret in the payload or in the first reply: they are never queued.
SECRET: Final = frozenset({"create_alert_hook", "create_calendar", "create_key", "rotate_key", "set_secret"})
_REFERENCE = re.compile(r"(?:algo://)?[A-Za-z0-9_]{1,63}/[A-Za-z0-9_]{1,63}(?:/[A-Za-z0-9.*]{1,60})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Definer:
    """In whose name a handler runs: who published it, with what their key was for."""

    account_id: str
    scope: Scope


class CallAlgorithm(Protocol):
    """Calls an algorithm, for who cannot know of routes and engines."""

    async def __call__(self, reference: str, by: Definer, given: Any, *, seconds: float, keyed: bool) -> Any:
        """The result. Without `keyed` the algorithm has no key, and reaches no data and no other algorithm.

        Raises NotFound where the reference leads nowhere for who set it up, CallFailed where the algorithm failed, and
        Unavailable where it could not be called now.
        """
        ...


def check_handler(reference: str) -> str:
    """A reference of a handler in its short form. Raises Malformed."""
    if not _REFERENCE.fullmatch(reference):
        raise Malformed(
            f"{reference[:80]!r} is not a handler",
            why="a handler is an algorithm, OWNER/NAME or OWNER/NAME/VERSION, or troth/COMMAND",
            repair="name one of them",
            asked=reference[:200],
        )
    return reference.removeprefix("algo://")
