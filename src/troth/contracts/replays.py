"""What replaying examples says of a candidate, beside the version that it follows.

The examples of the followed version are promises to its callers. Those that only the candidate declares say what is new or
mended; they have to be true of itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator

from troth.contracts.changes import ABSENT, told_value
from troth.contracts.document import Contract
from troth.contracts.examples import agrees
from troth.contracts.rules.table import rule
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
    #: whether properties of an answer that were not declared are no fault (note N11)
    tolerant: bool = False
    candidate: Reply | None = None
    followed: Reply | None = None


def planned(followed: Contract | None, candidate: Contract, bump: Bump) -> list[Replay]:
    """The examples to replay: those of the followed version first, then what only the candidate declares.

    A minor need not reproduce what the input's former schema refuses, and may answer with more properties.
    """
    promised = list(enumerate(followed.examples)) if followed else []
    if bump is Bump.MINOR and followed and followed.input is not None:
        validator = Draft202012Validator(followed.input)
        promised = [(place, one) for place, one in promised if validator.is_valid(one["input"])]
    known = [one["input"] for _, one in promised]
    own = [(place, one) for place, one in enumerate(candidate.examples) if one["input"] not in known]
    return [Replay(one, place, "followed", bump is Bump.MINOR) for place, one in promised] + [
        Replay(one, place, "candidate") for place, one in own
    ]


def differences(replays: Sequence[Replay], followed: Contract | None, candidate: Contract) -> tuple[Difference, ...]:
    """Where the candidate does not answer as was declared."""
    return tuple(found for replay in replays for found in _difference(replay, followed or candidate, candidate))


def behaviour(replays: Sequence[Replay], found: Sequence[Difference]) -> str:
    """What is said of a candidate's behaviour."""
    if any(not difference.undecided for difference in found):
        return "differs"
    if replays and all(replay.candidate is not None for replay in replays):
        return "checked"
    return "not checked"


def as_dict(replay: Replay, contract: Contract) -> dict[str, Any]:
    """A replay as JSON: which example, whether each version reproduced it, and the seconds that each took."""
    told: dict[str, Any] = {"example": replay.place, "declared_by": replay.whose}
    for name, reply in (("candidate", replay.candidate), ("followed", replay.followed)):
        if reply is not None:
            reproduced = _reproduces(replay, reply, contract)
            told[name] = {"reproduced": reproduced, "seconds": round(reply.seconds, 4), "fault": reply.fault}
    return told


def _difference(replay: Replay, promised: Contract, candidate: Contract) -> Iterator[Difference]:
    example, reply = replay.example, replay.candidate
    contract = promised if replay.whose == "followed" else candidate
    path = f"examples[{replay.place}]"
    if reply is None:
        found = rule("example-not-replayed").found(path, example["output"], ABSENT, "", example["input"])
    elif _reproduces(replay, reply, contract):
        return
    elif replay.followed is not None and not _reproduces(replay, replay.followed, contract):
        return  # what was declared was not true before either, so nobody relied on it
    else:
        words = "an example that was declared" if replay.whose == "followed" else "its own example"
        ending = f"ends in an error: {reply.fault[:200]}" if reply.fault else "is answered otherwise"
        found = rule("example-differs").found(
            path, example["output"], reply.answer, f"{words} {ending}", example["input"]
        )
    yield Difference(
        rule=found.rule,
        path=path,
        old=told_value(found.old),
        new=told_value(found.new),
        words=found.words.rstrip("."),
        least=Bump.MAJOR,
        undecided=found.undecided,
        witness=(told_value(found.witness),),
        repair="answer it as declared" if reply else "let the examples take less time",
    )


def _reproduces(replay: Replay, reply: Reply, contract: Contract) -> bool:
    if reply.fault:
        return False
    answer = _declared_part(replay.example["output"], reply.answer) if replay.tolerant else reply.answer
    return agrees(replay.example, answer, contract.output)


def _declared_part(declared: Any, answer: Any) -> Any:
    """An answer without the properties that were not declared."""
    if isinstance(declared, dict) and isinstance(answer, dict):
        return {key: _declared_part(declared[key], value) for key, value in answer.items() if key in declared}
    if isinstance(declared, list) and isinstance(answer, list) and len(declared) == len(answer):
        return [_declared_part(one, other) for one, other in zip(declared, answer, strict=True)]
    return answer
