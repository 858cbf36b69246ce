"""What runs in the process that compares pairs of documents; `troth.doors.cli.pairs` starts and ends it."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Any, Final

from troth.contracts.bulk import answered, texts_read
from troth.contracts.changes import Comparison, invalid
from troth.contracts.unfinished import unfinished

_MEMORY: Final = 2 << 30


def main() -> None:
    """Answers each line on standard input with two: the id of the pair as soon as it is known, and then the answer."""
    kind, form, reading = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tolerant = reading == "tolerant"
    prepare: Callable[[str, Any], Any] = texts_read if form == "texts" else _as_it_is
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        asked = _read(line)
        print(json.dumps(asked.get("id") if isinstance(asked, dict) else None), flush=True)
        print(json.dumps(_answer(kind, prepare, asked, tolerant)), flush=True)


def _as_it_is(kind: str, asked: Any) -> Any:
    return asked


def _answer(kind: str, prepare: Callable[[str, Any], Any], asked: Any, tolerant: bool) -> dict[str, Any]:
    """Memory that is used up ends the process, which its parent understands."""
    named = asked.get("id") if isinstance(asked, dict) else None
    if isinstance(asked, Comparison):
        return {"id": None, **asked.as_dict()}
    try:
        question = prepare(kind, asked)
        if isinstance(question, Comparison):
            return {"id": named, **question.as_dict()}
        return answered(kind, question, tolerant=tolerant)
    except MemoryError:
        raise SystemExit(1) from None
    except Exception as error:
        fault = f"the comparing itself failed: {type(error).__name__}: {error}"[:500]
        return {"id": named, **unfinished(kind, fault).as_dict()}


def _read(line: bytes) -> Any:
    """What a line holds; the answer to it where it is no JSON."""
    try:
        return json.loads(line.decode("utf-8-sig").strip(), parse_constant=_refused)
    except RecursionError:
        return invalid("the line is nested too deeply")
    except ValueError as error:
        return invalid(f"the line is not JSON: {error}"[:300])


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
