"""`Algorithmia`, for algorithms whose environment has no client of that name: the kit, and errors that say what is missing."""

from __future__ import annotations

from typing import Any, NoReturn

from adk import ADK  # type: ignore[import-not-found]  # the one beside this file, by the worker's own finder

__all__ = ["ADK", "client"]

_MISSING = "the environment of this version has no Algorithmia client: add algorithmia to its dependencies"


def client(*arguments: Any, **options: Any) -> NoReturn:
    """Would be a client of the platform."""
    raise RuntimeError(_MISSING)


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"Algorithmia.{name} is not here: {_MISSING}")
