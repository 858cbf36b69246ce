"""The comparing of contracts in a process of its own, which is ended when it takes too long.

Contracts are strangers' documents. Comparing them is bounded by steps; the process bounds what nobody thought of, so that no
publication hangs and the server goes on whatever a schema does.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from typing import Any

from troth.commands.answering import whole_lines
from troth.contracts.comparison import differences, unjudged
from troth.contracts.document import Contract
from troth.versions.evidence import Difference

_MEMORY = 2 << 30


def compared(old: Sequence[Contract], new: Contract, seconds: float) -> list[tuple[Difference, ...]]:
    """What differs between each of `old` and `new`, in their order.

    What the process did not answer within `seconds` was not proved, and says so.
    """
    question = json.dumps([new.as_dict(), *(contract.as_dict() for contract in old)]).encode()
    lines = whole_lines(__name__, question, seconds)
    told = [_told(line) for line in lines[: len(old)]]
    return told + [unjudged(contract, new) for contract in old[len(told) :]]


def _told(line: bytes) -> tuple[Difference, ...]:
    return tuple(Difference.from_dict(one) for one in json.loads(line))


def main() -> None:
    """Answers the contracts on standard input with a line for each, as soon as it is known."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    new, *old = (_contract(told) for told in json.load(sys.stdin))
    for contract in old:
        try:
            found = differences(contract, new)
        except (MemoryError, RecursionError):
            found = unjudged(contract, new)
        print(json.dumps([difference.as_dict() for difference in found]), flush=True)


def _contract(told: dict[str, Any]) -> Contract:
    return Contract(told["input"], told["output"], tuple(told["examples"]))
