"""Two schemas of one message: whether the checker of schemas proves the one within the other, and which places differ."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from troth.contracts.changes import ABSENT, MOST_CHANGES, Change, Level
from troth.contracts.openapi import writing
from troth.contracts.openapi.digests import digest
from troth.contracts.openapi.document import Document
from troth.contracts.openapi.flow import Flow
from troth.contracts.openapi.model import Media
from troth.contracts.openapi.places import PLAIN, Below, Node, node
from troth.contracts.openapi.schemas import Message, Schemas, Whole
from troth.contracts.rules.table import rule
from troth.contracts.schema import Answer, Bounds, Dialect, contained

#: Instances that may be tried against all schemas of a pair of documents together.
_SEARCHED: Final = 6_000
#: Parts of schemas that all proofs of a pair of documents may read together; then the answer is "cannot tell".
_MOST_PARTS: Final = 4_000
#: Steps that all of them may take together, as a proof counts its own.
_MOST_STEPS: Final = 200_000
#: Of schemas with more parts than this fewer instances are tried: each is larger, and takes longer to make.
_FEW_PARTS: Final = 10


@dataclass(slots=True)
class Telling:
    """How many changes of each level were told of a pair of documents, so that what an answer has no place for is not made.

    What decides the answer is never left out: each break before there are enough, and everything that is undecided.
    """

    _told: dict[Level, int] = field(default_factory=lambda: dict.fromkeys(Level, 0))
    _paths: set[str] = field(default_factory=set)
    _has_witness: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing can be added: the answer is that it breaks, with a witness, and full of what is as grave."""
        return self._has_witness and self._told[Level.BREAKING] >= MOST_CHANGES

    def of(self, path: str, found: Iterable[tuple[str, Change]]) -> Iterator[tuple[str, Change]]:
        """Those of the changes found below a path that an answer may have a place for; a path is counted once."""
        counted = path not in self._paths
        self._paths.add(path)
        told = self._told
        for step, change in found:
            first = change.witness is not ABSENT and not self._has_witness
            if told[change.level] < MOST_CHANGES or change.undecided or first or not counted:
                told[change.level] += counted
                self._has_witness |= first
                yield step, change


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
    _known: dict[tuple[str, str, Flow], tuple[tuple[str, Change], ...]] = field(default_factory=dict)
    _answers: dict[tuple[str, str, Flow, bool], tuple[Answer, Any]] = field(default_factory=dict)
    _asked_before: dict[tuple[str, bool], tuple[Answer, Any]] = field(default_factory=dict)
    _nodes: dict[Flow, dict[tuple[str, str, bool], Node]] = field(default_factory=dict)
    _telling: Telling = field(default_factory=Telling)
    _left: int = _SEARCHED
    _parts: int = _MOST_PARTS
    _steps: int = _MOST_STEPS

    def changes(self, old: Media, new: Media, flow: Flow, path: str) -> Iterator[Change]:
        """What changed between two schemas of a message, at `path`; nothing where what was told fills an answer already."""
        if self._telling.is_over:
            return
        before, after = self.whole(old, flow, False), self.whole(new, flow, True)
        key = (before.digest, after.digest, flow)
        if key not in self._known:
            self._known[key] = _distinct(self._found(before, after, flow))
        yield from (_at(path + step, change) for step, change in self._telling.of(path, self._known[key]))

    def _found(self, before: Whole, after: Whole, flow: Flow) -> Iterator[tuple[str, Change]]:
        """What differs, with the place: each pair of parts once, however many ways lead to it."""
        if before.digest == after.digest:
            return
        nodes = self._nodes.setdefault(flow, {})
        seen = {(before.digest, after.digest, False)}
        waiting = deque([Below("", before, after)])
        while waiting:
            place = waiting.popleft()
            step, plain = place.step, place.plain
            key = (place.old.digest, place.new.digest, plain)
            found = nodes.get(key)
            if found is None:
                found = nodes[key] = node(place.old, place.new, flow, _unasked if plain else self.answer)
            yield from ((step, change) for change in found.own if not plain or change.rule in PLAIN)
            for one in found.below:
                inner = plain or one.plain
                key = (one.old.digest, one.new.digest, inner)
                if key[0] != key[1] and key not in seen:
                    seen.add(key)
                    waiting.append(Below(step + one.step, one.old, one.new, inner))

    def whole(self, media: Media, flow: Flow, newer: bool) -> Whole:
        """A schema of the older or newer document with all that it needs."""
        return self._schemas_of(newer, flow).whole(media.schema, media.place)

    def places(self, before: Whole, after: Whole, flow: Flow) -> list[Change]:
        """What differs, place by place; the answer on the whole is not asked."""
        return [_at(step, change) for step, change in self._found(before, after, flow)]

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
        written, read = sent.standing_alone(), writing.understood(understood.standing_alone())
        if not self.of_api or backwards:
            return self._asked(writing.understood(written), read, flow, backwards)
        shared = sent.shared_with(understood)
        if shared:
            # what both sides have alike is not closed: that leaves less to prove, and a yes of it is a yes of the rest
            answer, witness = self._asked(writing.sent(written, shared), read, flow, backwards)
            if answer is Answer.YES:
                return answer, witness
        return self._asked(writing.sent(written), read, flow, backwards)

    def _asked(self, sent: Any, understood: Any, flow: Flow, backwards: bool) -> tuple[Answer, Any]:
        opened = flow.side == "output" and not backwards
        key = (digest([sent, understood]), opened)
        if key in self._asked_before:
            # who asked before may have searched too, and then knows more
            return self._asked_before[key]
        parts = len(understood.get("$defs", ())) if isinstance(understood, dict) else 0
        self._parts -= parts
        if self._parts < 0 or self._steps < 0:
            return Answer.CANNOT_TELL, ABSENT
        instances = min(Bounds().instances // (1 + parts // _FEW_PARTS), self._left)
        found = contained(
            sent,
            understood,
            dialect=self.dialect,
            search=instances > 0 and not backwards,
            open_objects=opened,
            explained=False,
            bounds=replace(Bounds(), instances=max(instances, 1)),
        )
        self._left -= found.searched
        self._steps -= found.steps
        answer = found.answer, found.witness if found.answer is Answer.NO else ABSENT
        if not backwards:
            self._asked_before[key] = answer
        return answer


def _distinct(found: Iterable[tuple[str, Change]]) -> tuple[tuple[str, Change], ...]:
    """What was found, without what says the same of the same place."""
    once: dict[tuple[str, str, str], tuple[str, Change]] = {}
    for step, change in found:
        once.setdefault((change.rule, step + change.path, change.words), (step, change))
    return tuple(once.values())


def _at(step: str, change: Change) -> Change:
    """The change at a place further out."""
    path = step + change.path
    return Change(
        change.rule, change.level, path, change.old, change.new, change.words, change.witness, change.undecided
    )


def _unasked(old: Whole, new: Whole, flow: Flow, backwards: bool) -> tuple[Answer, Any]:
    """The answer where only the text is looked at: nothing that rests on it is told."""
    return Answer.YES, ABSENT


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


def _is_derived(change: Change, comparing: Comparing) -> bool:
    return change.rule.startswith(("input-", "output-")) and not (comparing.of_api and change.rule in PLAIN)
