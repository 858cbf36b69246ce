"""A schema document, read with distrust: its dialect, its places, and where its references lead. Nothing is fetched.

Sources: JSON Schema 2020-12 core, 8 (identifiers, references) and 9.4 (loading, recursion); draft-07 core, 8.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

from jsonschema_specifications import REGISTRY as SPECIFICATIONS  # type: ignore[import-untyped]

from troth.contracts.schema.answers import Bounds, Dialect, Json
from troth.contracts.schema.keywords import COMMENTS, IN_PLACE, misshapen, step, subschemas
from troth.contracts.schema.values import key
from troth.errors import MalformedSchema

Schema: TypeAlias = "dict[str, Json] | bool"
_Way: TypeAlias = Any  # (way of the parent, last step), or None


@dataclass(slots=True)
class Resource:
    """A schema with an identifier of its own (2020-12 core, 4.3.5): what is inside is resolved against `uri`."""

    uri: str
    root: Schema
    pointer: str
    anchors: dict[str, Schema] = field(default_factory=dict)
    dynamic: dict[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subschema stands."""

    schema: Schema
    pointer: str
    resource: Resource


def malformed(pointer: str, what: str, why: str, repair: str = "mend the schema") -> MalformedSchema:
    """The error for a schema that cannot be compared, with the place."""
    shown = pointer if len(pointer) <= 200 else f"{pointer[:200]}..."
    return MalformedSchema(f"at #{shown}: {what}"[:500], why=why, repair=repair, found=f"#{shown}")


class Document:
    """One schema with all that is inside. Raises MalformedSchema unless each keyword has the shape that its draft gives it
    and each reference leads to a schema of this document."""

    def __init__(self, root: Json, dialect: Dialect | None, bounds: Bounds) -> None:
        self.size = _measure(root, bounds)
        self.root: Schema = _copied(root)
        self.places: dict[int, Place] = {}
        self._resources: dict[str, Resource] = {}
        self._targets: dict[int, Schema] = {}
        self._doubled: set[tuple[str, str]] = set()  # resources and anchors that name two schemas
        if not isinstance(self.root, dict | bool):
            raise malformed("", "a schema is an object, true or false", "JSON Schema 2020-12 core, 4.3")
        self.dialect = _dialect_of(self.root, dialect or Dialect.DRAFT_2020_12, "")
        self._walk(self.root, "", Resource("", self.root, ""))
        for place in list(self.places.values()):
            for keyword in ("$ref", "$dynamicRef"):
                self._check_reference(place, keyword)
        self._refuse_endless()

    def same_as(self, other: Document) -> bool:
        """Whether both documents say the same text by text, annotations apart."""
        return self.dialect is other.dialect and self._bare(self.root) == other._bare(other.root)

    def bare(self, schema: Schema) -> Hashable:
        """Something that is equal for schemas that say the same, annotations apart, wherever they stand."""
        text = self._bare(schema)
        return (self.dialect, text, self._bare(self.root) if _refers(schema) else None)

    def _bare(self, value: Json) -> Hashable:
        if isinstance(value, dict):
            known = id(value) in self.places
            left = [name for name in value if not (known and name in COMMENTS)]
            return ("object", frozenset((name, self._bare(value[name])) for name in left))
        return ("array", *map(self._bare, value)) if isinstance(value, list) else key(value)

    def place(self, schema: Schema) -> Place:
        """Where a schema object of this document stands."""
        return self.places[id(schema)]

    def resolve(self, schema: Schema) -> Schema:
        """The schema that `$ref` leads to."""
        assert isinstance(schema, dict)
        if id(schema) not in self._targets:
            self._targets[id(schema)] = self._target(self.place(schema), schema["$ref"])
        return self._targets[id(schema)]

    def resolve_dynamic(self, schema: Schema) -> Schema | None:
        """The schema that `$dynamicRef` leads to, where that is the same for every instance; else None (core, 8.2.3.2).

        Validation begins in the outermost resource. So where that has the anchor, it is the one that is meant.
        """
        assert isinstance(schema, dict)
        target = self._target(self.place(schema), schema["$dynamicRef"])
        fragment = urldefrag(schema["$dynamicRef"])[1]
        if not isinstance(target, dict) or target.get("$dynamicAnchor") != fragment:
            return target
        rivals = [resource.dynamic[fragment] for resource in self._resources.values() if fragment in resource.dynamic]
        outermost = self.place(self.root).resource.dynamic.get(fragment)
        return target if len(rivals) == 1 else outermost

    def in_place(self, schema: Schema) -> Iterator[Schema]:
        """The schemas that are applied to the same instance as `schema`."""
        if isinstance(schema, bool):
            return
        dialect = self.dialect
        if "$ref" in schema:
            yield self.resolve(schema)
            if dialect is Dialect.DRAFT_7:
                return
        if "$dynamicRef" in schema and dialect is Dialect.DRAFT_2020_12:
            target = self.resolve_dynamic(schema)
            if target is not None:
                yield target
        for keyword, inner, _ in subschemas(schema, dialect):
            if keyword in IN_PLACE:
                yield inner

    def _walk(self, root: Schema, pointer: str, resource: Resource) -> None:
        waiting = [(root, pointer, resource)]
        while waiting:
            schema, pointer, resource = waiting.pop()
            if isinstance(schema, dict):
                resource = self._identified(schema, pointer, resource)
                fault = misshapen(schema, self.dialect)
                if fault:
                    raise malformed(f"{pointer}/{fault[0]}", fault[1], f"the schema of {self.dialect} says so")
            elif resource.uri not in self._resources:
                self._resources[resource.uri] = resource
            self.places[id(schema)] = Place(schema, pointer, resource)
            if isinstance(schema, dict):
                waiting += [
                    (inner, f"{pointer}{step}", resource) for _, inner, step in subschemas(schema, self.dialect)
                ]

    def _identified(self, schema: dict[str, Json], pointer: str, resource: Resource) -> Resource:
        """The resource that `schema` belongs to: a new one where it has an `$id`; and its anchors."""
        old_draft = self.dialect is Dialect.DRAFT_7
        name = schema.get("$id", "") if not (old_draft and "$ref" in schema) else ""
        if not isinstance(name, str):
            raise malformed(f"{pointer}/$id", "$id is a string", "JSON Schema core, 8.2")
        uri, fragment = urldefrag(_joined(resource.uri, name, pointer))
        if schema is resource.root or (name and uri != resource.uri):
            if _dialect_of(schema, self.dialect, pointer) is not self.dialect:
                raise malformed(f"{pointer}/$schema", "a document has one dialect", "two at once are not compared")
            resource = Resource(uri, schema, pointer)
            if self._resources.setdefault(uri, resource) is not resource:
                self._doubled.add((uri, ""))
        if old_draft and fragment:
            self._anchor(resource, fragment, schema)
        for keyword in ("$anchor", "$dynamicAnchor") if self.dialect is Dialect.DRAFT_2020_12 else ():
            if isinstance(schema.get(keyword), str):
                self._anchor(resource, schema[keyword], schema)
        if self.dialect is Dialect.DRAFT_2020_12 and isinstance(schema.get("$dynamicAnchor"), str):
            resource.dynamic[schema["$dynamicAnchor"]] = schema
        return resource

    def _anchor(self, resource: Resource, name: str, schema: Schema) -> None:
        if resource.anchors.setdefault(name, schema) is not schema:
            self._doubled.add((resource.uri, name))

    def _check_reference(self, place: Place, keyword: str) -> None:
        schema = place.schema
        old_draft = self.dialect is Dialect.DRAFT_7
        if isinstance(schema, dict) and keyword in schema and not (old_draft and keyword != "$ref"):
            self._target(place, schema[keyword])

    def _target(self, place: Place, reference: str) -> Schema:
        uri, fragment = urldefrag(_joined(place.resource.uri, reference, place.pointer))
        resource = self._resources.get(uri) or self._of_the_drafts(uri)
        if resource is None:
            raise malformed(
                f"{place.pointer}/$ref",
                f"{reference[:200]!r} is no schema of this document",
                "references to other documents are never fetched",
                "put the schema under $defs and refer to it there",
            )
        pointed = fragment.startswith("/") or not fragment
        if (uri, "" if pointed else unquote(fragment)) in self._doubled:
            raise malformed(
                f"{place.pointer}/$ref", f"{reference[:200]!r} names two schemas", "JSON Schema 2020-12 core, 8.2.1"
            )
        if pointed:
            return self._at(resource, unquote(fragment), place, reference)
        if unquote(fragment) not in resource.anchors:
            raise _dangling(place, reference)
        return resource.anchors[unquote(fragment)]

    def _of_the_drafts(self, uri: str) -> Resource | None:
        """A meta-schema: those come with the validator, so that nothing has to be fetched."""
        known = SPECIFICATIONS.get(uri)
        if known is None or (known.contents.get("$id") or "").rstrip("#") != uri:
            return None
        root = _copied(known.contents)
        self._walk(root, f"<{uri}>", Resource(uri, root, f"<{uri}>"))
        for place in [place for place in self.places.values() if place.resource.uri == uri]:
            for keyword in ("$ref", "$dynamicRef"):
                self._check_reference(place, keyword)
        return self._resources[uri]

    def _at(self, resource: Resource, pointer: str, place: Place, reference: str) -> Schema:
        found: Json = resource.root
        for raw in pointer.split("/")[1:]:
            name = raw.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise _dangling(place, reference)
        if not isinstance(found, dict | bool):
            raise _dangling(place, reference)
        if isinstance(found, dict) and id(found) not in self.places:
            self._walk(found, f"{resource.pointer}{pointer}", resource)
            for inner in list(self.places.values()):
                self._check_reference(inner, "$ref")
        return found  # type: ignore[no-any-return]

    def _refuse_endless(self) -> None:
        """Refuses a schema that applies itself to the same instance: that has no meaning (core, 9.4.1)."""
        done: set[int] = set()
        for start in list(self.places.values()):
            path: list[tuple[Schema, Iterator[Schema]]] = [(start.schema, self.in_place(start.schema))]
            open_: set[int] = {id(start.schema)}
            while path and id(start.schema) not in done:
                inner = next(path[-1][1], None)
                if inner is None:
                    open_.discard(id(path[-1][0]))
                    done.add(id(path.pop()[0]))
                elif isinstance(inner, dict) and id(inner) in open_:
                    pointer = self.place(inner).pointer
                    raise malformed(
                        pointer, "the schema refers to itself without end", "JSON Schema 2020-12 core, 9.4.1"
                    )
                elif isinstance(inner, dict) and id(inner) not in done:
                    open_.add(id(inner))
                    path.append((inner, self.in_place(inner)))


def _refers(value: Json) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or "$dynamicRef" in value or any(map(_refers, value.values()))
    return isinstance(value, list) and any(map(_refers, value))


def _joined(base: str, reference: str, pointer: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        raise malformed(pointer, f"{reference[:200]!r} is no URI reference", "RFC 3986") from None


def _dangling(place: Place, reference: str) -> MalformedSchema:
    return malformed(
        f"{place.pointer}/$ref", f"{reference[:200]!r} leads to no schema", "JSON Schema 2020-12 core, 8.2.3"
    )


def _dialect_of(schema: Schema, otherwise: Dialect, pointer: str) -> Dialect:
    named = schema.get("$schema") if isinstance(schema, dict) else None
    if named is None:
        return otherwise
    for dialect in Dialect:
        if isinstance(named, str) and named.rstrip("#") == dialect.value.rstrip("#"):
            return dialect
    raise malformed(
        f"{pointer}/$schema",
        f"{str(named)[:200]!r} is no dialect that is read here",
        "draft-07 and 2020-12 are",
        f"translate the schema to {Dialect.DRAFT_2020_12}",
    )


def _measure(root: Json, bounds: Bounds) -> int:
    """How many values there are. Refuses documents that are too deep, too large, or no JSON, without recursion."""
    waiting: list[tuple[Json, _Way, int]] = [(root, None, 0)]
    nodes = 0
    while waiting:
        value, way, level = waiting.pop()
        nodes += 1
        if level > bounds.levels or nodes > bounds.nodes:
            limit = f"{bounds.levels} levels" if level > bounds.levels else f"{bounds.nodes} values"
            raise malformed(
                _said(way), f"the document has more than {limit}", "comparing is bounded", "make it smaller"
            )
        if isinstance(value, dict):
            if not all(isinstance(name, str) for name in value):
                raise malformed(_said(way), "the names of properties are strings", "RFC 8259, 4")
            waiting += [(inner, (way, name), level + 1) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(inner, (way, str(place)), level + 1) for place, inner in enumerate(value)]
        elif not (value is None or isinstance(value, str | int | float | Decimal)):
            raise malformed(_said(way), f"{type(value).__name__} is nothing that JSON has", "RFC 8259, 3")
        elif isinstance(value, float | Decimal) and not _is_moderate(value):
            raise malformed(_said(way), f"{value} is no number that is compared", "RFC 8259, 6")
    return nodes


def _is_moderate(number: float | Decimal) -> bool:
    return math.isfinite(number) and (isinstance(number, float) or abs(number.adjusted()) < 400)


def _said(way: _Way) -> str:
    steps = []
    while way is not None:
        way, name = way
        steps.append(step(name))
    return "".join(f"/{name}" for name in reversed(steps))


def _copied(value: Json) -> Json:
    """A copy in which no two places are one object."""
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
