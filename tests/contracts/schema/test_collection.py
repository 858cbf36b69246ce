"""The checker against the labelled pairs: no wrong "yes", nearly everything right, hardly any "cannot tell"."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from troth.contracts.schema import ABSENT, Answer, contained

FOLDER = Path(__file__).parents[2] / "collections" / "schema"


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(FOLDER.glob("*.ndjson")) for line in path.read_text().splitlines()]


def directions() -> list[tuple[str, Any, Any, Answer]]:
    """Both directions of each pair, with the label."""
    asked = []
    for row in rows():
        for name, old, new in (("old_in_new", "old", "new"), ("new_in_old", "new", "old")):
            asked.append((f"{row['id']} {name}", row[old], row[new], Answer(row["label"][name])))
    return asked


def test_the_proof_alone_agrees_with_the_labels() -> None:
    counts: Counter[str] = Counter()
    wrong = []
    for name, old, new, label in directions():
        said = contained(old, new, search=False)
        counts["right" if said.answer is label else said.answer.value] += 1
        if said.answer is Answer.YES and label is Answer.NO:
            wrong.append(name)
        assert (said.witness is ABSENT) == (said.answer is not Answer.NO)
    total = sum(counts.values())
    assert wrong == []
    assert counts["right"] >= 0.97 * total
    assert counts[Answer.CANNOT_TELL] < 0.03 * total


@pytest.mark.parametrize("part", range(4))
def test_with_the_search_the_answers_are_the_same(part: int) -> None:
    for _, old, new, label in directions()[part * 5 :: 80]:
        assert contained(old, new).answer is label
