"""What replaying examples says of a candidate, beside the version that it follows.

The examples of the followed version are promises to its callers. Those that only the candidate declares say what is new or
mended; they have to be true of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from troth.contracts.changes import ABSENT, told_value
from troth.contracts.document import Contract
from troth.contracts.examples import agrees
from troth.contracts.rules.table import Rule, rule
from troth.contracts.schema.acceptance import accepts
from troth.versions.evidence import Difference
from troth.versions.numbers import Bump

Whose = Literal["followed", "candidate"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one example on one version: an answer, or in words why there is none."""

    seconds: float
    answer: Any = ABSENT
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """One example, whose it is, and what both versions replied; None where it was not replayed there."""

    example: dict[str, Any]
    place: int
    whose: Whose
    candidate: Reply | None = None
    followed: Reply | None = None


def promised(followed: Contract) -> list[Replay]:
    """The examples that a published version promised."""
    return [Replay(example, place, "followed") for place, example in enumerate(followed.examples)]


def own(candidate: Contract, known: Sequence[Replay] = ()) -> list[Replay]:
    """The examples that only the candidate declares, of an input that is known with another answer too."""
    declared = [replay.example for replay in known]
    examples = enumerate(candidate.examples)
    return [Replay(example, place, "candidate") for place, example in examples if example not in declared]


def differences(replays: Sequence[Replay], followed: Contract | None, candidate: Contract) -> tuple[Difference, ...]:
    """Where the candidate does not answer as was declared."""
    return tuple(found for replay in replays for found in _difference(replay, followed or candidate, candidate))


def behaviour(replays: Sequence[Replay], found: Sequence[Difference]) -> str:
    """What is said of a candidate's behaviour."""
    if any(difference.least is Bump.MAJOR and not difference.undecided for difference in found):
        return "differs"
    if any(difference.undecided for difference in found):
        return "not checked"
    if replays and all(replay.candidate is not None for replay in replays):
        return "checked"
    return "not checked"


def asks_a_schema(replay: Replay, followed: Contract | None, candidate: Contract) -> bool:
    """Whether judging it takes validating under an author's schema."""
    contract = _declaring(replay, followed or candidate, candidate)
    if replay.example.get("tolerance") == "schema":
        return contract.output is not None
    replies = [reply for reply in (replay.candidate, replay.followed) if reply is not None]
    return contract.input is not None and not all(_reproduces(replay, reply, contract) for reply in replies)


def unjudged(replay: Replay) -> Difference:
    """What is said where judging a replay came to no end: nothing was proved, so it counts as a break."""
    return _told(replay, rule("example-not-replayed"), ABSENT, _UNKNOWN, "ask for simpler keywords in the schema")


_UNKNOWN = "whether an answer is as the schema says took more than is spent on it, so nothing was proved"


def untold(replay: Replay, against: str) -> dict[str, Any]:
    """A replay as JSON whose judging came to no end."""
    return _as_dict(replay, against, lambda reply: None)


def as_dict(replay: Replay, contract: Contract, against: str) -> dict[str, Any]:
    """A replay as JSON: which example, whether each version reproduced it, and the seconds that each took."""
    return _as_dict(replay, against, lambda reply: _reproduces(replay, reply, contract))


def _as_dict(replay: Replay, against: str, reproduces: Callable[[Reply], bool | None]) -> dict[str, Any]:
    told: dict[str, Any] = {"example": replay.place, "declared_by": replay.whose, "against": against}
    for name, reply in (("candidate", replay.candidate), ("followed", replay.followed)):
        if reply is not None:
            told[name] = {"reproduced": reproduces(reply), "seconds": round(reply.seconds, 4), "fault": reply.fault}
    return told


def _difference(replay: Replay, promised: Contract, candidate: Contract) -> Iterator[Difference]:
    reply = replay.candidate
    contract = _declaring(replay, promised, candidate)
    if reply is None:
        yield _told(replay, rule("example-not-replayed"), ABSENT, "", "let the examples take less time")
    elif (reproduced := _reproduces(replay, reply, contract)) or not _may_have_been_true(replay, contract):
        return
    elif reproduced is None:
        yield unjudged(replay)
    elif replay.whose == "followed" and _breaks_nobody(replay, reply, contract):
        yield _told(replay, rule("example-extended"), reply.answer, "", "answer it as declared")
    else:
        words = "an example that was declared" if replay.whose == "followed" else "its own example"
        ending = f"ends in an error: {reply.fault[:200]}" if reply.fault else "is answered otherwise"
        yield _told(replay, rule("example-differs"), reply.answer, f"{words} {ending}", "answer it as declared")


def _told(replay: Replay, row: Rule, answer: Any, words: str, repair: str) -> Difference:
    return Difference(
        rule=row.id,
        path=f"examples[{replay.place}]",
        old=told_value(replay.example["output"]),
        new=told_value(answer),
        words=(words or row.purpose).rstrip("."),
        least=Bump(row.least),
        undecided=row.undecided,
        witness=(told_value(replay.example["input"]),),
        repair=repair,
    )


def _declaring(replay: Replay, followed: Contract, candidate: Contract) -> Contract:
    return followed if replay.whose == "followed" else candidate


def _reproduces(replay: Replay, reply: Reply, contract: Contract) -> bool | None:
    return not reply.fault and agrees(replay.example, reply.answer, contract.output)


def _may_have_been_true(replay: Replay, contract: Contract) -> bool:
    """Unless the followed version answers otherwise than it declares, somebody may rely on it."""
    return replay.followed is None or _reproduces(replay, replay.followed, contract) is not False


def _breaks_nobody(replay: Replay, reply: Reply, contract: Contract) -> bool:
    """Whether only properties came along (note N11), or the input was not one that the followed version takes."""
    if contract.input is not None and accepts(contract.input, replay.example["input"]) is False:
        return True
    part = _declared_part(replay.example["output"], reply.answer)
    return not reply.fault and agrees(replay.example, part, contract.output) is True


def _declared_part(declared: Any, answer: Any) -> Any:
    """An answer without the properties that were not declared."""
    if isinstance(declared, dict) and isinstance(answer, dict):
        return {key: _declared_part(declared[key], value) for key, value in answer.items() if key in declared}
    if isinstance(declared, list) and isinstance(answer, list) and len(declared) == len(answer):
        return [_declared_part(one, other) for one, other in zip(declared, answer, strict=True)]
    return answer
