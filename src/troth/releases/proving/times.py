"""How long each migration of a run took, as its tool printed it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

#: What the runners here print, and a project's own command may.
_OURS: Final = re.compile(r"^troth-migration (\S+) (\d{1,9}(?:\.\d{1,9})?)\r?$", re.MULTILINE)
#: What Django prints at verbosity 2.
_DJANGO: Final = re.compile(r"^\s*Applying (\S+?)\.\.\. OK \((\d{1,9}\.\d{1,9})s\)\r?$", re.MULTILINE)


def times(output: bytes, known: Collection[str]) -> dict[str, float]:
    """Seconds of those of the `known` migrations that the output tells of, in the order in which they were run."""
    text = output.decode(errors="replace")
    told = [*_OURS.findall(text), *_DJANGO.findall(text)]
    return {name: float(seconds) for name, seconds in told if name in known}
