"""The labelled pairs of wire formats, under both settings of note N10."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.contracts.figures import assert_good_enough
from troth.contracts.wire import compare

PAIRS = Path(__file__).parents[2] / "collections" / "wire"
ANSWERS = {"same": "compatible", "new-version": "breaking"}


@pytest.mark.parametrize("setting", ["label", "tolerant"])
def test_the_checker_agrees_with_the_labels(setting: str) -> None:
    figures: Counter[tuple[str, str]] = Counter()
    for path in sorted(PAIRS.glob("*.ndjson")):
        for line in path.read_text().splitlines():
            pair = json.loads(line)
            written = {key: pair[key] for key in ("old_serialisation", "new_serialisation") if key in pair}
            found = compare(pair["old"], pair["new"], tolerant=setting == "tolerant", **written)
            figures[ANSWERS[pair[setting]], found.answer.value] += 1
    assert_good_enough(figures, least=60)
