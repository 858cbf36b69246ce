"""Two schemas of one side of a contract: what breaks, at which place, and with which witness."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

from troth.contracts.changes import ABSENT, Change, Comparison, concluded, invalid
from troth.contracts.openapi.document import NEWER, Document
from troth.contracts.openapi.flow import CALLED, Flow
from troth.contracts.openapi.model import Media
from troth.contracts.openapi.schema_comparison import Comparing, agreed
from troth.contracts.openapi.schemas import Whole
from troth.contracts.openapi.text import UnreadableDocument
from troth.contracts.rules.table import rule
from troth.contracts.schema import Answer, Containment, Dialect, contained
from troth.errors import Malformed

SIDES = ("input", "output", "contained")
Side = Literal["input", "output", "contained"]
_ELSEWHERE = ('"$id"', '"$dynamicRef"', '"$anchor"', '"id"')


def compare(
    old: Any, new: Any, side: Side, *, dialect: Dialect | None = None, open_objects: bool = False
) -> Comparison:
    """Whether who relied on the schema `old` can rely on `new`.

    Of an `input` every instance of `old` has to be one of `new`; of an `output` the other way round. `contained` asks
    the first, whatever it is for. `open_objects` reads an output as who tolerates unknown properties (note N11).
    `invalid` where one of them is no schema, with the place.
    """
    flow = CALLED.response if side == "output" else CALLED.request
    sent, understood = (new, old) if side == "output" else (old, new)
    try:
        found = contained(
            sent, understood, dialect=dialect, open_objects=open_objects and side == "output", explained=False
        )
    except Malformed as error:
        return invalid(f"{error.what}: {error.why}" if error.why else error.what)
    return concluded(_changes(old, new, flow, found, dialect))


def _changes(old: Any, new: Any, flow: Flow, found: Containment, dialect: Dialect | None) -> list[Change]:
    witness = found.witness if found.answer is Answer.NO else ABSENT
    try:
        return _at_places(old, new, flow, found.answer, witness, _dialect(new) or dialect)
    except (UnreadableDocument, Malformed, RecursionError):
        return _as_a_whole(old, new, flow, found.answer, witness)


def places(old: Any, new: Any, flow: Flow, dialect: Dialect | None = None) -> list[Change]:
    """What differs between two schemas, place by place; empty for schemas whose places are named by other means."""
    try:
        comparing, before, after = _laid_open(old, new, flow, _dialect(new) or dialect)
        return comparing.places(before, after, flow)
    except (UnreadableDocument, Malformed, RecursionError):
        return []


def _at_places(old: Any, new: Any, flow: Flow, answer: Answer, witness: Any, dialect: Dialect | None) -> list[Change]:
    """What changed, place by place. Raises UnreadableDocument for schemas whose references are not plain pointers."""
    comparing, before, after = _laid_open(old, new, flow, dialect)
    local = [change for change in comparing.places(before, after, flow) if change.rule not in _OF_DOCUMENTS]
    if answer is Answer.YES:
        local = [change for change in local if change.rule != "output-property-removed"]
    return list(agreed(local, answer, witness, flow, before, after, comparing))


def _laid_open(old: Any, new: Any, flow: Flow, dialect: Dialect | None) -> tuple[Comparing, Whole, Whole]:
    if any(word in json.dumps([old, new]) for word in _ELSEWHERE) or _dialect(old) != _dialect(new):
        raise UnreadableDocument("places are named by other means than pointers")
    older, newer = (Document(one if isinstance(one, dict) else {}, NEWER) for one in (old, new))
    comparing = Comparing(older, newer, dialect=dialect, of_api=False)
    before = comparing.whole(Media(old, ""), flow, newer=False)
    after = comparing.whole(Media(new, ""), flow, newer=True)
    return comparing, before, after


#: Findings that hold for whole APIs only: a schema alone does not say that what is ignored was relied on.
_OF_DOCUMENTS = frozenset({"input-property-ignored", "input-property-read-only", "output-property-write-only"})


def _dialect(schema: Any) -> Dialect | None:
    said = schema.get("$schema") if isinstance(schema, dict) else None
    return next((one for one in Dialect if isinstance(said, str) and said.rstrip("#") == one.value.rstrip("#")), None)


def _as_a_whole(old: Any, new: Any, flow: Flow, answer: Answer, witness: Any) -> list[Change]:
    if answer is Answer.YES:
        return []
    broken = {"input": "narrowed", "output": "widened"}[flow.side]
    suffix = broken if answer is Answer.NO else "undecided"
    return [replace(rule(f"{flow.side}-schema-{suffix}").found("", old, new), witness=witness)]
