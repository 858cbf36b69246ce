"""What a checker has to reach on a labelled collection."""

from __future__ import annotations

from collections import Counter


def assert_good_enough(figures: Counter[tuple[str, str]], least: int) -> None:
    """`figures` counts pairs by label and answer."""
    total = figures.total()
    right = sum(count for (label, answer), count in figures.items() if label == answer)
    unsure = sum(count for (_, answer), count in figures.items() if answer == "cannot-tell")
    assert total >= least
    assert figures["breaking", "compatible"] == 0, figures
    assert right >= 0.97 * total, figures
    assert unsure < 0.03 * total, figures
