"""One place of two schemas: what differs there, and which places lie below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from troth.contracts.changes import ABSENT, Change, Level
from troth.contracts.openapi.alternatives import choice, paired
from troth.contracts.openapi.flow import Flow
from troth.contracts.openapi.hints import hint_changes
from troth.contracts.openapi.objects import Flat, flat
from troth.contracts.openapi.schemas import HINTS, LEFT_OUT, Whole
from troth.contracts.rules.table import rule
from troth.contracts.schema import Answer

_BOUNDS: Final = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "multipleOf", "uniqueItems", "pattern",
})  # fmt: skip
_KEYWORDS: Final = (("type", frozenset({"type"})), ("values", frozenset({"enum", "const"})), ("bounds", _BOUNDS))
#: Findings that are made of the text alone, whatever the schemas accept.
PLAIN: Final = frozenset(
    {
        "output-property-removed",
        "input-property-ignored",
        "input-property-read-only",
        "output-property-write-only",
        "input-object-closed",
    }
)

Judge = Callable[[Whole, Whole, Flow, bool], tuple[Answer, Any]]


@dataclass(frozen=True, slots=True)
class Below:
    """A place below another: the step to it, and its schemas. `plain` places are looked at for the text alone."""

    step: str
    old: Whole
    new: Whole
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """What was found at a place, with paths from there, and what has to be looked at below it.

    The schemas are proved to be contained if nothing here and below breaks or is undecided.
    """

    own: tuple[Change, ...]
    below: tuple[Below, ...]


def node(old: Whole, new: Whole, flow: Flow, judge: Judge) -> Node:
    """The place of two schemas that differ. `judge` answers whether what is sent is understood, of whole schemas."""
    old, new = old.followed(), new.followed()
    before, after = flat(old), flat(new)
    if before is None or after is None:
        hints = tuple(hint_changes(old.schema, new.schema, flow, ""))
        found = _alternatives(old, new, flow)
        if found is not None:
            return Node((*hints, *found.own), found.below)
        told = (*hints, *_leaf(old, new, flow, judge))
        return Node(told, tuple(Below("", a, b, plain=True) for a, b in paired(old, new)))
    return _Objects(old, new, before, after, flow, judge).node()


def _alternatives(old: Whole, new: Whole, flow: Flow) -> Node | None:
    """A choice whose alternatives can be judged one by one, if all that may be sent stand for one that is understood."""
    found = choice(old, new)
    if found is None or (found.gone if flow.side == "input" else found.added):
        return None
    below = tuple(Below("", a, b) for a, b in found.pairs)
    if not (found.gone or found.added):
        return Node((), below)
    suffix = "widened" if flow.side == "input" else "narrowed"
    return Node((rule(f"{flow.side}-schema-{suffix}").found("", old.schema, new.schema),), below)


class _Objects:
    """Two schemas of objects or lists, taken apart where their parts can be judged one by one."""

    def __init__(self, old: Whole, new: Whole, before: Flat, after: Flat, flow: Flow, judge: Judge) -> None:
        self._old, self._new, self._before, self._after = old, new, before, after
        self._flow, self._judge = flow, judge

    def node(self) -> Node:
        """What was found, and the places below."""
        hints = tuple(hint_changes(self._before.merged(), self._after.merged(), self._flow, ""))
        own = (*self._closing(), *self._properties())
        below = tuple(self._below())
        if not self._is_apart():
            return self._as_a_whole(hints, own, (), below)
        choices, rest = self._rest()
        found = () if rest[0].digest == rest[1].digest else tuple(_leaf(*rest, self._flow, self._judge))
        if all(_is_harmless(change) for change in found):
            return Node((*hints, *own, *found), (*below, *choices))
        return self._as_a_whole(hints, own, found, below)

    def _as_a_whole(
        self, hints: tuple[Change, ...], own: tuple[Change, ...], found: tuple[Change, ...], below: tuple[Below, ...]
    ) -> Node:
        """Parts that hang together are judged together; what they are called is found part by part."""
        whole = tuple(_leaf(self._old, self._new, self._flow, self._judge))
        kept = tuple(change for change in own if _is_harmless(change) or change.rule in PLAIN)
        if all(_is_harmless(change) for change in whole):
            if any(change.rule not in PLAIN for change in kept):
                whole = ()
            return Node((*hints, *kept, *whole), tuple(Below(one.step, one.old, one.new, plain=True) for one in below))
        if any(not _is_harmless(change) and change.rule not in PLAIN for change in own):
            return Node((*hints, *own), below)
        return Node((*hints, *own, *(found or whole)), below)

    def _is_apart(self) -> bool:
        """Whether properties, elements and the rest can each be judged without the others."""
        if self._before.entangled or self._after.entangled:
            return False
        sent, understood = self._turned(self._before, self._after)
        unknown = sent.properties.keys() - understood.properties.keys()
        undescribed = understood.properties.keys() - sent.properties.keys()
        if "additionalProperties" in understood.inner and unknown:
            return False
        if undescribed and any("patternProperties" in one for one in sent.others):
            return False
        if "additionalProperties" in sent.inner and (undescribed or (understood.closed and self._flow.side == "input")):
            return False
        return bool(sent.properties) or sent.closed or not understood.properties

    def _turned(self, before: Flat, after: Flat) -> tuple[Flat, Flat]:
        return (before, after) if self._flow.side == "input" else (after, before)

    def _rest(self) -> tuple[list[Below], tuple[Whole, Whole]]:
        """What is left beside properties and elements: choices that can be taken apart, and everything else in one."""
        without = {"additionalProperties", *(self._before.inner.keys() & self._after.inner.keys())}
        before, after = self._before.rest(without), self._after.rest(without)
        choices = []
        if len(before) == len(after):
            for index in range(len(before)):
                pair = Below("", self._old.inner(before[index]), self._new.inner(after[index]))
                if pair.old.digest != pair.new.digest and _alternatives(pair.old, pair.new, self._flow) is not None:
                    choices.append(pair)
                    before[index] = after[index] = {}
        return choices, (self._old.inner(_all_of(before)), self._new.inner(_all_of(after)))

    def _below(self) -> Iterator[Below]:
        for name, old in self._before.properties.items():
            new = self._after.properties.get(name)
            if new is not None and not old.left_out and not new.left_out:
                yield Below(f".{name}", old, new)
        for keyword in sorted(self._before.inner.keys() & self._after.inner.keys()):
            step = "[]" if keyword == "items" else "{}"
            yield Below(step, self._before.inner[keyword], self._after.inner[keyword])

    def _closing(self) -> Iterator[Change]:
        if self._flow.side == "output" or self._before.closed == self._after.closed:
            return
        if self._after.closed:
            yield rule("input-object-closed").found("", True, False, "other properties are refused now")
        else:
            yield rule("input-object-opened").found("", False, True, "other properties are taken now")

    def _properties(self) -> Iterator[Change]:
        before, after, side = self._before, self._after, self._flow.side
        for name, old in before.properties.items():
            if name not in after.properties:
                yield self._removed(name)
                continue
            yield from self._presence(name)
            yield from self._message(name, old, after.properties[name])
        for name in after.properties.keys() - before.properties.keys():
            required = side == "input" and name in after.required
            found = rule(f"{side}-property-added{'-required' if required else ''}")
            yield found.found(f".{name}", ABSENT, name, f"{name} is new")
        undescribed = (after.required ^ before.required) - set(before.properties) - set(after.properties)
        for name in sorted(undescribed):
            yield from self._presence(name)

    def _removed(self, name: str) -> Change:
        if self._flow.side == "output":
            return rule("output-property-removed").found(f".{name}", name, ABSENT, f"{name} is gone")
        kind = "refused" if self._after.closed else "ignored"
        words = f"{name} is gone, and {kind} where it is sent"
        return rule(f"input-property-{kind}").found(f".{name}", name, ABSENT, words)

    def _presence(self, name: str) -> Iterator[Change]:
        was, now = name in self._before.required, name in self._after.required
        if was != now:
            found = rule(f"{self._flow.side}-property-{'required' if now else 'optional'}")
            yield found.found(f".{name}", was, now, _PRESENCE[self._flow.side, now].format(name))

    def _message(self, name: str, old: Whole, new: Whole) -> Iterator[Change]:
        flag = "read-only" if self._flow.side == "input" else "write-only"
        if new.left_out and not old.left_out:
            yield rule(f"{self._flow.side}-property-{flag}").found(f".{name}", False, True)
        elif old.left_out and not new.left_out:
            yield rule(f"{self._flow.side}-property-added").found(f".{name}", False, True)


_PRESENCE: Final = {
    ("input", True): "{} has to be sent now",
    ("input", False): "{} need no longer be sent",
    ("output", True): "{} is always there now",
    ("output", False): "{} may be missing now",
}


def _all_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    left = [one for one in schemas if one]
    return left[0] if len(left) == 1 else {"allOf": left} if left else {}


def _is_harmless(change: Change) -> bool:
    return not change.undecided and change.level is not Level.BREAKING


def _leaf(old: Whole, new: Whole, flow: Flow, judge: Judge) -> Iterator[Change]:
    """A place that is judged as a whole."""
    answer, witness = judge(old, new, flow, False)
    kind = _kind(old.schema, new.schema)
    broken, harmless = ("narrowed", "widened") if flow.side == "input" else ("widened", "narrowed")
    if answer is Answer.NO:
        yield rule(f"{flow.side}-{kind}-{broken}").found("", old.schema, new.schema, witness=witness)
    elif answer is Answer.CANNOT_TELL:
        yield rule(f"{flow.side}-schema-undecided").found("", old.schema, new.schema)
    elif judge(old, new, flow, True)[0] is not Answer.YES:
        yield rule(f"{flow.side}-{kind}-{harmless}").found("", old.schema, new.schema)


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
