"""What a function promises its callers, as far as its annotations say."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, TypeAlias

from troth.authoring.reading import Reader, document, hints_of
from troth.authoring.shapes import Shape

#: JSON Schemas under "input" and "output", or None where nothing is promised.
Contract: TypeAlias = dict[str, Any]


def schemas_of(function: Callable[..., Any]) -> Contract:
    """The contract of a function of one input, which gets its input as it came."""

    def shape(name: str) -> Shape:
        return Reader().read(hints_of(function)[name])

    return {
        "input": described(lambda: shape(next(iter(inspect.signature(function).parameters)))),
        "output": described(lambda: shape("return"), result=True),
    }


def described(shape: Callable[[], Shape], *, result: bool = False) -> dict[str, Any] | None:
    """The schema of a shape; None where there is none, or none that JSON can carry.

    Asking runs the author's code and that of their libraries, which can fail in any way; a version without schemas is
    still a version.
    """
    try:
        schema = document(shape(), result=result)
        json.dumps(schema, allow_nan=False)
        return schema
    except Exception:
        return None
