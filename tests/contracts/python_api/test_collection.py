"""The labelled pairs of modules: right in at least 97 %, never wrongly compatible, "cannot tell" in less than 3 %."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.contracts.figures import assert_good_enough
from troth.contracts.python_api.comparison import compare

PAIRS = Path(__file__).parents[2] / "collections" / "python" / "modules.ndjson"


def test_the_checker_agrees_with_the_labels() -> None:
    figures: Counter[tuple[str, str]] = Counter()
    for line in PAIRS.read_text().splitlines():
        pair = json.loads(line)
        figures[pair["label"], compare(pair["old"], pair["new"]).answer.value] += 1
    assert_good_enough(figures, least=60)
