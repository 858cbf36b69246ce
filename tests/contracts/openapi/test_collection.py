"""The labelled pairs of OpenAPI documents: right in at least 97 %, never wrongly compatible, "cannot tell" in less than 3 %."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.contracts.figures import assert_good_enough
from troth.contracts.openapi.comparison import compare

PAIRS = Path(__file__).parents[2] / "collections" / "openapi"


def pairs() -> Iterator[dict[str, Any]]:
    for path in sorted(PAIRS.glob("*.ndjson")):
        yield from map(json.loads, path.read_text().splitlines())


def test_the_checker_agrees_with_the_labels() -> None:
    figures: Counter[tuple[str, str]] = Counter()
    for pair in pairs():
        figures[pair["label"], compare(pair["old"], pair["new"]).answer.value] += 1
    assert_good_enough(figures, least=1465)
