"""OpenAPI documents of API versions compared in a process of its own, which is ended when it takes too long.

Documents are strangers'. What the process did not answer was not proved.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any, Final

from troth.commands.answering import whole_lines
from troth.contracts.bulk import answered
from troth.contracts.unfinished import unfinished

_MEMORY: Final = 2 << 30
_SECONDS: Final = 60.0


def documents_compared(old: Any, new: Any, seconds: float = _SECONDS) -> dict[str, Any]:
    """The answer of the checker to two OpenAPI documents: `verdict`, `changes`, and `fault` where one is none. Blocks."""
    lines = whole_lines(__name__, json.dumps({"old": old, "new": new}).encode(), seconds)
    if not lines:
        words = f"comparing them took longer than {seconds:g} seconds, or more memory than is spent on it"
        return unfinished("openapi", words).as_dict()
    told: dict[str, Any] = json.loads(lines[0])
    return told


def main() -> None:
    """Answers the pair on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(json.dumps(answered("openapi", json.load(sys.stdin))))
