"""What a mutant is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Mutant:
    """One way to break the product: what is wrong then, and the patch that makes it so."""

    name: str
    fault: str
    apply: Callable[[], None]


def replace_attribute(owner: Any, name: str, value: Any) -> None:
    """Replaces an attribute for the rest of the process."""
    patch.object(owner, name, value).start()
