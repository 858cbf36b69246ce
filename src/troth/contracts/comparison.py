"""Two contracts of an algorithm: what callers of the older one meet in the newer one, side by side.

Inputs are judged one way (what was accepted has to be), outputs the other (what is given has to be what was promised, unknown
properties being no fault, note N11).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from troth.contracts import schema_changes
from troth.contracts.changes import ABSENT, Answer, Change, told_value
from troth.contracts.document import Contract
from troth.contracts.openapi.flow import CALLED
from troth.contracts.rules.table import rule
from troth.contracts.schema import same_meaning
from troth.contracts.schema.acceptance import accepts
from troth.contracts.schema.answers import Answer as Containing
from troth.errors import Malformed
from troth.versions.evidence import ORDER, Difference
from troth.versions.numbers import Bump

Side = Literal["input", "output"]
_SIDES: tuple[Side, Side] = ("input", "output")
#: Further differences of one pair are left out; those that ask for most come first.
_MOST = 50
#: By the end of a rule's id: what would undo its finding.
_REPAIRS = (
    ("-undescribed", "describe the {side} again"),
    ("-described", "leave the {side} undescribed"),
    ("-added-required", "give {path} a default, so that it need not be sent"),
    ("input-property-required", "let {path} be left out again"),
    ("-refused", "accept {path} again"),
    ("-ignored", "take {path} into account again"),
    ("output-property-optional", "give {path} always, as before"),
    ("-removed", "give {path} again"),
    ("-added", "leave {path} out"),
    ("-undecided", "describe {path} with simpler keywords, so that it can be compared"),
    ("input-{}-narrowed", "accept at {path} all that was accepted"),
    ("output-{}-widened", "give at {path} only what was promised"),
)


def differences(old: Contract, new: Contract) -> tuple[Difference, ...]:
    """What differs between two contracts, what asks for most first; empty where callers cannot tell one from the other."""
    found = [difference for side in _SIDES for difference in _side(old, new, side)]
    return tuple(sorted(found, key=lambda one: -ORDER.index(one.least))[:_MOST])


def interface(contract: Contract) -> str:
    """Which sides a contract describes, in words."""
    described = [side for side in _SIDES if contract.schema(side) is not None]
    return {0: "not described", 1: f"{described[0] if described else ''} described", 2: "described"}[len(described)]


def unjudged(old: Contract, new: Contract) -> tuple[Difference, ...]:
    """The difference of two contracts whose comparing came to no end: nothing was proved, so it counts as a break."""
    changed = [side for side in _SIDES if old.schema(side) != new.schema(side)]
    return tuple(
        _difference(rule(f"{side}-schema-undecided").found("", old.schema(side), new.schema(side), _TOO_LONG), side)
        for side in changed
    )


_TOO_LONG = "comparing the two took longer than is spent on it, so nothing was proved"


def _side(old: Contract, new: Contract, side: Side) -> Iterator[Difference]:
    before, after = old.schema(side), new.schema(side)
    if before == after:
        return
    if before is None:
        yield _difference(rule(f"{side}-described").found("", ABSENT, after), side)
        if side == "input" and after is not None:
            yield from _refused_examples(old, after)
    elif after is None:
        yield _difference(rule(f"{side}-undescribed").found("", before, ABSENT), side)
    else:
        yield from (_difference(change, side) for change in _changes(before, after, side))


def _changes(before: dict[str, Any], after: dict[str, Any], side: Side) -> Iterable[Change]:
    compared = schema_changes.compare(before, after, side, open_objects=True)
    if compared.answer is Answer.INVALID:
        return [rule(f"{side}-schema-undecided").found("", before, after, compared.fault)]
    found = list(compared.changes)
    if side == "input":
        found += [one for one in schema_changes.places(before, after, CALLED.request) if one.rule == _IGNORED]
    if any(rule(change.rule).least != "revision" for change in found):
        return found
    return [*found, *_unnamed(before, after, side)]


_IGNORED = "input-property-ignored"


def _unnamed(before: dict[str, Any], after: dict[str, Any], side: Side) -> Iterator[Change]:
    """A revision's interface equals the former one (ALG-09): what is not proved to mean the same is a change."""
    try:
        if same_meaning(before, after).answer is Containing.YES:
            return
    except Malformed:
        pass
    yield rule(f"{side}-schema-{'widened' if side == 'input' else 'narrowed'}").found("", before, after)


def _refused_examples(old: Contract, after: dict[str, Any]) -> Iterator[Difference]:
    """Where the input was not described, its examples say something of what was accepted."""
    for place, example in enumerate(old.examples):
        accepted = accepts(after, example["input"])
        if accepted:
            continue
        name, words = _NOT_ACCEPTED[accepted]
        found = rule(name).found(f"[example {place}]", ABSENT, after, words, example["input"])
        yield _difference(found, "input")


_NOT_ACCEPTED = {
    False: ("input-schema-narrowed", "an example of a call that was declared is refused now"),
    None: ("input-schema-undecided", "whether an example of a call that was declared is accepted was not found out"),
}


def _difference(change: Change, side: Side) -> Difference:
    row = rule(change.rule)
    path = side + change.path
    said = next((text for name, text in _REPAIRS if _is_named(change.rule, name)), "leave {path} as it was")
    return Difference(
        rule=change.rule,
        path=path,
        old=told_value(change.old),
        new=told_value(change.new),
        words=change.words.rstrip("."),
        least=Bump(row.least),
        undecided=change.undecided,
        witness=() if change.witness is ABSENT else (json.loads(json.dumps(told_value(change.witness), default=str)),),
        repair=said.format(side=side, path=path),
    )


def _is_named(rule_id: str, name: str) -> bool:
    begin, _, end = name.rpartition("{}")
    return rule_id.startswith(begin) and rule_id.endswith(end)
