"""OpenAPI documents of API versions compared in a process of its own, which is ended when it takes too long.

Documents are strangers'. What the process did not answer was not proved.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any, Final

from troth.contracts.bulk import answered
from troth.contracts.unfinished import unfinished

_MEMORY: Final = 2 << 30
_SECONDS: Final = 60.0
#: A checker of formats takes seconds to import, and formats are annotations here.
_PROGRAM: Final = """\
import sys
sys.modules["rfc3987_syntax"] = None
from troth.commands.api_comparing import main
main()
"""


def documents_compared(old: Any, new: Any, seconds: float = _SECONDS) -> dict[str, Any]:
    """The answer of the checker to two OpenAPI documents: `verdict`, `changes`, and `fault` where one is none. Blocks."""
    question = json.dumps({"old": old, "new": new}).encode()
    command = [sys.executable, "-I", "-c", _PROGRAM]
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, timeout=seconds, env={}, cwd="/", start_new_session=True
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return unfinished("openapi", f"it took longer than {seconds:g} seconds").as_dict()
    except ValueError:
        return unfinished("openapi", "the process that compared them ended").as_dict()
    return told


def main() -> None:
    """Answers the pair on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(json.dumps(answered("openapi", json.load(sys.stdin))))
