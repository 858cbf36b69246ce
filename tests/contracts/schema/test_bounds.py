"""Schemas that are small to write and endless to follow: each ends within its steps. Steps are counted here, never seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from troth.contracts.schema import Answer, Bounds, contained
from troth.contracts.schema.confirmation import Confirmation
from troth.contracts.schema.documents import Document
from troth.contracts.schema.evaluation import Evaluator
from troth.contracts.schema.steps import Steps

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
LEVELS = 200
Link = Callable[[dict[str, Any], int], dict[str, Any]]


def chain(link: Link, leaf: Any, levels: int = LEVELS) -> Any:
    """Definitions of which each is made of references to the next."""
    made = {f"d{level}": link({"$ref": f"#/$defs/d{level + 1}"}, level) for level in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**made, f"d{levels}": leaf}}


def dynamic(leaf: Any) -> Any:
    made = {
        f"d{level}": {"$dynamicAnchor": f"d{level}", "allOf": [{"$dynamicRef": f"#d{level + 1}"}] * 2}
        for level in range(LEVELS)
    }
    return {"$dynamicRef": "#d0", "$defs": {**made, "d200": {"$dynamicAnchor": "d200", **leaf}}}


def nested(link: Link, leaf: Any) -> Any:
    for level in range(LEVELS // 2):
        leaf = link(leaf, level)
    return leaf


LINKS: dict[str, Link] = {
    "allOf": lambda one, level: {"allOf": [one, {**one}]},
    "anyOf": lambda one, level: {"anyOf": [one, {**one}]},
    "both": lambda one, level: {"allOf": [one, {"anyOf": [{**one}]}]},
    "not": lambda one, level: {"allOf": [one, {"not": {"not": {**one}}}]},
    "oneOf": lambda one, level: {"oneOf": [one, {"allOf": [{**one}, {"const": level}]}]},
    "if": lambda one, level: {"if": one, "then": {**one}, "else": {**one}},
    "dependentSchemas": lambda one, level: {"dependentSchemas": {f"a{level}": one, f"b{level}": {**one}}},
    "required": lambda one, level: {
        "type": "object",
        "properties": {f"p{place}": {**one} for place in range(8)},
        "required": [f"p{place}" for place in range(8)],
    },
    "patternProperties": lambda one, level: {"patternProperties": {"^a": one, "^[ab]": {**one}}},
    "unevaluatedProperties": lambda one, level: {
        "anyOf": [one, {**one}, {"properties": {f"q{level}": True}}],
        "properties": {f"p{level}": True},
        "unevaluatedProperties": False,
    },
    "unevaluatedItems": lambda one, level: {
        "anyOf": [one, {**one}],
        "prefixItems": [True],
        "unevaluatedItems": False,
    },
}
NESTED: dict[str, Link] = {
    "not": lambda one, level: {"not": one},
    "oneOf": lambda one, level: {"oneOf": [one, {"const": level}]},
    "unevaluatedProperties": lambda one, level: {
        "anyOf": [one, {"properties": {f"q{level}": True}}],
        "unevaluatedProperties": False,
    },
    "unevaluated under if": lambda one, level: {
        "if": one,
        "then": {"properties": {f"q{level}": True}},
        "unevaluatedProperties": WHOLE,
    },
}
HARD_PATTERNS = [f"^(a|b)*a(a|b){{{8 + place % 7}}}c{{{place}}}$" for place in range(40)]
WIDE = [f"n{place}" for place in range(5_000)]
HOSTILE: dict[str, tuple[Any, Any]] = {
    **{f"chain of {name}": (chain(link, TEXT), chain(link, WHOLE)) for name, link in LINKS.items()},
    **{f"nested {name}": (nested(link, TEXT), nested(link, WHOLE)) for name, link in NESTED.items()},
    "chain of $dynamicRef": (dynamic(TEXT), dynamic(WHOLE)),
    "many patterns": (
        {"patternProperties": {f"^a{{0,{place}}}": TEXT for place in range(200)}, "required": ["x"]},
        {"patternProperties": {f"^a{{0,{place}}}": WHOLE for place in range(200)}, "minProperties": 2},
    ),
    "hard patterns": (
        {"type": "object", "patternProperties": dict.fromkeys(HARD_PATTERNS, TEXT)},
        {"patternProperties": dict.fromkeys(HARD_PATTERNS, WHOLE)},
    ),
    "a pattern for backtracking": (
        {"anyOf": [{"const": "a" * 40 + "!"}, {"pattern": r"^((a+)+)\2b$"}]},
        {"pattern": r"^((a+)+)\2c$"},
    ),
    "long divisors": ({"allOf": [{"multipleOf": (1 << 1100) + 2 * place + 1} for place in range(300)]}, TEXT),
    "hard patterns at once": (
        {"allOf": [{"pattern": one} for one in HARD_PATTERNS]},
        {"allOf": [{"pattern": one} for one in [*HARD_PATTERNS, "d"]]},
    ),
    "many limits": (
        {
            "type": "array",
            "minItems": 20,
            "allOf": [{"contains": {"const": n}, "maxContains": n + 1} for n in range(40)],
        },
        {"maxItems": 21},
    ),
    "wide, required": ({"type": "object", "required": WIDE}, {"type": "object", "required": [*WIDE, "other"]}),
    "wide, one of": ({"oneOf": [{"required": [name]} for name in WIDE[:900]]}, {"required": ["a"]}),
    "references into unknown keywords": (
        {"x": [TEXT for _ in WIDE], "allOf": [{"$ref": f"#/x/{place}"} for place in range(len(WIDE))]},
        WHOLE,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_every_schema_ends_within_its_steps(name: str) -> None:
    old, new = HOSTILE[name]
    bounds = Bounds(steps=2_000, search_steps=20_000)
    size = sum(Document(one, None, bounds).size for one in (old, new))
    said = contained(old, new, bounds=bounds)
    # a proof, an explanation with as many steps, and a tenth of those of the search and of the shrinking
    assert said.steps <= 2 * (bounds.steps + 4 * size) + bounds.search_steps // 10 + 10_000
    assert said.answer is not Answer.YES


def test_where_it_ends_is_the_same_each_time() -> None:
    pair, bounds = HOSTILE["chain of unevaluatedItems"], Bounds(steps=1_000, search_steps=10_000)
    assert contained(*pair, bounds=bounds) == contained(*pair, bounds=bounds)


def test_what_is_reached_on_many_ways_is_proved_once() -> None:
    narrow, wide = chain(LINKS["both"], {**TEXT, "maxLength": 3}), chain(LINKS["both"], TEXT)
    assert contained(narrow, wide).answer is Answer.YES
    assert contained(wide, narrow).witness == "aaaa"


@pytest.mark.parametrize("name", LINKS)
def test_an_instance_is_judged_in_as_many_steps_as_there_are_schemas(name: str) -> None:
    document = Document(chain(LINKS[name], TEXT, 30), None, Bounds())
    steps = Steps(100_000)
    evaluator = Evaluator(document, steps=steps)
    before = steps.left
    for instance in ("a", 1, [], ["a"], {}, {"a": "a"}):
        said, others = evaluator.valid(instance), Confirmation(document, formats=False).says(instance)
        assert said is others or others is None
    assert before - steps.left < 12 * document.size


def test_what_is_not_understood_is_not_judged() -> None:
    document = Document({"pattern": r"^(a+)\1$"}, None, Bounds())
    assert Evaluator(document).valid("aa") is None
    assert Evaluator(document).valid(3) is True
    assert Confirmation(document, formats=False).says("aa") is None


def test_numbers_of_thousands_of_digits_are_refused() -> None:
    with pytest.raises(Exception, match="no number that is compared"):
        contained({"maximum": 10**500}, True)
    assert contained({"type": "integer", "minimum": 10**300}, {"minimum": 10**299}).answer is Answer.YES
