"""The schemas of OpenAPI 3.0 and 3.1 as JSON Schemas 2020-12 that stand alone, as they hold for one message.

A schema means two things: what is sent leaves out what is read only, and what is received leaves out what is write
only (OpenAPI 3.0.3 and 3.1.0, Schema Object, readOnly and writeOnly).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from troth.contracts.openapi.digests import Digests, digest
from troth.contracts.openapi.document import OLDER, Document, is_remote
from troth.contracts.openapi.text import UnreadableDocument, escaped

Message = Literal["request", "response"]
#: Names the properties of an object that do not belong into the message; no keyword of a document has this name.
LEFT_OUT: Final = "x-troth-left-out"

_ONE: Final = frozenset({
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems",
    "unevaluatedProperties",
})  # fmt: skip
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
#: Keywords that are not compared.
_SILENT: Final = frozenset({
    "title", "description", "example", "examples", "readOnly", "writeOnly", "externalDocs", "$comment",
    "$anchor", "$id", "$schema", "nullable",
})  # fmt: skip
#: Keywords that say nothing about which values are valid, and yet something to who sends or reads them.
HINTS: Final = frozenset({
    "default", "deprecated", "discriminator", "format", "xml", "contentMediaType", "contentEncoding", "contentSchema",
})  # fmt: skip
#: What a schema of OpenAPI 3.0 may say; everything else in it is not defined (OpenAPI 3.0.3, Schema Object).
_OLDER: Final = frozenset({
    "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
    "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "enum", "type", "allOf",
    "oneOf", "anyOf", "not", "items", "properties", "additionalProperties", "format", "default", "deprecated",
    "discriminator", "xml",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of one document as they hold for one message."""

    document: Document
    message: Message
    _parts: dict[str, tuple[Any, frozenset[str], str]] = field(default_factory=dict)
    _closures: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict)
    digests: Digests = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digests", Digests(lambda reference: self.part(reference, "")[1:]))

    def whole(self, schema: Any, place: str) -> Whole:
        """A schema with everything that its references lead to."""
        converted, references = self._converted(schema, place)
        return Whole(converted, references, self)

    def part(self, reference: str, place: str) -> tuple[Any, frozenset[str], str]:
        """What a reference leads to: the schema, its own references, and a digest of its text."""
        if reference not in self._parts:
            converted, references = self._converted(self.document.at(reference, place), reference[1:])
            self._parts[reference] = (converted, references, digest(converted))
        return self._parts[reference]

    def closure(self, references: frozenset[str]) -> tuple[str, ...]:
        """Everything that is reached by `references`."""
        if references not in self._closures:
            found: dict[str, None] = {}
            waiting = sorted(references)
            while waiting:
                reference = waiting.pop()
                if reference not in found:
                    found[reference] = None
                    waiting += sorted(self.part(reference, "")[1])
            self._closures[references] = tuple(found)
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
            elif keyword not in _SILENT and not keyword.startswith("x-") and (not older or keyword in _OLDER):
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
        if keyword in _ONE and not isinstance(value, list):
            return self._schema(value, place, references)
        if keyword in _LISTS or keyword in _ONE:
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
        found[LEFT_OUT] = sorted(absent)
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


@dataclass(frozen=True)
class Whole:
    """A schema, and the references in it, by which all that it needs is found."""

    schema: Any
    references: frozenset[str]
    schemas: Schemas
    #: whether this is a property that does not belong into the message
    left_out: bool = False

    @cached_property
    def digest(self) -> str:
        """Names the schema with everything that it needs: who has the same says the same in the same words."""
        return digest([self.schema, self.schemas.digests.of(self.references)])

    def standing_alone(self) -> Any:
        """The schema as a JSON Schema document of its own, with the marks of what is left out."""
        closure = self.schemas.closure(self.references)
        found = self.schema
        if closure:
            own = dict(found) if isinstance(found, dict) and "$defs" not in found else {"allOf": [found]}
            found = {**own, "$defs": {reference: self.schemas.part(reference, "")[0] for reference in closure}}
        return found

    def shared_with(self, other: Whole) -> frozenset[str]:
        """The references that lead to the same in both."""
        own, others = (dict(one.schemas.digests.of(one.schemas.closure(one.references))) for one in (self, other))
        return frozenset(reference for reference, said in own.items() if others.get(reference) == said)

    def followed(self) -> Whole:
        """The schema that a schema of nothing but a reference stands for, whatever it defines beside it."""
        current = self
        for _ in range(20):
            reference = _only_reference(current.schema)
            if reference is None:
                return current
            converted, references, _ = self.schemas.part(reference, "")
            current = Whole(converted, references, self.schemas)
        return current

    def inner(self, schema: Any, left_out: bool = False) -> Whole:
        """A part of this schema as one of its own."""
        return Whole(schema, frozenset(_named(schema)), self.schemas, left_out)


def _only_reference(schema: Any) -> str | None:
    """The reference of a schema that says nothing else; definitions say nothing, unless the reference depends on the way to it."""
    if not (isinstance(schema, dict) and "$ref" in schema and schema.keys() <= {"$ref", "$defs"}):
        return None
    if "$dynamicAnchor" in repr(schema.get("$defs", "")):
        return None
    return next(_named({"$ref": schema["$ref"]}), None)


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
