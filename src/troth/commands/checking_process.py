"""What runs in the process that checks a release; `troth.commands.checking` starts and ends it."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

import msgspec

from troth.contracts.bulk import answered, texts_read
from troth.contracts.changes import Comparison
from troth.contracts.contract_facts import KeptFiles, changes_of, contracts_of
from troth.contracts.junit import counted
from troth.contracts.product import parse_product
from troth.contracts.release_document import ToldFact
from troth.contracts.unfinished import unfinished
from troth.contracts.unfolding import unfolded
from troth.errors import TrothError

_MEMORY: Final = 2 << 30
_PIECE: Final = 1 << 18


def main() -> None:
    """Answers the question on standard input with a line for each contract, or for each record, as soon as it is known."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    question = json.load(sys.stdin)
    if "records" in question:
        for descriptor in question["records"]:
            print(json.dumps(asdict(counted(_pieces(descriptor)))), flush=True)
        return
    for line in _compared(question):
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _compared(question: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The facts of each contract that is asked about, or what is wrong with its files."""
    old, new = KeptFiles(question["old"]), KeptFiles(question["new"])
    product, then = (unfolded(parse_product(question[name].encode()), old, new) for name in ("declared", "then"))
    every = {(one.kind, one.path): one for one in contracts_of(product, then)}
    for kind, path in question["contracts"]:
        try:
            found = changes_of(every[kind, path], product, then, old, new, _compare)
            yield {"facts": [msgspec.to_builtins(ToldFact.of(fact)) for fact in found]}
        except TrothError as error:
            yield {"fault": [error.what, error.why, error.repair]}


def _compare(kind: str, pair: Mapping[str, Any]) -> Mapping[str, Any]:
    """One pair; what ends in itself was not proved. Memory that is used up ends the process, which its parent understands."""
    try:
        question = texts_read(kind, pair)
        if isinstance(question, Comparison):
            return question.as_dict()
        return answered(kind, question, tolerant=bool(pair.get("tolerant")))
    except RecursionError:
        return unfinished(kind, "it is nested too deeply to be compared").as_dict()
