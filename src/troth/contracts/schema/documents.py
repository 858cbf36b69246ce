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
from troth.contracts.schema.identities import Identities
from troth.contracts.schema.keywords import COMMENTS, IN_PLACE, misshapen, step, subschemas
from troth.errors import MalformedSchema

_MOST_DIGITS = 400
Schema: TypeAlias = "dict[str, Json] | bool"
_Way: TypeAlias = Any  # (way of the parent, last step), or None


@dataclass(slots=True)
class Resource:
    """A schema with an identifier of its own (2020-12 core, 4.3.5): what is inside is resolved against `uri`."""

    uri: str
    root: Schema
    anchors: dict[str, Schema] = field(default_factory=dict)
    dynamic: dict[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subschema stands: in which resource, and how to get there from the root or from where a walk began."""

    schema: Schema
    resource: Resource
    above: Place | None
    step: str

    @property
    def pointer(self) -> str:
        """The way to the subschema as a JSON pointer; made when asked for, because there are many and long ones."""
        steps, place = [self.step], self.above
        while place is not None:
            steps.append(place.step)
            place = place.above
        return "".join(reversed(steps))


def malformed(pointer: str, what: str, why: str, repair: str = "mend the schema") -> MalformedSchema:
    """The error for a schema that cannot be compared, with the place."""
    shown = pointer if len(pointer) <= 200 else f"{pointer[:200]}..."
    return MalformedSchema(f"at #{shown}: {what}"[:500], why=why, repair=repair, found=f"#{shown}")


class Document:
    """One schema with all that is inside. Raises MalformedSchema unless each keyword has the shape that its draft gives it
    and each reference leads to a schema of this document."""

    def __init__(
        self, root: Json, dialect: Dialect | None, bounds: Bounds, numbers: dict[Hashable, int] | None = None
    ) -> None:
        self.size = _measure(root, bounds)
        self.root: Schema = _copied(root)
        self.places: dict[int, Place] = {}
        self._unchecked: list[Place] = []
        self._bare = Identities({} if numbers is None else numbers, self._silent)
        self._referring: dict[int, bool] = {}
        self._rivals: dict[str, int] = {}
        self._resources: dict[str, Resource] = {}
        self._targets: dict[int, Schema] = {}
        self._dynamic: dict[int, Schema | None] = {}
        self._doubled: set[tuple[str, str]] = set()  # resources and anchors that name two schemas
        if not isinstance(self.root, dict | bool):
            raise malformed("", "a schema is an object, true or false", "JSON Schema 2020-12 core, 4.3")
        self.dialect = _dialect_of(self.root, dialect or Dialect.DRAFT_2020_12, None)
        self._walk(self.root, None, "", Resource("", self.root))
        while self._unchecked:
            place = self._unchecked.pop()
            for keyword in ("$ref", "$dynamicRef"):
                self._check_reference(place, keyword)
        for resource in self._resources.values():
            for fragment in resource.dynamic:
                self._rivals[fragment] = self._rivals.get(fragment, 0) + 1
        self._refuse_endless()

    def same_as(self, other: Document) -> bool:
        """Whether both documents say the same text by text, annotations apart."""
        return self.dialect is other.dialect and self._bare.of(self.root) == other._bare.of(other.root)

    def bare(self, schema: Schema) -> Hashable:
        """Something that is equal for schemas that say the same, annotations apart, wherever they stand.

        That holds of the schemas of all documents that were made with one table of numbers.
        """
        return (self.dialect, self._bare.of(schema), self._bare.of(self.root) if self._refers(schema) else None)

    def _silent(self, value: dict[str, Json]) -> frozenset[str]:
        return COMMENTS if id(value) in self.places else frozenset()

    def _refers(self, value: Json) -> bool:
        if not isinstance(value, dict | list):
            return False
        known = self._referring.get(id(value))
        if known is None:
            inner = value if isinstance(value, list) else value.values()
            named = isinstance(value, dict) and ("$ref" in value or "$dynamicRef" in value)
            known = named or any(map(self._refers, inner))
            if id(value) in self.places:
                self._referring[id(value)] = known
        return known

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
        if id(schema) not in self._dynamic:
            self._dynamic[id(schema)] = self._dynamic_target(schema)
        return self._dynamic[id(schema)]

    def _dynamic_target(self, schema: dict[str, Json]) -> Schema | None:
        target = self._target(self.place(schema), schema["$dynamicRef"])
        fragment = urldefrag(schema["$dynamicRef"])[1]
        if not isinstance(target, dict) or target.get("$dynamicAnchor") != fragment:
            return target
        outermost = self.place(self.root).resource.dynamic.get(fragment)
        return target if self._rivals[fragment] == 1 else outermost

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

    def _walk(self, root: Schema, above: Place | None, step: str, resource: Resource) -> None:
        """Learns of a schema and all inside; what these refer to is looked at later."""
        waiting: list[tuple[Schema, Place | None, str, Resource]] = [(root, above, step, resource)]
        while waiting:
            schema, above, step, resource = waiting.pop()
            if isinstance(schema, dict) and id(schema) in self.places:
                continue
            place = Place(schema, resource, above, step)
            if isinstance(schema, dict):
                place = self._identified(schema, place)
                fault = misshapen(schema, self.dialect)
                if fault:
                    raise malformed(f"{place.pointer}/{fault[0]}", fault[1], f"the schema of {self.dialect} says so")
            elif resource.uri not in self._resources:
                self._resources[resource.uri] = resource
            self.places[id(schema)] = place
            if isinstance(schema, dict):
                self._unchecked.append(place)
                inside = subschemas(schema, self.dialect)
                waiting += [(inner, place, way, place.resource) for _, inner, way in inside]

    def _identified(self, schema: dict[str, Json], place: Place) -> Place:
        """The place with the resource that `schema` belongs to: a new one where it has an `$id`; and its anchors."""
        old_draft, resource = self.dialect is Dialect.DRAFT_7, place.resource
        name = schema.get("$id", "") if not (old_draft and "$ref" in schema) else ""
        if not isinstance(name, str):
            raise malformed(f"{place.pointer}/$id", "$id is a string", "JSON Schema core, 8.2")
        uri, fragment = urldefrag(_joined(resource.uri, name, place)) if name else (resource.uri, "")
        if schema is resource.root or (name and uri != resource.uri):
            if _dialect_of(schema, self.dialect, place) is not self.dialect:
                raise malformed(
                    f"{place.pointer}/$schema", "a document has one dialect", "two at once are not compared"
                )
            resource = Resource(uri, schema)
            if self._resources.setdefault(uri, resource) is not resource:
                self._doubled.add((uri, ""))
        if old_draft and fragment:
            self._anchor(resource, fragment, schema)
        for keyword in ("$anchor", "$dynamicAnchor") if self.dialect is Dialect.DRAFT_2020_12 else ():
            if isinstance(schema.get(keyword), str):
                self._anchor(resource, schema[keyword], schema)
        if self.dialect is Dialect.DRAFT_2020_12 and isinstance(schema.get("$dynamicAnchor"), str):
            resource.dynamic[schema["$dynamicAnchor"]] = schema
        return place if resource is place.resource else Place(schema, resource, place.above, place.step)

    def _anchor(self, resource: Resource, name: str, schema: Schema) -> None:
        if resource.anchors.setdefault(name, schema) is not schema:
            self._doubled.add((resource.uri, name))

    def _check_reference(self, place: Place, keyword: str) -> None:
        schema = place.schema
        old_draft = self.dialect is Dialect.DRAFT_7
        if isinstance(schema, dict) and keyword in schema and not (old_draft and keyword != "$ref"):
            target = self._target(place, schema[keyword])
            if keyword == "$ref":
                self._targets[id(schema)] = target

    def _target(self, place: Place, reference: str) -> Schema:
        uri, fragment = urldefrag(_joined(place.resource.uri, reference, place))
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
        self._walk(root, None, f"<{uri}>", Resource(uri, root))
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
            self._walk(found, self.places.get(id(resource.root)), pointer, resource)
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


def _joined(base: str, reference: str, place: Place) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:
        raise malformed(place.pointer, f"{reference[:200]!r} is no URI reference", "RFC 3986") from None


def _dangling(place: Place, reference: str) -> MalformedSchema:
    return malformed(
        f"{place.pointer}/$ref", f"{reference[:200]!r} leads to no schema", "JSON Schema 2020-12 core, 8.2.3"
    )


def _dialect_of(schema: Schema, otherwise: Dialect, place: Place | None) -> Dialect:
    named = schema.get("$schema") if isinstance(schema, dict) else None
    if named is None:
        return otherwise
    for dialect in Dialect:
        if isinstance(named, str) and named.rstrip("#") == dialect.value.rstrip("#"):
            return dialect
    raise malformed(
        f"{'' if place is None else place.pointer}/$schema",
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
        elif isinstance(value, int | float | Decimal) and not _is_moderate(value):
            raise malformed(_said(way), "it is no number that is compared", f"it has more than {_MOST_DIGITS} digits")
    return nodes


def _is_moderate(number: int | float | Decimal) -> bool:
    if isinstance(number, int):
        return number.bit_length() < _MOST_DIGITS * 3
    if isinstance(number, float) or not number.is_finite():
        return math.isfinite(number)
    return abs(number.adjusted()) < _MOST_DIGITS and len(number.as_tuple().digits) < _MOST_DIGITS


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
