"""Whether a stranger's schema accepts a value: validated in counted steps, with no pattern that backtracks and nothing fetched."""

from __future__ import annotations

from typing import Final

from troth.contracts.schema import unevaluated  # noqa: F401  adds its keywords to the readers
from troth.contracts.schema.answers import Bounds, Json
from troth.contracts.schema.documents import Document
from troth.contracts.schema.evaluation import Evaluator
from troth.contracts.schema.remembering import weight
from troth.contracts.schema.steps import Steps
from troth.errors import MalformedSchema

#: Steps of one validation, and those that each value within the value adds.
_STEPS: Final = 200_000
_STEPS_EACH: Final = 50


def accepts(schema: Json, value: Json) -> bool | None:
    """Whether `value` is valid under `schema`; None where that is not understood, or takes more than is spent on it."""
    try:
        evaluator = Evaluator(Document(schema, None, Bounds()), steps=Steps(_STEPS + _STEPS_EACH * weight(value)))
        return evaluator.valid(value)
    except Exception:  # whatever it stumbles over, nothing was found out
        return None


def why_unreadable(schema: Json) -> str:
    """Why nothing can be validated under a schema, with the place: a reference to another document, say; else nothing."""
    try:
        Document(schema, None, Bounds())
    except MalformedSchema as error:
        return f"{error.what}: {error.why}"
    except RecursionError:
        return "it is nested too deeply"
    return ""
