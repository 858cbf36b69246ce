"""Typed algorithms: `@algorithm` turns a function with annotations into one that takes and gives JSON.

Standard library only, and nothing of troth beside this package: workers import it among an author's libraries. An author
imports `algorithm` from `troth`, on a laptop as in a worker.
"""

from troth.authoring.contract import schemas_of
from troth.authoring.declaration import algorithm
from troth.authoring.functions import TypedFunction, typed_function_of
from troth.authoring.mismatch import InputError
from troth.authoring.plain import plain
from troth.authoring.reading import Unsupported, convert, schema_of

__all__ = [
    "InputError",
    "TypedFunction",
    "Unsupported",
    "algorithm",
    "convert",
    "plain",
    "schema_of",
    "schemas_of",
    "typed_function_of",
]
