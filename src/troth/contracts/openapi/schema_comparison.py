"""Two schemas of one message: whether the checker of schemas proves the one within the other, and which places differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from troth.contracts.changes import ABSENT, Change, Level
from troth.contracts.openapi import writing
from troth.contracts.openapi.document import Document
from troth.contracts.openapi.flow import Flow
from troth.contracts.openapi.hints import hint_changes
from troth.contracts.openapi.model import Media
from troth.contracts.openapi.objects import Flat, flat
from troth.contracts.openapi.schemas import HINTS, LEFT_OUT, Message, Schemas, Whole
from troth.contracts.rules.table import rule
from troth.contracts.schema import Answer, Bounds, Dialect, contained

_DEEPEST: Final = 12
#: Instances that may be tried against all schemas of a pair of documents together.
_SEARCHED: Final = 6_000
_BOUNDS: Final = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "multipleOf", "uniqueItems", "pattern",
})  # fmt: skip
_CLOSING: Final = ("additionalProperties", "unevaluatedProperties")
_KEYWORDS: Final = (("type", frozenset({"type"})), ("values", frozenset({"enum", "const"})), ("bounds", _BOUNDS))


@dataclass(slots=True)
class Comparing:
    """One comparison of two documents under way, with what was found before."""

    older: Document
    newer: Document
    #: the dialect of schemas; None for that of OpenAPI
    dialect: Dialect | None = None
    #: whether the schemas are those of an API, whose clauses say more than which values are valid
    of_api: bool = True
    _schemas: dict[tuple[bool, Message], Schemas] = field(default_factory=dict)
    _known: dict[tuple[str, str, Flow], tuple[Change, ...]] = field(default_factory=dict)
    _answers: dict[tuple[str, str, Flow, bool], tuple[Answer, Any]] = field(default_factory=dict)
    _left: int = _SEARCHED

    def changes(self, old: Media, new: Media, flow: Flow, path: str) -> Iterator[Change]:
        """What changed between two schemas of a message, at `path`."""
        before, after = self.whole(old, flow, False), self.whole(new, flow, True)
        key = (before.digest, after.digest, flow)
        if key not in self._known:
            self._known[key] = tuple(self._found(before, after, flow)) if before.digest != after.digest else ()
        yield from (replace(change, path=path + change.path) for change in self._known[key])

    def _found(self, before: Whole, after: Whole, flow: Flow) -> Iterator[Change]:
        local = self.places(before, after, flow)
        answer, witness = self.answer(before, after, flow)
        yield from agreed(local, answer, witness, flow, before, after, self)

    def whole(self, media: Media, flow: Flow, newer: bool) -> Whole:
        """A schema of the older or newer document with all that it needs."""
        return self._schemas_of(newer, flow).whole(media.schema, media.place)

    def places(self, before: Whole, after: Whole, flow: Flow) -> list[Change]:
        """What differs, place by place; the answer on the whole is not asked."""
        return list(_Walk(self, flow).changes(before, after, ""))

    def _schemas_of(self, newer: bool, flow: Flow) -> Schemas:
        key = (newer, flow.message)
        if key not in self._schemas:
            self._schemas[key] = Schemas(self.newer if newer else self.older, flow.message)
        return self._schemas[key]

    def answer(self, before: Whole, after: Whole, flow: Flow, backwards: bool = False) -> tuple[Answer, Any]:
        """Whether what is sent is understood: of a request the older in the newer schema, of a response otherwise."""
        key = (before.digest, after.digest, flow, backwards)
        if key not in self._answers:
            forwards = (flow.side == "input") is not backwards
            sent, understood = (before, after) if forwards else (after, before)
            self._answers[key] = self._contained(sent, understood, flow, backwards)
        return self._answers[key]

    def _contained(self, sent: Whole, understood: Whole, flow: Flow, backwards: bool) -> tuple[Answer, Any]:
        written = sent.standing_alone()
        instances = min(Bounds().instances, self._left)
        found = contained(
            writing.sent(written) if self.of_api and not backwards else writing.understood(written),
            writing.understood(understood.standing_alone()),
            dialect=self.dialect,
            search=instances > 0 and not backwards,
            open_objects=flow.side == "output" and not backwards,
            bounds=replace(Bounds(), instances=max(instances, 1)),
        )
        self._left -= found.searched
        return found.answer, found.witness if found.answer is Answer.NO else ABSENT


def agreed(
    local: list[Change], answer: Answer, witness: Any, flow: Flow, before: Whole, after: Whole, comparing: Comparing
) -> Iterator[Change]:
    """The findings at places, brought in line with what was proved of the whole."""
    derived = [change for change in local if change.level is Level.BREAKING and _is_derived(change, comparing)]
    if answer is Answer.YES:
        local = [change for change in local if change not in derived and not change.undecided]
        if not local and comparing.answer(before, after, flow, backwards=True)[0] is not Answer.YES:
            suffix = "widened" if flow.side == "input" else "narrowed"
            yield rule(f"{flow.side}-schema-{suffix}").found("", before.schema, after.schema)
    elif answer is Answer.NO:
        if derived:
            local = [replace(one, witness=witness) if one is derived[0] else one for one in local]
        else:
            suffix = "narrowed" if flow.side == "input" else "widened"
            found = rule(f"{flow.side}-schema-{suffix}")
            yield found.found("", before.schema, after.schema, witness=witness)
        local = [change for change in local if not change.undecided]
    elif not derived and not any(change.undecided for change in local):
        yield rule(f"{flow.side}-schema-undecided").found("", before.schema, after.schema)
    yield from local


#: Findings that are made of the text alone, whatever the schemas accept.
_PLAIN: Final = frozenset(
    {
        "output-property-removed",
        "input-property-ignored",
        "input-property-read-only",
        "output-property-write-only",
        "input-object-closed",
    }
)


def _is_derived(change: Change, comparing: Comparing) -> bool:
    return change.rule.startswith(("input-", "output-")) and not (comparing.of_api and change.rule in _PLAIN)


class _Walk:
    """The way down two schemas, side by side, to the places that differ."""

    def __init__(self, comparing: Comparing, flow: Flow) -> None:
        self._comparing, self._flow = comparing, flow
        self._seen: set[tuple[str, str]] = set()

    def changes(self, old: Whole, new: Whole, path: str, depth: int = 0) -> Iterator[Change]:
        """The changes at and below a place."""
        pair = (old.digest, new.digest)
        if old.digest == new.digest or pair in self._seen or depth > _DEEPEST:
            return
        self._seen.add(pair)
        old, new = old.followed(), new.followed()
        before, after = flat(old), flat(new)
        if before is None or after is None:
            yield from hint_changes(old.schema, new.schema, self._flow, path)
            yield from self._leaf(old, new, path)
            for a, b in _branches(old, new):
                yield from (one for one in self.changes(a, b, path, depth + 1) if one.rule in _PLAIN)
            return
        yield from hint_changes(before.merged(), after.merged(), self._flow, path)
        if after.closed and not before.closed and self._flow.side == "input":
            yield rule("input-object-closed").found(path, True, False, "other properties are refused now")
        elif before.closed and not after.closed and self._flow.side == "input":
            yield rule("input-object-opened").found(path, False, True, "other properties are taken now")
        yield from self._properties(before, after, path, depth)
        inner = before.inner.keys() & after.inner.keys()
        for keyword in sorted(inner):
            step = "[]" if keyword == "items" else "{}"
            yield from self.changes(before.inner[keyword], after.inner[keyword], f"{path}{step}", depth + 1)
        without = {*inner, *_CLOSING} if before.closed != after.closed and self._flow.side == "input" else inner
        rest = [one.rest(old if one is before else new, without) for one in (before, after)]
        if rest[0].digest != rest[1].digest:
            yield from self._leaf(rest[0], rest[1], path)

    def _properties(self, before: Flat, after: Flat, path: str, depth: int) -> Iterator[Change]:
        side = self._flow.side
        for name in before.properties:
            here = f"{path}.{name}"
            if name not in after.properties:
                yield self._removed(name, after, here)
                continue
            yield from self._presence(name, before, after, here)
            yield from self._property(before.properties[name], after.properties[name], here, depth)
        for name in after.properties:
            if name not in before.properties:
                required = side == "input" and name in after.required
                found = rule(f"{side}-property-added{'-required' if required else ''}")
                yield found.found(f"{path}.{name}", ABSENT, name, f"{name} is new")
        for name in sorted((after.required - before.required) - set(after.properties)):
            if side == "input":
                yield rule("input-property-required").found(f"{path}.{name}", False, True, f"{name} is required now")

    def _removed(self, name: str, after: Flat, here: str) -> Change:
        if self._flow.side == "output":
            return rule("output-property-removed").found(here, name, ABSENT, f"{name} is gone")
        kind = "refused" if after.closed else "ignored"
        return rule(f"input-property-{kind}").found(here, name, ABSENT, f"{name} is gone, and {kind} where it is sent")

    def _presence(self, name: str, before: Flat, after: Flat, here: str) -> Iterator[Change]:
        was, now = name in before.required, name in after.required
        if was != now:
            found = rule(f"{self._flow.side}-property-{'required' if now else 'optional'}")
            yield found.found(here, was, now, f"{name} {'is always there' if now else 'may be missing'} now")

    def _property(self, old: Whole, new: Whole, here: str, depth: int) -> Iterator[Change]:
        flag = "read-only" if self._flow.side == "input" else "write-only"
        if not old.left_out and not new.left_out:
            yield from self.changes(old, new, here, depth + 1)
        elif not old.left_out:
            yield rule(f"{self._flow.side}-property-{flag}").found(here, False, True)
        elif not new.left_out:
            yield rule(f"{self._flow.side}-property-added").found(here, False, True)

    def _leaf(self, old: Whole, new: Whole, path: str) -> Iterator[Change]:
        """A place that is compared as a whole."""
        side = self._flow.side
        answer, witness = self._comparing.answer(old, new, self._flow)
        kind = _kind(old.schema, new.schema)
        broken, harmless = ("narrowed", "widened") if side == "input" else ("widened", "narrowed")
        if answer is Answer.NO:
            yield rule(f"{side}-{kind}-{broken}").found(path, old.schema, new.schema, witness=witness)
        elif answer is Answer.CANNOT_TELL:
            yield rule(f"{side}-schema-undecided").found(path, old.schema, new.schema)
        elif self._comparing.answer(old, new, self._flow, backwards=True)[0] is not Answer.YES:
            yield rule(f"{side}-{kind}-{harmless}").found(path, old.schema, new.schema)


def _branches(old: Whole, new: Whole) -> Iterator[tuple[Whole, Whole]]:
    """The alternatives of two schemas, each with the one that stands for it: by its reference, else by its place."""
    for keyword in ("oneOf", "anyOf"):
        both = [one.schema.get(keyword) if isinstance(one.schema, dict) else None for one in (old, new)]
        if not all(isinstance(one, list) for one in both):
            continue
        before, after = both
        by_reference = {str(one["$ref"]): one for one in after if isinstance(one, dict) and "$ref" in one}
        for index, one in enumerate(before):
            reference = one.get("$ref") if isinstance(one, dict) else None
            other = by_reference.get(str(reference), after[index] if len(after) == len(before) else None)
            if other is not None:
                yield old.inner(one), new.inner(other)


def _kind(old: Any, new: Any) -> str:
    """What the difference of two schemas is called."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return "schema"
    differs = {
        key for key in {*old, *new} - HINTS - {LEFT_OUT} if key not in old or key not in new or old[key] != new[key]
    }
    for name, keywords in _KEYWORDS:
        if differs & keywords:
            return name if differs <= keywords or name == "type" else "schema"
    return "schema"
