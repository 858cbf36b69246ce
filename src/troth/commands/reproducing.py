"""The judging of replayed examples, in a process of its own wherever an author's schema has a say in it.

Schemas and answers are strangers' documents. Validating is bounded by steps; the process bounds what nobody thought of.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from troth.commands.answering import whole_lines
from troth.contracts import replays
from troth.contracts.changes import ABSENT
from troth.contracts.document import Contract
from troth.contracts.replays import Replay, Reply
from troth.versions.evidence import Difference

_MEMORY: Final = 2 << 30
#: What differs in one replay, and the replay as JSON.
Judged: TypeAlias = "tuple[tuple[Difference, ...], dict[str, Any]]"


def judged(
    ran: Sequence[Replay], followed: Contract | None, candidate: Contract, against: str, seconds: float
) -> list[Judged]:
    """What each replay says of a candidate, in their order.

    What the process did not answer within `seconds` was not proved, and says so.
    """
    if not any(replays.asks_a_schema(one, followed, candidate) for one in ran):
        return [_judged(one, followed, candidate, against) for one in ran]
    contracts = [None if one is None else one.as_dict() for one in (followed, candidate)]
    question = json.dumps([contracts, against, [_asked(one) for one in ran]]).encode()
    lines = whole_lines(__name__, question, seconds)[: len(ran)]
    found: list[Judged] = [
        (tuple(map(Difference.from_dict, differences)), told) for differences, told in map(json.loads, lines)
    ]
    return found + [_unjudged(one, against) for one in ran[len(found) :]]


def _judged(one: Replay, followed: Contract | None, candidate: Contract, against: str) -> Judged:
    declaring = followed if followed and one.whose == "followed" else candidate
    return replays.differences([one], followed, candidate), replays.as_dict(one, declaring, against)


def _unjudged(one: Replay, against: str) -> Judged:
    return (replays.unjudged(one),), replays.untold(one, against)


def main() -> None:
    """Answers the replays on standard input with a line for each, as soon as it is known."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    contracts, against, asked = json.load(sys.stdin)
    followed, candidate = (None if one is None else _contract(one) for one in contracts)
    assert candidate is not None
    for one in map(_replay, asked):
        try:
            differences, told = _judged(one, followed, candidate, against)
        except (MemoryError, RecursionError):
            differences, told = _unjudged(one, against)
        print(json.dumps([[difference.as_dict() for difference in differences], told]), flush=True)


def _asked(one: Replay) -> dict[str, Any]:
    replies = {"candidate": _reply(one.candidate), "followed": _reply(one.followed)}
    return {"example": one.example, "place": one.place, "whose": one.whose, **replies}


def _reply(reply: Reply | None) -> dict[str, Any] | None:
    """A reply as JSON, from which the answer is left out where there is none."""
    if reply is None:
        return None
    answer = {} if reply.answer is ABSENT else {"answer": reply.answer}
    return {"seconds": reply.seconds, "fault": reply.fault, **answer}


def _replay(told: dict[str, Any]) -> Replay:
    replies = {name: told[name] and Reply(**told[name]) for name in ("candidate", "followed")}
    return Replay(**{**told, **replies})


def _contract(told: dict[str, Any]) -> Contract:
    return Contract(told["input"], told["output"], tuple(told["examples"]))
