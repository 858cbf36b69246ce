"""The arrays' keywords and how they meet."""

from __future__ import annotations

from typing import Any

from tests.collections.templates.relations import DRAFT_7, DRAFT_2020, apart, constrains, idle, narrower, same

# fmt: off
# One claim a line: this is a table.
ARRAY: dict[str, Any] = {"type": "array"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
STRING: dict[str, Any] = {"type": "string"}
ANY: dict[str, Any] = {}
NEW = {"dialects": (DRAFT_2020,)}
OLD = {"dialects": (DRAFT_7,), "verbatim": True}

ITEMS = [
    *[row for context in (ANY, ARRAY) for row in constrains("items", context, {"items": INTEGER}, ["a"], "other items are out")],
    *constrains("items", ARRAY, {"items": False}, [1], "only the empty list is left"),
    *idle("items", ARRAY, {"items": True}, "any item passes"),
    *idle("items", STRING, {"items": INTEGER}, "a keyword of arrays says nothing of strings"),
    *narrower("items", {"items": INTEGER}, {"items": NUMBER}, [0.5], "items widened"),
    *narrower("items", {"items": {"enum": ["a"]}}, {"items": {"enum": ["a", "b"]}}, ["b"], "items widened"),
    *narrower("items", {**ARRAY, "items": {"minimum": 1}}, {**ARRAY, "items": {"minimum": 0}}, [0], "items widened"),
    *narrower("items", {**ARRAY, "items": {**ARRAY, "items": INTEGER}}, {**ARRAY, "items": ARRAY}, [["a"]], "items of items"),
    *narrower("items", {**ARRAY, "items": False}, {**ARRAY, "items": INTEGER}, [1], "the empty list is a list of integers"),
    *apart("items", {"items": INTEGER}, {"items": STRING}, [1], ["a"], "other items"),
    *apart("items", {**ARRAY, "items": {"minimum": 0, **INTEGER}}, {**ARRAY, "items": {"maximum": 0, **INTEGER}}, [1], [-1], "other items"),
    *apart("items", {**ARRAY, "items": STRING}, STRING, ["a"], "a", "a list for its item"),
    *same("items", {**ARRAY, "items": False}, {"const": []}, "only the empty list has no item"),
    *same("items", {**ARRAY, "items": INTEGER, "maxItems": 0}, {"const": []}, "only the empty list is short enough"),
    *same("items", {"items": {"allOf": [{"minimum": 0}, INTEGER]}}, {"items": {**INTEGER, "minimum": 0}}, "one item schema in two spellings"),
    *same("items", {"allOf": [{"items": {"minimum": 0}}, {"items": INTEGER}]}, {"items": {**INTEGER, "minimum": 0}}, "each item passes both"),
    *same("items", {**ARRAY, "items": {"type": ["integer", "string"]}}, {**ARRAY, "items": {"anyOf": [STRING, INTEGER]}}, "one item schema in two spellings"),
    *narrower("items", {"anyOf": [{**ARRAY, "items": INTEGER}, {**ARRAY, "items": STRING}]}, {**ARRAY, "items": {"type": ["integer", "string"]}}, [1, "a"], "lists of one kind are lists of mixed kinds"),
]

TUPLES = [
    *[row for context in (ANY, ARRAY) for row in constrains("prefixItems", context, {"prefixItems": [INTEGER]}, ["a"], "the first item is held")],
    *constrains("prefixItems", {**ARRAY, "minItems": 2}, {"prefixItems": [True, STRING]}, [1, 2], "the second item is held"),
    *idle("prefixItems", ARRAY, {"prefixItems": [True, True]}, "any items pass, and none is demanded"),
    *idle("prefixItems", {"type": "object"}, {"prefixItems": [INTEGER]}, "a keyword of arrays says nothing of objects"),
    *narrower("prefixItems", {"prefixItems": [INTEGER]}, {"prefixItems": [NUMBER]}, [0.5], "the first item widened"),
    *narrower("prefixItems", {"prefixItems": [INTEGER, STRING]}, {"prefixItems": [INTEGER]}, [1, 2], "the second item is free"),
    *narrower("prefixItems", {**ARRAY, "prefixItems": [INTEGER, STRING], "minItems": 2}, {**ARRAY, "prefixItems": [INTEGER, STRING]}, [1], "positions need not be filled"),
    *narrower("prefixItems", {**ARRAY, "prefixItems": [INTEGER], "items": False}, {**ARRAY, "prefixItems": [INTEGER], "items": STRING}, [1, "a"], "more items are allowed"),
    *narrower("prefixItems", {**ARRAY, "items": INTEGER}, {**ARRAY, "prefixItems": [INTEGER]}, [1, "a"], "all items against the first"),
    *narrower("prefixItems", {**ARRAY, "prefixItems": [INTEGER, INTEGER], "items": False}, {**ARRAY, "items": INTEGER}, [1, 2, 3], "short lists of integers are lists of integers"),
    *apart("prefixItems", {**ARRAY, "prefixItems": [INTEGER]}, {**ARRAY, "prefixItems": [STRING]}, [1], ["a"], "another first item"),
    *apart("prefixItems", {**ARRAY, "prefixItems": [INTEGER, STRING], "minItems": 2}, {**ARRAY, "prefixItems": [STRING, INTEGER], "minItems": 2}, [1, "a"], ["a", 1], "positions exchanged"),
    *apart("prefixItems", {**ARRAY, "prefixItems": [INTEGER], "items": STRING}, {**ARRAY, "prefixItems": [NUMBER], "items": False}, [1, "a"], [0.5], "first item widened, further ones out"),
    *same("prefixItems", {**ARRAY, "prefixItems": [INTEGER, True]}, {**ARRAY, "prefixItems": [INTEGER]}, "the second position holds nothing"),
    *same("prefixItems", {**ARRAY, "prefixItems": [INTEGER], "items": INTEGER}, {**ARRAY, "items": INTEGER}, "every position alike"),
    *same("prefixItems", {**ARRAY, "prefixItems": [True], "items": False}, {**ARRAY, "maxItems": 1}, "at most one item"),
    *same("prefixItems", {**ARRAY, "prefixItems": [INTEGER, False]}, {**ARRAY, "prefixItems": [INTEGER], "maxItems": 1}, "no second item can be"),
    *same("prefixItems", {**ARRAY, "prefixItems": [INTEGER, False], "minItems": 2}, False, "a second item must be and cannot be"),
    *same("prefixItems", {**ARRAY, "prefixItems": [STRING], "maxItems": 1}, {**ARRAY, "items": STRING, "maxItems": 1}, "one item at most"),
    *constrains("additionalItems", {**ARRAY, "prefixItems": [INTEGER]}, {"items": False}, [1, 2], "no more items than positions"),
    *constrains("additionalItems", {**ARRAY, "prefixItems": [INTEGER]}, {"items": STRING}, [1, 2], "further items are strings"),
    *idle("additionalItems", {**ARRAY, "prefixItems": [INTEGER]}, {"items": True}, "further items are free"),
    *narrower("additionalItems", {**ARRAY, "prefixItems": [STRING], "items": INTEGER}, {**ARRAY, "prefixItems": [STRING], "items": NUMBER}, ["a", 0.5], "further items widened"),
    *narrower("additionalItems", {"prefixItems": [STRING, STRING], "items": False}, {"prefixItems": [STRING, STRING, STRING], "items": False}, ["a", "b", "c"], "one more position"),
    *apart("additionalItems", {**ARRAY, "prefixItems": [STRING], "items": INTEGER}, {**ARRAY, "prefixItems": [STRING], "items": STRING}, ["a", 1], ["a", "b"], "other further items"),
    *same("additionalItems", {**ARRAY, "prefixItems": [STRING], "items": False}, {**ARRAY, "items": STRING, "maxItems": 1}, "one item at most"),
    *idle("additionalItems", {**ARRAY, "items": INTEGER}, {"additionalItems": False}, "beside `items` of one schema it says nothing", **OLD),
    *idle("additionalItems", ARRAY, {"additionalItems": False}, "without `items` it says nothing", **OLD),
    *idle("additionalItems", {**ARRAY, "items": [INTEGER, STRING], "maxItems": 2}, {"additionalItems": INTEGER}, "there are no further items", **OLD),
    *same("items", {**ARRAY, "items": [True]}, ARRAY, "the position holds nothing", **OLD),
    *apart("items", {**ARRAY, "items": [INTEGER]}, {**ARRAY, "items": STRING}, [1, 2], ["a"], "a list of schemas holds positions", **OLD),
    *narrower("items", {**ARRAY, "items": INTEGER}, {**ARRAY, "items": [INTEGER]}, [1, "a"], "a list of schemas holds positions only", **OLD),
    *narrower("items", {**ARRAY, "items": [INTEGER, INTEGER], "additionalItems": INTEGER, "minItems": 1}, {**ARRAY, "items": INTEGER}, [], "all integers", **OLD),
    *idle("prefixItems", ARRAY, {"prefixItems": [INTEGER]}, "draft-07 does not know it", **OLD),
    *idle("additionalItems", {**ARRAY, "prefixItems": [INTEGER]}, {"additionalItems": False}, "2020-12 does not know it", **NEW),
    *narrower("items", {**ARRAY, "prefixItems": [INTEGER, STRING], "items": INTEGER}, {**ARRAY, "prefixItems": [INTEGER, STRING]}, [1, "a", "b"], "`items` holds what follows the positions", **NEW),
]

SIZES = [
    *[row for context in (ANY, ARRAY) for row in constrains("minItems", context, {"minItems": 2}, [1], "short lists are out")],
    *[row for context in (ANY, ARRAY) for row in constrains("maxItems", context, {"maxItems": 2}, [1, 2, 3], "long lists are out")],
    *[row for context in (ANY, ARRAY) for row in constrains("uniqueItems", context, {"uniqueItems": True}, [1, 1], "repetitions are out")],
    *[row for word, value in (("minItems", 1), ("maxItems", 1), ("uniqueItems", True))
      for row in idle(word, STRING, {word: value}, "a keyword of arrays says nothing of strings")],
    *idle("minItems", ARRAY, {"minItems": 0}, "every list has at least no item"),
    *idle("uniqueItems", ARRAY, {"uniqueItems": False}, "false demands nothing"),
    *idle("uniqueItems", {**ARRAY, "maxItems": 1}, {"uniqueItems": True}, "one item repeats nothing"),
    *narrower("minItems", {"minItems": 3}, {"minItems": 2}, [1, 2], "shorter lists come in"),
    *narrower("minItems", {**ARRAY, "items": INTEGER, "minItems": 1}, {**ARRAY, "items": INTEGER}, [], "the empty list comes in"),
    *apart("minItems", {"minItems": 2}, {"maxItems": 2}, [1, 2, 3], [1], "the other side"),
    *same("minItems", {**ARRAY, "minItems": 3, "maxItems": 2}, False, "no list is between"),
    *same("minItems", {**ARRAY, "minItems": 1}, {**ARRAY, "not": {"maxItems": 0}}, "the complement"),
    *same("minItems", {**ARRAY, "minItems": 1, "items": False}, False, "an item must be and cannot be"),
    *narrower("maxItems", {"maxItems": 2}, {"maxItems": 3}, [1, 2, 3], "longer lists come in"),
    *narrower("maxItems", {**ARRAY, "items": STRING, "maxItems": 1}, {**ARRAY, "items": STRING}, ["a", "b"], "longer lists come in"),
    *apart("maxItems", {**ARRAY, "minItems": 1, "maxItems": 2}, {**ARRAY, "minItems": 2, "maxItems": 3}, [1], [1, 2, 3], "ranges that overlap"),
    *same("maxItems", {**ARRAY, "maxItems": 2}, {**ARRAY, "prefixItems": [True, True], "items": False}, "two positions and no more"),
    *narrower("uniqueItems", {**ARRAY, "items": INTEGER, "uniqueItems": True}, {**ARRAY, "items": INTEGER}, [1, 1], "repetitions come in"),
    *narrower("uniqueItems", {**ARRAY, "uniqueItems": True, "minItems": 1}, {**ARRAY, "minItems": 1}, [0, 0], "repetitions come in"),
    *narrower("uniqueItems", {"enum": [[1, True], [0, False]]}, {**ARRAY, "uniqueItems": True}, [2], "1 and true are two values, so are 0 and false"),
    *apart("uniqueItems", {"enum": [[1, 1.0]]}, {**ARRAY, "uniqueItems": True}, [1, 1], [1, 2], "1 and 1.0 are one value"),
    *apart("uniqueItems", {"enum": [[{"a": 1, "b": 2}, {"b": 2, "a": 1}]]}, {**ARRAY, "uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [1], "members have no order"),
    *apart("uniqueItems", {**ARRAY, "uniqueItems": True}, {**ARRAY, "maxItems": 2}, [1, 2, 3], [1, 1], "no repetition, or short"),
    *same("uniqueItems", {**ARRAY, "uniqueItems": True, "items": {"type": "boolean"}, "minItems": 3}, False, "there are only two booleans"),
    *same("uniqueItems", {**ARRAY, "uniqueItems": True, "items": {"enum": ["a", "b"]}}, {**ARRAY, "uniqueItems": True, "items": {"enum": ["a", "b"]}, "maxItems": 2}, "two values fill two places"),
    *narrower("uniqueItems", {**ARRAY, "uniqueItems": True, "items": {"const": 1}}, {**ARRAY, "maxItems": 1}, [2], "one value fills one place"),
    *same("uniqueItems", {**ARRAY, "uniqueItems": True, "items": {"type": "null"}}, {"enum": [[], [None]]}, "one value fills one place"),
]

CONTAINS = [
    *[row for context in (ANY, ARRAY) for row in constrains("contains", context, {"contains": INTEGER}, ["a"], "one integer is demanded")],
    *constrains("contains", ARRAY, {"contains": True}, [], "any item is demanded"),
    *idle("contains", STRING, {"contains": INTEGER}, "a keyword of arrays says nothing of strings"),
    *idle("contains", {**ARRAY, "items": INTEGER, "minItems": 1}, {"contains": INTEGER}, "every item is one, and there is one"),
    *narrower("contains", {"contains": INTEGER}, {"contains": NUMBER}, [0.5], "what is demanded is widened"),
    *narrower("contains", {**ARRAY, "contains": {"const": 1}}, {**ARRAY, "contains": INTEGER}, [2], "what is demanded is widened"),
    *narrower("contains", {**ARRAY, "contains": INTEGER}, {**ARRAY, "minItems": 1}, ["a"], "where one is, the list is not empty"),
    *narrower("contains", {**ARRAY, "prefixItems": [{"const": 1}], "minItems": 1}, {**ARRAY, "contains": {"const": 1}}, [2, 1], "the first item is the one"),
    *narrower("contains", {**ARRAY, "contains": {"enum": [1, "a"]}, "items": INTEGER}, {**ARRAY, "contains": {"const": 1}}, ["b", 1], "among integers only 1 is meant"),
    *narrower("contains", {**ARRAY, "contains": {"allOf": [INTEGER, {"minimum": 5}]}}, {**ARRAY, "allOf": [{"contains": INTEGER}, {"contains": {"minimum": 5}}]}, [1, 5.5], "one item that is both is one of each"),
    *apart("contains", {**ARRAY, "contains": INTEGER}, {**ARRAY, "contains": STRING}, [1], ["a"], "another item is demanded"),
    *apart("contains", {**ARRAY, "contains": INTEGER}, {**ARRAY, "items": INTEGER}, [1, "a"], [], "one of them or all of them"),
    *same("contains", {**ARRAY, "contains": True}, {**ARRAY, "minItems": 1}, "any item will do"),
    *same("contains", {**ARRAY, "contains": False}, False, "no item will do"),
    *same("contains", {**ARRAY, "contains": STRING, "items": INTEGER}, False, "what is demanded is excluded"),
    *same("contains", {**ARRAY, "contains": INTEGER}, {**ARRAY, "not": {"items": {"not": INTEGER}}}, "not all are something else"),
    *narrower("contains", {"const": [1, "a"]}, {**ARRAY, "contains": STRING}, ["a"], "the second item is the one"),
    *constrains("minContains", {**ARRAY, "contains": INTEGER}, {"minContains": 2}, [1], "two are demanded", **NEW),
    *idle("minContains", {**ARRAY, "contains": INTEGER}, {"minContains": 1}, "one is demanded anyhow", **NEW),
    *narrower("minContains", {**ARRAY, "contains": INTEGER}, {**ARRAY, "contains": INTEGER, "minContains": 0}, ["a"], "none is demanded", **NEW),
    *narrower("minContains", {**ARRAY, "contains": INTEGER, "minContains": 3}, {**ARRAY, "contains": INTEGER, "minContains": 2}, [1, 2], "fewer are demanded", **NEW),
    *narrower("minContains", {**ARRAY, "contains": INTEGER, "minContains": 2}, {**ARRAY, "minItems": 2}, ["a", "b"], "where two are, two items are", **NEW),
    *narrower("minContains", {**ARRAY, "contains": {"const": 1}, "minContains": 1, "maxContains": 1}, {**ARRAY, "contains": {"const": 1}}, [1, 1], "exactly one", **NEW),
    *apart("minContains", {**ARRAY, "contains": INTEGER, "minContains": 2}, {**ARRAY, "contains": INTEGER, "maxContains": 2}, [1, 2, 3], [1], "the other side", **NEW),
    *same("minContains", {**ARRAY, "contains": INTEGER, "minContains": 0}, ARRAY, "none is demanded", **NEW),
    *same("minContains", {**ARRAY, "contains": INTEGER, "minContains": 3, "maxContains": 2}, False, "no count is between", **NEW),
    *same("minContains", {**ARRAY, "contains": INTEGER, "minContains": 2, "maxItems": 1}, False, "there is no room", **NEW),
    *same("minContains", {**ARRAY, "contains": {"const": 1}, "minContains": 2, "uniqueItems": True}, False, "one value does not repeat", **NEW),
    *same("minContains", {**ARRAY, "contains": True, "minContains": 2}, {**ARRAY, "minItems": 2}, "any items will do", **NEW),
    *idle("minContains", ARRAY, {"minContains": 3}, "without `contains` it says nothing", **NEW),
    *idle("minContains", {**ARRAY, "contains": INTEGER}, {"minContains": 3}, "draft-07 does not know it", **OLD),
    *constrains("maxContains", {**ARRAY, "contains": INTEGER}, {"maxContains": 2}, [1, 2, 3], "at most two may be", **NEW),
    *narrower("maxContains", {**ARRAY, "contains": INTEGER, "maxContains": 1}, {**ARRAY, "contains": INTEGER, "maxContains": 2}, [1, 2], "more may be", **NEW),
    *narrower("maxContains", {**ARRAY, "contains": NUMBER, "minContains": 0, "maxContains": 1}, {**ARRAY, "contains": INTEGER, "minContains": 0, "maxContains": 1}, [0.5, 0.5], "at most one number is at most one integer", **NEW),
    *apart("maxContains", {**ARRAY, "contains": INTEGER, "maxContains": 1}, {**ARRAY, "maxItems": 1}, [1, "a"], [], "at most one of them, or of all", **NEW),
    *same("maxContains", {**ARRAY, "contains": INTEGER, "minContains": 0, "maxContains": 0}, {**ARRAY, "items": {"not": INTEGER}}, "none may be", **NEW),
    *same("maxContains", {**ARRAY, "contains": True, "maxContains": 2}, {**ARRAY, "minItems": 1, "maxItems": 2}, "any item counts", **NEW),
    *same("maxContains", {**ARRAY, "contains": INTEGER, "maxContains": 0}, False, "one is demanded and none may be", **NEW),
    *idle("maxContains", ARRAY, {"maxContains": 0}, "without `contains` it says nothing", **NEW),
    *idle("maxContains", {**ARRAY, "contains": INTEGER}, {"maxContains": 1}, "draft-07 does not know it", **OLD),
]

UNEVALUATED = [
    *constrains("unevaluatedItems", {**ARRAY, "prefixItems": [INTEGER]}, {"unevaluatedItems": False}, [1, 2], "items beyond the position are out", **NEW),
    *constrains("unevaluatedItems", ARRAY, {"unevaluatedItems": STRING}, [1], "nothing else looks at the items", **NEW),
    *constrains("unevaluatedItems", {**ARRAY, "allOf": [{"prefixItems": [INTEGER]}]}, {"unevaluatedItems": False}, [1, 2], "it sees into allOf", **NEW),
    *constrains("unevaluatedItems", {**ARRAY, "contains": INTEGER}, {"unevaluatedItems": False}, [1, "a"], "contains looks at the items that pass", **NEW),
    *idle("unevaluatedItems", {**ARRAY, "items": INTEGER}, {"unevaluatedItems": False}, "`items` looks at all", **NEW),
    *idle("unevaluatedItems", {**ARRAY, "allOf": [{"items": INTEGER}]}, {"unevaluatedItems": False}, "`items` looks at all, also from a part", **NEW),
    *idle("unevaluatedItems", {**ARRAY, "prefixItems": [INTEGER], "maxItems": 1}, {"unevaluatedItems": False}, "there are no others", **NEW),
    *narrower("unevaluatedItems", {**ARRAY, "prefixItems": [INTEGER], "unevaluatedItems": False}, {**ARRAY, "prefixItems": [INTEGER], "unevaluatedItems": STRING}, [1, "a"], "strings may follow", **NEW),
    *narrower("unevaluatedItems", {**ARRAY, "allOf": [{"prefixItems": [INTEGER]}], "unevaluatedItems": False}, {**ARRAY, "allOf": [{"prefixItems": [INTEGER, True]}], "unevaluatedItems": False}, [1, 2], "one more position is looked at", **NEW),
    *apart("unevaluatedItems", {**ARRAY, "unevaluatedItems": INTEGER}, {**ARRAY, "unevaluatedItems": STRING}, [1], ["a"], "other items", **NEW),
    *same("unevaluatedItems", {**ARRAY, "unevaluatedItems": INTEGER}, {**ARRAY, "items": INTEGER}, "nothing else looks at the items", **NEW),
    *same("unevaluatedItems", {**ARRAY, "prefixItems": [INTEGER], "unevaluatedItems": False}, {**ARRAY, "prefixItems": [INTEGER], "items": False}, "one schema object, nothing else looks", **NEW),
    *same("unevaluatedItems", {**ARRAY, "contains": INTEGER, "unevaluatedItems": STRING}, {**ARRAY, "contains": INTEGER, "items": {"type": ["integer", "string"]}}, "what contains does not look at is a string", **NEW),
    *narrower("unevaluatedItems", {**ARRAY, "prefixItems": [INTEGER], "items": False}, {**ARRAY, "anyOf": [{"prefixItems": [INTEGER]}, {"prefixItems": [True, STRING], "minItems": 2}], "unevaluatedItems": False}, [1, "a"], "a branch that passes looks at its positions", **NEW),
    *idle("unevaluatedItems", {**ARRAY, "items": [INTEGER]}, {"unevaluatedItems": False}, "draft-07 does not know it", **OLD),
]

ROWS = [*ITEMS, *TUPLES, *SIZES, *CONTAINS, *UNEVALUATED]
