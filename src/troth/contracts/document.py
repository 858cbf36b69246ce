"""The stored form of what callers can rely on. Documents carry a format number; later formats never rewrite earlier ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from troth.contracts.examples import check_tolerance
from troth.contracts.schema.acceptance import why_unreadable
from troth.errors import MalformedSource
from troth.versions.permissions import Permissions

FORMAT = 1
_LARGEST = 1 << 20
_MOST_EXAMPLES = 1000
_MOST_NODES, _LONGEST_LIST = 50_000, 500


def contract_document(
    permissions: Permissions,
    given: dict[str, Any] | None = None,
    returned: dict[str, Any] | None = None,
    examples: Sequence[Any] = (),
) -> bytes:
    """The contract of a version: JSON Schemas of its input and output, examples of calls, and its permissions.

    A schema that is null says that callers were promised nothing about that side by machine.
    """
    document: dict[str, Any] = {
        "format": FORMAT,
        "input": given,
        "output": returned,
        "examples": list(examples),
        "permissions": permissions.as_dict(),
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Contract:
    """A stored contract, read: JSON Schemas of input and output, None where there is none, and examples of calls."""

    input: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    examples: tuple[dict[str, Any], ...] = ()

    def schema(self, side: Literal["input", "output"]) -> dict[str, Any] | None:
        """What is promised of one side."""
        return self.input if side == "input" else self.output

    def as_dict(self) -> dict[str, Any]:
        return {"input": self.input, "output": self.output, "examples": list(self.examples)}


def contract_of(document: bytes) -> Contract:
    """The contract that a stored document holds; an empty document promises nothing."""
    found = json.loads(document or b"{}")
    return Contract(found.get("input"), found.get("output"), tuple(found.get("examples", ())))


def with_permissions(document: bytes, permissions: Permissions) -> bytes:
    """The same contract with other permissions: what a build declares, under what it is published with."""
    found = json.loads(document)
    return contract_document(permissions, found["input"], found["output"], found["examples"])


def digest(document: bytes) -> str:
    """SHA-256 of a stored document, in hexadecimal."""
    return hashlib.sha256(document).hexdigest()


def schema_in(path: str, content: bytes) -> dict[str, Any]:
    """The JSON Schema (2020-12) that a file of a source holds, whole: what it refers to is in it. Raises MalformedSource."""
    schema = _json_in(path, content)
    if not isinstance(schema, dict):
        raise _malformed(path, "a schema is a JSON object")
    if not _is_small(schema):
        raise _malformed(path, f"it has at most {_MOST_NODES} values, and {_LONGEST_LIST} in one list")
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        raise _malformed(path, str(getattr(error, "message", "it is nested too deeply"))[:500]) from None
    if why := why_unreadable(schema):
        raise _malformed(path, why)
    return schema


def checked_schema(found: Any) -> dict[str, Any] | None:
    """What a stranger's code gave as its JSON Schema, if it is one; else None, which promises nothing."""
    if not isinstance(found, dict) or not _is_small(found):
        return None
    try:
        Draft202012Validator.check_schema(found)
    except (SchemaError, RecursionError):
        return None
    return None if why_unreadable(found) else found


def examples_in(path: str, content: bytes) -> list[dict[str, Any]]:
    """The examples of calls that a file of a source holds, each `{"input": ..., "output": ..., "tolerance": ...}`.

    The tolerance may be left out (`troth.contracts.examples`). Raises MalformedSource.
    """
    examples = _json_in(path, content)
    shaped = isinstance(examples, list) and all(isinstance(e, dict) and {"input", "output"} <= set(e) for e in examples)
    if not shaped or len(examples) > _MOST_EXAMPLES:
        raise _malformed(path, f'it is a list of at most {_MOST_EXAMPLES} objects with "input" and "output"')
    for example in examples:
        try:
            check_tolerance(example)
        except ValueError as error:
            raise _malformed(path, str(error)) from None
    return list(examples)


def _is_small(document: Any) -> bool:
    """Whether checking it takes little: the time grows with the square of a list's length."""
    nodes, waiting = 0, [document]
    while waiting:
        value = waiting.pop()
        inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        nodes += 1
        if nodes > _MOST_NODES or (isinstance(value, list) and len(value) > _LONGEST_LIST):
            return False
        waiting += inside
    return True


def _json_in(path: str, content: bytes) -> Any:
    if len(content) > _LARGEST:
        raise _malformed(path, f"at most {_LARGEST} bytes are read")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _malformed(path, str(error) or "it is not JSON") from None


def _malformed(path: str, why: str) -> MalformedSource:
    return MalformedSource(f"{path[:200]} is not what [contract] says it is", why=why, repair="mend that file")
