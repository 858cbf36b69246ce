"""Types of pydantic and msgspec, where the author's environment has them: those libraries convert and describe them.

Neither is imported here. A class of pydantic shows by its methods what it is, and msgspec was imported by whoever wrote a
Struct.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from troth.authoring.definitions import Definitions, Schema
from troth.authoring.mismatch import InputError, shown
from troth.authoring.shapes import Shape


def model_of(kind: type) -> Shape | None:
    """The shape of a model class, or None for any other class."""
    if hasattr(kind, "model_validate") and hasattr(kind, "model_json_schema"):
        return PydanticModel(kind)
    msgspec = sys.modules.get("msgspec")
    return MsgspecStruct(kind, msgspec) if msgspec is not None and issubclass(kind, msgspec.Struct) else None


class PydanticModel(Shape):
    """A BaseModel of pydantic."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self.expected = f"an object ({kind.__name__})"

    def convert(self, value: Any) -> Any:
        try:
            return self._kind.model_validate(value)
        except ValueError as error:
            raise _of_pydantic(error) from error

    def schema(self, definitions: Definitions) -> Schema:
        described = self._kind.model_json_schema(mode="serialization" if definitions.result else "validation")
        components = described.pop("$defs", {})
        return definitions.adopt(self._kind, described, components)


def _of_pydantic(error: ValueError) -> InputError:
    """The first thing that pydantic found; its `loc` leads there."""
    try:
        first = error.errors()[0]  # type: ignore[attr-defined]
        return InputError(f"{first['msg']}, got {shown(first['input'])}", tuple(first["loc"]))
    except (AttributeError, LookupError, TypeError):
        return InputError(str(error))


class MsgspecStruct(Shape):
    """A Struct of msgspec."""

    def __init__(self, kind: type, msgspec: Any) -> None:
        self._kind = kind
        self._msgspec = msgspec
        self.expected = f"an object ({kind.__name__})"

    def convert(self, value: Any) -> Any:
        try:
            return self._msgspec.convert(value, self._kind)
        except self._msgspec.ValidationError as error:
            raise _of_msgspec(str(error)) from error

    def schema(self, definitions: Definitions) -> Schema:
        (described,), components = self._msgspec.json.schema_components((self._kind,), ref_template="#/$defs/{name}")
        return definitions.adopt(self._kind, described, components)


def _of_msgspec(message: str) -> InputError:
    """msgspec writes the place behind its words, as in "Expected `int`, got `str` - at `$.items[0].price`"."""
    words, _, place = message.partition(" - at `$")
    keys = re.findall(r"\.([^.\[`]+)|\[([^\]]*)\]", place)
    return InputError(words, tuple(name or place for name, place in keys))
