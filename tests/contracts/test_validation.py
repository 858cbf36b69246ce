"""Patterns of authors' schemas end where the text ends."""

from __future__ import annotations

from typing import Any

import pytest

from troth.contracts.examples import agrees
from troth.contracts.validation import validator_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("^a$", "a", "a\n"),
        ("^a$|^b$", "a", "a\n"),
        ("^(a$|b)", "a", "a\n"),
        ("^a\\$", "a$\n", "a"),
        ("^[$]+$", "$$", "$\n"),
        ("^[\\]$]$", "$", "]\n"),
        ("^a\\\\$", "a\\", "a\\\n"),
        ("a", "bab\n", "b"),
    ],
)
def test_the_end_is_the_end_of_the_text(pattern: str, fits: str, fits_not: str) -> None:
    schemas: list[tuple[dict[str, Any], Any]] = [
        ({"pattern": pattern}, lambda text: text),
        ({"items": {"$ref": "#/$defs/it"}, "$defs": {"it": {"pattern": pattern}}}, lambda text: [text]),
        (
            {
                "$schema": DIALECT,
                "anyOf": [{"type": "string", "pattern": pattern}, {"type": "array", "items": {"$ref": "#"}}],
            },
            lambda text: [[text]],
        ),
        ({"patternProperties": {pattern: {}}, "additionalProperties": False}, lambda text: {text: 1}),
        ({"patternProperties": {pattern: {"const": 1}}, "additionalProperties": {"const": 2}}, lambda text: {text: 1}),
    ]
    for schema, made in schemas:
        assert validator_of(schema).is_valid(made(fits)), (schema, fits)
        assert not validator_of(schema).is_valid(made(fits_not)), (schema, fits_not)


def test_what_has_an_end_of_line_too_many_is_no_answer_of_an_example() -> None:
    example = {"input": None, "output": "a", "tolerance": "schema"}
    schema = {"type": "string", "pattern": "^a$"}
    assert agrees(example, "a", schema)
    assert not agrees(example, "a\n", schema)
