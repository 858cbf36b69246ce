"""The schemas of OpenAPI 3.0 and 3.1 as JSON Schemas 2020-12 that stand alone, as they hold for one message.

A schema means two things: what is sent leaves out what is read only, and what is received leaves out what is write
only (OpenAPI 3.0.3 and 3.1.0, Schema Object, readOnly and writeOnly).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from troth.contracts.openapi.document import OLDER, Document, is_remote
from troth.contracts.openapi.text import UnreadableDocument, escaped

Message = Literal["request", "response"]
#: whether a schema says what may be sent (the narrow side of a comparison) or what is understood (the wide side)
Reach = Literal["sent", "understood"]

_ONE: Final = frozenset(
    [
        "items",
        "additionalProperties",
        "not",
        "if",
        "then",
        "else",
        "contains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
#: Keywords that say nothing about which values are valid.
ANNOTATIONS: Final = frozenset(
    [
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "xml",
        "externalDocs",
        "discriminator",
        "$comment",
        "$anchor",
        "$dynamicAnchor",
        "$id",
        "$schema",
        "nullable",
        "contentMediaType",
        "contentEncoding",
        "contentSchema",
    ]
)
#: What a schema of OpenAPI 3.0 may say; everything else in it is not defined (OpenAPI 3.0.3, Schema Object).
_OLDER: Final = frozenset(
    [
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxProperties",
        "minProperties",
        "required",
        "enum",
        "type",
        "allOf",
        "oneOf",
        "anyOf",
        "not",
        "items",
        "properties",
        "additionalProperties",
        "format",
    ]
)


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of one document as they hold for one message and reach."""

    document: Document
    message: Message
    reach: Reach
    _parts: dict[str, tuple[Any, frozenset[str], str]] = field(default_factory=dict)
    _closures: dict[frozenset[str], dict[str, str]] = field(default_factory=dict)

    def whole(self, schema: Any, place: str) -> Whole:
        """A schema with everything that its references lead to."""
        converted, references = self._converted(schema, place)
        return Whole(converted, references, self)

    def part(self, reference: str, place: str) -> tuple[Any, frozenset[str], str]:
        """What a reference leads to: the schema, its own references, and a digest of its text."""
        if reference not in self._parts:
            converted, references = self._converted(self.document.at(reference, place), reference[1:])
            self._parts[reference] = (converted, references, _digest(converted))
        return self._parts[reference]

    def closure(self, references: frozenset[str], place: str = "") -> dict[str, str]:
        """Everything that is reached by `references`, each with the digest of its text."""
        if references not in self._closures:
            found: dict[str, str] = {}
            waiting = list(references)
            while waiting:
                reference = waiting.pop()
                if reference not in found:
                    _, more, found[reference] = self.part(reference, place)
                    waiting += more
            self._closures[references] = found
        return self._closures[references]

    def _converted(self, schema: Any, place: str) -> tuple[Any, frozenset[str]]:
        references: set[str] = set()
        return self._schema(schema, place, references), frozenset(references)

    def _schema(self, schema: Any, place: str, references: set[str]) -> Any:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, dict):
            raise UnreadableDocument("a schema is an object", place)
        older = self.document.version == OLDER
        if isinstance(schema.get("$ref"), str) and older:
            return self._reference(schema["$ref"], references)
        found: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword == "$ref" and isinstance(value, str):
                self._beside(found, self._reference(value, references))
            elif keyword not in ANNOTATIONS and not keyword.startswith("x-") and (not older or keyword in _OLDER):
                found[keyword] = self._keyword(keyword, value, f"{place}/{escaped(keyword)}", references)
        if older:
            _as_newer(found, schema)
        self._by_message(found, schema)
        return found

    @staticmethod
    def _beside(found: dict[str, Any], reference: Any) -> None:
        found.update(reference if isinstance(reference, dict) else {})

    def _reference(self, reference: str, references: set[str]) -> Any:
        if is_remote(reference):
            return True
        references.add(reference)
        return {"$ref": f"#/$defs/{escaped(reference)}"}

    def _keyword(self, keyword: str, value: Any, place: str, references: set[str]) -> Any:
        if keyword in _ONE:
            return self._schema(value, place, references)
        if keyword in _LISTS:
            if not isinstance(value, list):
                raise UnreadableDocument("it has to be a list of schemas", place)
            return [self._schema(one, f"{place}/{index}", references) for index, one in enumerate(value)]
        if keyword in _MAPS:
            if not isinstance(value, dict):
                raise UnreadableDocument("it has to be an object that holds schemas", place)
            return {name: self._schema(one, f"{place}/{escaped(name)}", references) for name, one in value.items()}
        return value

    def _by_message(self, found: dict[str, Any], schema: dict[str, Any]) -> None:
        """Takes out of an object what does not belong into this message."""
        flag = "readOnly" if self.message == "request" else "writeOnly"
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return
        absent = {name for name, one in properties.items() if self.flagged(one, flag)}
        if not absent:
            return
        for name in absent:
            found["properties"][name] = self.reach == "understood"
        if isinstance(found.get("required"), list):
            found["required"] = [name for name in found["required"] if name not in absent]
            if not found["required"]:
                del found["required"]

    def flagged(self, schema: Any, flag: str) -> bool:
        """Whether a property is marked `readOnly` or `writeOnly`, by itself or where its reference leads."""
        for _ in range(20):
            if not isinstance(schema, dict):
                return False
            if schema.get(flag) is True and (self.document.version != OLDER or "$ref" not in schema):
                return True
            reference = schema.get("$ref")
            if not isinstance(reference, str) or is_remote(reference):
                return False
            schema = self.document.at(reference, "")
        return False


@dataclass(frozen=True, slots=True)
class Whole:
    """A schema, and the references in it, by which all that it needs is found."""

    schema: Any
    references: frozenset[str]
    schemas: Schemas

    def standing_alone(self) -> Any:
        """The schema as a JSON Schema document of its own."""
        closure = self.schemas.closure(self.references)
        if not closure:
            return self.schema
        own = (
            {"allOf": [self.schema]}
            if not isinstance(self.schema, dict) or "$defs" in self.schema
            else dict(self.schema)
        )
        return {**own, "$defs": {reference: self.schemas.part(reference, "")[0] for reference in closure}}

    def is_same_text(self, other: Whole) -> bool:
        """Whether two schemas say the same in the same words."""
        if self.schema != other.schema or type(self.schema) is not type(other.schema):
            return False
        if _digest(self.schema) != _digest(other.schema):
            return False  # 1 and true are equal to Python
        return self.schemas.closure(self.references) == other.schemas.closure(other.references)

    def followed(self) -> Whole:
        """The schema that a schema of nothing but a reference stands for."""
        current = self
        for _ in range(20):
            schema = current.schema
            if not (isinstance(schema, dict) and set(schema) == {"$ref"} and len(current.references) == 1):
                return current
            converted, references, _ = self.schemas.part(next(iter(current.references)), "")
            current = Whole(converted, references, self.schemas)
        return current

    def inner(self, schema: Any) -> Whole:
        """A part of this schema as one of its own."""
        return Whole(schema, frozenset(_named(schema)), self.schemas)


def _named(schema: Any) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            reference = current.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/$defs/"):
                yield reference.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current


def _digest(schema: Any) -> str:
    return hashlib.sha256(json.dumps(schema, sort_keys=True, default=str).encode()).hexdigest()


# --- OpenAPI 3.0 as 2020-12


def _as_newer(found: dict[str, Any], schema: dict[str, Any]) -> None:
    for bound in ("Minimum", "Maximum"):
        exclusive = found.pop(f"exclusive{bound}", False)
        if exclusive is True and bound.lower() in found:
            found[f"exclusive{bound}"] = found.pop(bound.lower())
        elif not isinstance(exclusive, bool):
            found[f"exclusive{bound}"] = exclusive
    kind = found.get("type")
    if schema.get("nullable") is True and isinstance(kind, str):
        found["type"] = [kind, "null"]
