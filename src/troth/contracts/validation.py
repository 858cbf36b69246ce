"""JSON Schema (2020-12) as others check it: jsonschema's validator, with the ends of patterns that ECMA-262 has.

There `$` is the end of the text. To Python it is before a last end of line too, so that `"a\\n"` would fit `^a$`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

_USUAL: Final = Draft202012Validator.VALIDATORS
#: What is escaped, a class of characters, or an end.
_PIECE: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


@lru_cache(maxsize=1024)
def _exact(pattern: str) -> str:
    """A pattern that means to Python what this one means to ECMA-262, as far as its ends go."""
    return _PIECE.sub(lambda piece: r"\Z" if piece[0] == "$" else piece[0], pattern)


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not re.search(_exact(pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    exact = {_exact(pattern): inner for pattern, inner in patterns.items()}
    yield from _USUAL["patternProperties"](validator, exact, value, schema) or ()


def _additional(validator: Any, additional: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if patterns := schema.get("patternProperties"):
        schema = {**schema, "patternProperties": {_exact(pattern): inner for pattern, inner in patterns.items()}}
    yield from _USUAL["additionalProperties"](validator, additional, value, schema) or ()


_Validator: Final[type[Draft202012Validator]] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional},
)


def validator_of(schema: Any) -> Draft202012Validator:
    """The validator of a schema, which is read as one of 2020-12 whatever its `$schema` says."""
    if isinstance(schema, dict):
        # where a reference leads back to one, jsonschema would go on with its own validator
        schema = {key: value for key, value in schema.items() if key != "$schema"}
    return _Validator(schema)
