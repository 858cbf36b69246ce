"""`python -m tests.soundness`: hunts counterexamples in shards of a thousand pairs; what was done is not done again.

Each shard leaves a file in `build/soundness`. The last line says what all shards found together. Exit 1 if a "yes" was refuted.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.soundness.hunting import Tally, hunted

FOLDER = Path("build") / "soundness"
SHARD = 1000
SHARDS = 200
FIRST = 1_000_000  # numbers that the tests do not use


def main() -> int:
    """Works on the shards that are missing: all, or those from the first to before the second argument."""
    first, last = (int(word) for word in (sys.argv[1:3] or ("0", str(SHARDS))))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for shard in range(first, last):
        path = FOLDER / f"{shard:04}.json"
        if not path.exists():
            path.write_text(json.dumps(_shard(shard)))
            print(path, path.read_text(), flush=True)
    total = summary()
    print(json.dumps(total))
    return 1 if total["refuted"] else 0


def _shard(shard: int) -> dict[str, Any]:
    tally, began = Tally(), time.monotonic()
    for number in range(FIRST + shard * SHARD, FIRST + (shard + 1) * SHARD):
        hunted(number, tally, search=False)
    return {
        "pairs": SHARD,
        "answers": dict(tally.answers),
        "yes": dict(tally.words),
        "instances": tally.instances,
        "refuted": tally.refuted,
        "seconds": round(time.monotonic() - began, 1),
    }


def summary() -> dict[str, Any]:
    """All shards together."""
    found = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    answers: Counter[str] = Counter()
    for shard in found:
        answers.update(shard["answers"])
    return {
        "pairs": sum(shard["pairs"] for shard in found),
        "answers": dict(answers),
        "instances": sum(shard["instances"] for shard in found),
        "refuted": [number for shard in found for number in shard["refuted"]],
    }


if __name__ == "__main__":
    sys.exit(main())
