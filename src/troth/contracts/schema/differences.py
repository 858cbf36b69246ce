"""Where two schemas differ in a way that matters: each keyword of the new one that instances of the old one can fail.

An old schema is contained in a new one if it is contained in each keyword of that. So each is asked about by itself, and
where both have schemas inside, those are compared in turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from troth.contracts.schema.answers import ABSENT, Absent, Difference, Json
from troth.contracts.schema.assertions import READERS, Assertions
from troth.contracts.schema.documents import Schema
from troth.contracts.schema.formulas import Formula
from troth.contracts.schema.identities import Identities
from troth.contracts.schema.keywords import step
from troth.contracts.schema.outcomes import Status
from troth.contracts.schema.proof import Proof
from troth.contracts.schema.steps import Exhausted, Steps

_MOST = 100
_MOST_KEYWORDS = 5_000
_DEEPEST = 500  # pairs of schemas inside each other: ways through references are as long as there are pairs
_INSIDE = frozenset(
    [
        "items",
        "additionalItems",
        "additionalProperties",
        "contains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_BY_NAME = frozenset(["properties", "patternProperties"])


class Explanation:
    """The differences of two documents, found with a proof of its own steps."""

    def __init__(self, old: Assertions, new: Assertions, proof: Proof) -> None:
        self.old, self.new, self.proof = old, new, proof
        self._seen: set[tuple[int, int]] = set()
        self._steps = Steps(_MOST_KEYWORDS)
        self._depth = 0
        self._identities = Identities({}, lambda value: frozenset())

    def differences(self) -> tuple[Difference, ...]:
        """At most a hundred, in the order of the new document."""
        found: list[Difference] = []
        try:
            for difference in self._of(self.old.document.root, self.new.document.root, "", ""):
                found.append(difference)
                if len(found) == _MOST:
                    break
        except Exhausted:
            old, new = self.old.document.root, self.new.document.root
            return tuple(found) or (self._difference("", "", "", old, new),)
        return tuple(found)

    def _of(self, old: Schema, new: Schema, old_pointer: str, new_pointer: str) -> Iterator[Difference]:
        old, old_pointer = self._behind(self.old, old, old_pointer)
        new, new_pointer = self._behind(self.new, new, new_pointer)
        if isinstance(new, bool) or isinstance(old, bool):
            if not self._fits(old, new):
                yield self._difference("", old_pointer, new_pointer, old, new)
            return
        if (id(old), id(new)) in self._seen or self._depth > _DEEPEST:
            return
        self._seen.add((id(old), id(new)))
        self._depth += 1
        readers = READERS[self.new.document.dialect]
        for keyword in [word for word in new if word in readers]:
            self._steps.take()
            if not self._keyword_fits(old, new, keyword):
                inner = list(self._inside(old, new, keyword, old_pointer, new_pointer))
                yield from inner or [self._plain(old, new, keyword, old_pointer, new_pointer)]
        self._depth -= 1

    def _behind(self, made: Assertions, schema: Schema, pointer: str) -> tuple[Schema, str]:
        """The schema that a mere reference leads to, and where it stands."""
        for _ in range(32):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            if {word for word in schema if word in READERS[made.document.dialect]} != {"$ref"}:
                break
            schema = made.document.resolve(schema)
            pointer = made.document.place(schema).pointer if isinstance(schema, dict) else pointer
        return schema, pointer

    def _fits(self, old: Schema, new: Schema) -> bool:
        try:
            return self._is_empty(old, self.new.of(new, self.new.opened).negation)
        except Exhausted:
            return self._is_same(old, new)

    def _keyword_fits(self, old: Schema, new: dict[str, Json], keyword: str) -> bool:
        try:
            read = READERS[self.new.document.dialect][keyword]
            return self._is_empty(old, read(self.new, new, self.new.opened).negation)
        except Exhausted:
            return isinstance(old, dict) and keyword in old and self._is_same(old[keyword], new[keyword])

    def _is_same(self, old: Json, new: Json) -> bool:
        return self._identities.of(old) == self._identities.of(new)

    def _is_empty(self, old: Schema, denied: Formula) -> bool:
        both = self.proof.formulas.all_of((self.old.of(old, False), denied))
        return self.proof.model(both).status is Status.EMPTY

    def _inside(
        self, old: dict[str, Json], new: dict[str, Json], keyword: str, old_pointer: str, new_pointer: str
    ) -> Iterator[Difference]:
        value, other = new[keyword], old.get(keyword)
        if keyword == "$ref":
            target = self.new.document.resolve(new)
            pointer = self.new.document.place(target).pointer if isinstance(target, dict) else new_pointer
            yield from self._of(old, target, old_pointer, pointer)
        elif keyword == "allOf":
            for place, inner in enumerate(value):
                yield from self._of(old, inner, old_pointer, f"{new_pointer}/allOf/{place}")
        elif keyword in _BY_NAME:
            for name, inner in value.items():
                if isinstance(other, dict) and name in other:
                    way = f"/{keyword}/{step(name)}"
                    yield from self._of(other[name], inner, old_pointer + way, new_pointer + way)
                elif self._alone(old, new, keyword, name):
                    way = f"{new_pointer}/{keyword}/{step(name)}"
                    yield self._difference(keyword, old_pointer, way, ABSENT, inner)
        elif keyword in _INSIDE and isinstance(value, dict) and isinstance(other, dict):
            yield from self._of(other, value, f"{old_pointer}/{keyword}", f"{new_pointer}/{keyword}")
        elif keyword in ("prefixItems", "items") and isinstance(value, list) and isinstance(other, list):
            for place, (before, after) in enumerate(zip(other, value, strict=False)):
                way = f"/{keyword}/{place}"
                yield from self._of(before, after, old_pointer + way, new_pointer + way)

    def _alone(self, old: dict[str, Json], new: dict[str, Json], keyword: str, name: str) -> bool:
        """Whether instances of `old` can fail the schema of one name."""
        try:
            read = READERS[self.new.document.dialect][keyword]
            denied = read(self.new, {keyword: {name: new[keyword][name]}}, self.new.opened).negation
            return not self._is_empty(old, denied)
        except Exhausted:
            return True

    def _plain(
        self, old: dict[str, Json], new: dict[str, Json], keyword: str, old_pointer: str, new_pointer: str
    ) -> Difference:
        before = old.get(keyword, ABSENT)
        stands = old_pointer if before is ABSENT else f"{old_pointer}/{keyword}"
        return self._difference(keyword, stands, f"{new_pointer}/{keyword}", before, new[keyword])

    def _difference(
        self, keyword: str, old_pointer: str, new_pointer: str, old: Json | Absent, new: Json | Absent
    ) -> Difference:
        said = keyword or "the schema"
        if old is ABSENT:
            words = f"{said} was added"
        elif self._is_same(old, new):
            words = f"{said} is the same, and refuses what passes the rest of the old schema"
        else:
            words = f"{said} was {_shown(old)} and is {_shown(new)}"
        return Difference(keyword, old_pointer, new_pointer, old, new, words)


def _shown(value: Json) -> str:
    """The beginning of a value as JSON text."""
    text = ""
    for piece in json.JSONEncoder(default=str, ensure_ascii=False).iterencode(value):
        text += piece
        if len(text) > 80:
            return f"{text[:77]}..."
    return text
