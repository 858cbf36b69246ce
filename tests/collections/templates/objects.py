"""The objects' keywords and how they meet."""

from __future__ import annotations

from typing import Any

from tests.collections.templates.relations import DRAFT_7, DRAFT_2020, apart, constrains, idle, narrower, same

# fmt: off
# One claim a line: this is a table.
OBJECT: dict[str, Any] = {"type": "object"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
STRING: dict[str, Any] = {"type": "string"}
ANY: dict[str, Any] = {}
NEW = {"dialects": (DRAFT_2020,)}
OLD = {"dialects": (DRAFT_7,), "verbatim": True}
CLOSED: dict[str, Any] = {"additionalProperties": False}


def closed(**properties: Any) -> dict[str, Any]:
    """An object with these properties, all optional, and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def open_(**properties: Any) -> dict[str, Any]:
    """An object with these properties, all optional, and any others."""
    return {"type": "object", "properties": properties}


PROPERTIES = [
    *[row for context in (ANY, OBJECT) for row in constrains("properties", context, {"properties": {"a": INTEGER}}, {"a": "x"}, "a property is held; any value passed before")],
    *constrains("properties", open_(a=INTEGER), {"properties": {"a": INTEGER, "b": STRING}}, {"b": 1}, "an open object allowed any value of b"),
    *constrains("properties", OBJECT, {"properties": {"a": False}}, {"a": 1}, "the property may not be"),
    *idle("properties", OBJECT, {"properties": {"a": True}}, "any value passes"),
    *idle("properties", OBJECT, {"properties": {}}, "no property is held"),
    *idle("properties", STRING, {"properties": {"a": INTEGER}}, "a keyword of objects says nothing of strings"),
    *narrower("properties", open_(a=INTEGER), open_(a=NUMBER), {"a": 0.5}, "a property widened"),
    *narrower("properties", closed(a=INTEGER), closed(a=INTEGER, b=STRING), {"b": "x"}, "a closed object gets an optional property"),
    *narrower("properties", closed(a=INTEGER), open_(a=INTEGER), {"b": 1}, "an object is opened"),
    *narrower("properties", open_(a=STRING), open_(a={"type": ["string", "null"]}), {"a": None}, "null is allowed beside"),
    *narrower("properties", open_(a=closed(b=INTEGER)), open_(a=closed(b=INTEGER, c=STRING)), {"a": {"c": "x"}}, "a nested closed object gets a property"),
    *narrower("properties", open_(a={"enum": ["x"]}), open_(a={"enum": ["x", "y"]}), {"a": "y"}, "one more value"),
    *apart("properties", open_(a=INTEGER), open_(b=INTEGER), {"b": "x"}, {"a": "x"}, "another property is held"),
    *apart("properties", closed(a=INTEGER), closed(b=INTEGER), {"a": 1}, {"b": 1}, "a property renamed"),
    *apart("properties", closed(a=INTEGER), closed(A=INTEGER), {"a": 1}, {"A": 1}, "case counts"),
    *apart("properties", open_(a=INTEGER), open_(a=STRING), {"a": 1}, {"a": "x"}, "another type"),
    *apart("properties", open_(a=INTEGER, b=NUMBER), open_(a=NUMBER, b=INTEGER), {"b": 0.5}, {"a": 0.5}, "one widened, one narrowed"),
    *apart("properties", open_(a=closed(b=INTEGER)), open_(a=INTEGER), {"a": {"b": 1}}, {"a": 1}, "another type"),
    *same("properties", open_(a=INTEGER, b=STRING), open_(b=STRING, a=INTEGER), "order of properties has no meaning"),
    *same("properties", open_(a=INTEGER, b=True), open_(a=INTEGER), "b holds nothing in an open object"),
    *same("properties", {"allOf": [open_(a=INTEGER), open_(b=STRING)]}, open_(a=INTEGER, b=STRING), "both parts hold"),
    *same("properties", closed(a=INTEGER, b=False), closed(a=INTEGER), "b may not be, either way"),
    *same("properties", {**open_(a=False), "required": ["a"]}, False, "a must be and may not be"),
    *same("properties", closed(), {"const": {}}, "only the empty object has no property"),
]

REQUIRED = [
    *[row for context in (ANY, OBJECT) for row in constrains("required", context, {"required": ["a"]}, {}, "a property is demanded")],
    *constrains("required", open_(a=INTEGER, b=STRING), {"required": ["a"]}, {"b": "x"}, "an optional property is demanded"),
    *constrains("required", closed(a=INTEGER), {"required": ["a"]}, {}, "an optional property is demanded"),
    *idle("required", OBJECT, {"required": []}, "nothing is demanded"),
    *idle("required", INTEGER, {"required": ["a"]}, "a keyword of objects says nothing of integers"),
    *narrower("required", {"required": ["a", "b"]}, {"required": ["a"]}, {"a": 1}, "b becomes optional"),
    *narrower("required", {**closed(a=INTEGER, b=STRING), "required": ["a", "b"]}, {**closed(a=INTEGER, b=STRING), "required": ["b"]}, {"b": "x"}, "a becomes optional"),
    *narrower("required", {**open_(a=INTEGER), "required": ["a"]}, {**open_(a=NUMBER)}, {}, "optional and widened"),
    *narrower("required", {**OBJECT, "required": ["a", "b"]}, {**OBJECT, "minProperties": 2}, {"a": 1, "c": 1}, "where two are, two are"),
    *narrower("required", {**OBJECT, "required": ["a"]}, {**OBJECT, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, "one of the two"),
    *narrower("required", {**closed(a=INTEGER, b=INTEGER), "required": ["a"]}, {**closed(a=INTEGER, b=INTEGER), "minProperties": 1}, {"b": 1}, "where a is, one is"),
    *apart("required", {"required": ["a"]}, {"required": ["b"]}, {"a": 1}, {"b": 1}, "another property is demanded"),
    *apart("required", {**OBJECT, "required": ["a"]}, {**OBJECT, "maxProperties": 1}, {"a": 1, "b": 1}, {}, "demanded, or few"),
    *apart("required", {**open_(a=NUMBER), "required": ["a"]}, open_(a=INTEGER), {"a": 0.5}, {}, "optional and narrowed"),
    *apart("required", {**closed(a=INTEGER), "required": ["a"]}, {**closed(a=INTEGER, b=INTEGER), "required": ["a", "b"]}, {"a": 1}, {"a": 1, "b": 1}, "one more property, demanded"),
    *same("required", {"required": ["a", "b"]}, {"required": ["b", "a"]}, "order of names has no meaning"),
    *same("required", {"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"required": ["a", "b"]}, "both are demanded"),
    *same("required", {**closed(a=INTEGER), "required": ["b"]}, False, "b must be and may not be"),
    *same("required", {**closed(a=INTEGER), "required": ["a"]}, {**closed(a=INTEGER), "minProperties": 1}, "there is only a to be"),
    *same("required", {**OBJECT, "not": {"required": ["a"]}}, {**OBJECT, "properties": {"a": False}}, "a may not be"),
    *same("required", {**OBJECT, "required": ["a"], "maxProperties": 0}, False, "a must be and nothing may be"),
]

ADDITIONAL = [
    *constrains("additionalProperties", open_(a=INTEGER), CLOSED, {"b": 1}, "other properties are out"),
    *constrains("additionalProperties", open_(a=INTEGER), {"additionalProperties": STRING}, {"b": 1}, "other properties are held"),
    *constrains("additionalProperties", OBJECT, {"additionalProperties": INTEGER}, {"b": "x"}, "all properties are held"),
    *idle("additionalProperties", open_(a=INTEGER), {"additionalProperties": True}, "other properties are free"),
    *idle("additionalProperties", STRING, CLOSED, "a keyword of objects says nothing of strings"),
    *idle("additionalProperties", {**open_(a=INTEGER), "required": ["a"], "maxProperties": 1}, CLOSED, "there is no room for others"),
    *narrower("additionalProperties", closed(a=INTEGER), {**open_(a=INTEGER), "additionalProperties": STRING}, {"b": "x"}, "strings are allowed beside"),
    *narrower("additionalProperties", {**OBJECT, "additionalProperties": INTEGER}, {**OBJECT, "additionalProperties": NUMBER}, {"a": 0.5}, "values widened"),
    *narrower("additionalProperties", {**OBJECT, "additionalProperties": INTEGER}, open_(a=INTEGER), {"b": "x"}, "all held against one"),
    *narrower("additionalProperties", closed(a=INTEGER, b=INTEGER), {**OBJECT, "additionalProperties": INTEGER}, {"c": 1}, "two integers among any"),
    *narrower("additionalProperties", {**OBJECT, "additionalProperties": STRING}, {**OBJECT, "properties": {"a": {"type": ["string", "integer"]}}, "additionalProperties": STRING}, {"a": 1}, "one property widened"),
    *apart("additionalProperties", {**OBJECT, "additionalProperties": INTEGER}, {**OBJECT, "additionalProperties": STRING}, {"a": 1}, {"a": "x"}, "other values"),
    *apart("additionalProperties", {**open_(a=STRING), "additionalProperties": INTEGER}, {**OBJECT, "additionalProperties": INTEGER}, {"a": "x"}, {"a": 1}, "a is no exception any more"),
    *apart("additionalProperties", {**open_(a=INTEGER), "additionalProperties": INTEGER}, closed(a=NUMBER), {"b": 1}, {"a": 0.5}, "others out, a widened"),
    *same("additionalProperties", {**open_(a=INTEGER), "additionalProperties": INTEGER}, {**OBJECT, "additionalProperties": INTEGER}, "a is held like the others"),
    *same("additionalProperties", {**OBJECT, **CLOSED}, {**OBJECT, "maxProperties": 0}, "only the empty object"),
    *same("additionalProperties", {"allOf": [closed(a=INTEGER), closed(b=STRING)]}, {"const": {}}, "each part sees its own properties only"),
    *narrower("additionalProperties", {"allOf": [closed(a=INTEGER), open_(b=STRING)]}, closed(a=INTEGER, b=STRING), {"b": "x"}, "b is not known in the closed part"),
    *same("additionalProperties", {"properties": {"a": INTEGER}, "allOf": [{"additionalProperties": STRING}]}, {"properties": {"a": False}, "additionalProperties": STRING}, "the part does not see the properties beside it"),
]

PATTERNS = [
    *[row for context in (ANY, OBJECT) for row in constrains("patternProperties", context, {"patternProperties": {"^x-": INTEGER}}, {"x-a": "x"}, "matching properties are held")],
    *constrains("patternProperties", open_(a=INTEGER), {"patternProperties": {"b": STRING}}, {"abc": 1}, "a pattern is not anchored"),
    *idle("patternProperties", OBJECT, {"patternProperties": {"^x-": True}}, "any value passes"),
    *idle("patternProperties", open_(ab=INTEGER), {"patternProperties": {"^ab$": INTEGER}}, "ab is held already"),
    *idle("patternProperties", STRING, {"patternProperties": {"^x-": INTEGER}}, "a keyword of objects says nothing of strings"),
    *narrower("patternProperties", {"patternProperties": {"^x-": INTEGER}}, {"patternProperties": {"^x-": NUMBER}}, {"x-a": 0.5}, "values widened"),
    *narrower("patternProperties", {"patternProperties": {"^x": INTEGER}}, {"patternProperties": {"^x-": INTEGER}}, {"xa": "x"}, "fewer names are held"),
    *narrower("patternProperties", closed(a=INTEGER), {**closed(a=INTEGER), "patternProperties": {"^x-": True}}, {"x-a": 1}, "names that match are allowed beside"),
    *narrower("patternProperties", {**OBJECT, **CLOSED, "patternProperties": {"^x-": True}}, {**OBJECT, **CLOSED, "patternProperties": {"^x": True}}, {"xa": 1}, "more names are allowed"),
    *narrower("patternProperties", {**OBJECT, "patternProperties": {"^[a-z]+$": INTEGER}, **CLOSED}, {**OBJECT, "additionalProperties": INTEGER}, {"A": 1}, "fewer names with the same values"),
    *narrower("patternProperties", closed(foo=INTEGER), {**OBJECT, "patternProperties": {"^f": INTEGER}, **CLOSED}, {"fa": 1}, "foo is a name that matches"),
    *apart("patternProperties", {"patternProperties": {"^x-": INTEGER}}, {"patternProperties": {"^y-": INTEGER}}, {"y-a": "x"}, {"x-a": "x"}, "other names are held"),
    *apart("patternProperties", {"patternProperties": {"^x-": INTEGER}}, {"patternProperties": {"^x-": STRING}}, {"x-a": 1}, {"x-a": "x"}, "other values"),
    *apart("patternProperties", {**OBJECT, "patternProperties": {"^x-": INTEGER}, **CLOSED}, {**OBJECT, "properties": {"x-a": NUMBER}, **CLOSED}, {"x-b": 1}, {"x-a": 0.5}, "names against one name"),
    *same("patternProperties", {"patternProperties": {"^a$": INTEGER}}, {"properties": {"a": INTEGER}}, "one name matches"),
    *same("patternProperties", {"patternProperties": {"": INTEGER}}, {"additionalProperties": INTEGER}, "every name matches"),
    *same("patternProperties", {"patternProperties": {"^a": {"minimum": 0}, "b$": INTEGER}, "required": ["ab"], "maxProperties": 1, **OBJECT}, {"properties": {"ab": {**INTEGER, "minimum": 0}}, "required": ["ab"], "maxProperties": 1, **OBJECT}, "ab matches both"),
    *same("patternProperties", {**OBJECT, "properties": {"x-a": INTEGER}, "patternProperties": {"^x-": STRING}, "required": ["x-a"]}, False, "x-a would be an integer and a string"),
    *same("patternProperties", {"patternProperties": {"^(a|b)$": INTEGER}}, {"properties": {"a": INTEGER, "b": INTEGER}}, "two names match"),
    *same("patternProperties", {"patternProperties": {"^x": INTEGER}, "additionalProperties": INTEGER}, {"additionalProperties": INTEGER}, "all are held alike"),
    *narrower("patternProperties", {**OBJECT, "properties": {"xa": STRING}, "patternProperties": {"^x": {"minLength": 2}}}, {**OBJECT, "properties": {"xa": {**STRING, "minLength": 2}}}, {"xb": "a"}, "xa is held by both"),
]

NAMES = [
    *[row for context in (ANY, OBJECT) for row in constrains("propertyNames", context, {"propertyNames": {"maxLength": 2}}, {"abc": 1}, "long names are out")],
    *constrains("propertyNames", open_(a=INTEGER), {"propertyNames": {"pattern": "^a"}}, {"b": 1}, "other names are out"),
    *constrains("propertyNames", OBJECT, {"propertyNames": {"enum": ["a", "b"]}}, {"c": 1}, "two names are left"),
    *idle("propertyNames", OBJECT, {"propertyNames": STRING}, "every name is a string"),
    *idle("propertyNames", OBJECT, {"propertyNames": {"minimum": 5}}, "a name is no number"),
    *idle("propertyNames", closed(a=INTEGER), {"propertyNames": {"maxLength": 1}}, "there is only a"),
    *idle("propertyNames", INTEGER, {"propertyNames": False}, "a keyword of objects says nothing of integers"),
    *narrower("propertyNames", {"propertyNames": {"maxLength": 2}}, {"propertyNames": {"maxLength": 3}}, {"abc": 1}, "longer names come in"),
    *narrower("propertyNames", {**OBJECT, "propertyNames": {"enum": ["a"]}}, {**OBJECT, "propertyNames": {"enum": ["a", "b"]}}, {"b": 1}, "one more name"),
    *narrower("propertyNames", {**OBJECT, "propertyNames": {"enum": ["a", "b"]}}, {**OBJECT, "maxProperties": 2}, {"c": 1}, "two names make two properties"),
    *narrower("propertyNames", {"propertyNames": {"pattern": "^a+$"}}, {"propertyNames": {"pattern": "^a"}}, {"ab": 1}, "more names"),
    *apart("propertyNames", {"propertyNames": {"pattern": "^a"}}, {"propertyNames": {"pattern": "^b"}}, {"a": 1}, {"b": 1}, "other names"),
    *apart("propertyNames", {**OBJECT, "propertyNames": {"enum": ["a", "b"]}}, {**OBJECT, "maxProperties": 1}, {"a": 1, "b": 1}, {"c": 1}, "names or number"),
    *same("propertyNames", {**OBJECT, "propertyNames": False}, {"const": {}}, "no name is legal"),
    *same("propertyNames", {**OBJECT, "propertyNames": INTEGER}, {"const": {}}, "no name is an integer"),
    *same("propertyNames", {**OBJECT, "propertyNames": {"enum": ["a", "b"]}}, closed(a=True, b=True), "two names"),
    *same("propertyNames", {**OBJECT, "propertyNames": {"enum": ["a", "b"]}, "minProperties": 3}, False, "two names cannot make three"),
    *same("propertyNames", {**OBJECT, "propertyNames": {"pattern": "^x-"}}, {**OBJECT, "patternProperties": {"^x-": True}, **CLOSED}, "names that match"),
    *same("propertyNames", {**OBJECT, "propertyNames": {"const": "a"}, "required": ["b"]}, False, "b must be and is no legal name"),
]

SIZES = [
    *[row for context in (ANY, OBJECT) for row in constrains("minProperties", context, {"minProperties": 1}, {}, "small objects are out")],
    *[row for context in (ANY, OBJECT) for row in constrains("maxProperties", context, {"maxProperties": 1}, {"a": 1, "b": 2}, "large objects are out")],
    *[row for word in ("minProperties", "maxProperties") for row in idle(word, {"type": "array"}, {word: 1}, "a keyword of objects says nothing of arrays")],
    *idle("minProperties", {**OBJECT, "required": ["a", "b"]}, {"minProperties": 2}, "two are there anyhow"),
    *idle("maxProperties", closed(a=True, b=True), {"maxProperties": 2}, "there are only two"),
    *narrower("minProperties", {"minProperties": 2}, {"minProperties": 1}, {"a": 1}, "smaller objects come in"),
    *narrower("minProperties", {**closed(a=INTEGER, b=INTEGER), "minProperties": 2}, {**closed(a=INTEGER, b=INTEGER), "required": ["a"]}, {"a": 1}, "both are there, so a is"),
    *apart("minProperties", {"minProperties": 1}, {"maxProperties": 1}, {"a": 1, "b": 1}, {}, "the other side"),
    *same("minProperties", {**OBJECT, "minProperties": 2, "maxProperties": 1}, False, "no object is between"),
    *same("minProperties", {**closed(a=INTEGER, b=INTEGER), "minProperties": 2}, {**closed(a=INTEGER, b=INTEGER), "required": ["a", "b"]}, "both must be"),
    *same("minProperties", {**OBJECT, "minProperties": 1}, {**OBJECT, "not": {"maxProperties": 0}}, "the complement"),
    *narrower("maxProperties", {"maxProperties": 1}, {"maxProperties": 2}, {"a": 1, "b": 1}, "larger objects come in"),
    *narrower("maxProperties", {**OBJECT, "required": ["a"], "maxProperties": 1}, closed(a=True), {}, "a alone"),
    *apart("maxProperties", {**OBJECT, "maxProperties": 1}, closed(a=True, b=True), {"c": 1}, {"a": 1, "b": 1}, "number or names"),
    *same("maxProperties", {**OBJECT, "maxProperties": 0}, {"const": {}}, "only the empty object"),
]

DEPENDENT = [
    *[row for context in (ANY, OBJECT) for row in constrains("dependentRequired", context, {"dependentRequired": {"a": ["b"]}}, {"a": 1}, "a demands b")],
    *constrains("dependentRequired", {**OBJECT, "required": ["a"]}, {"dependentRequired": {"a": ["b"]}}, {"a": 1}, "a demands b"),
    *idle("dependentRequired", OBJECT, {"dependentRequired": {"a": []}}, "a demands nothing"),
    *idle("dependentRequired", {**OBJECT, "required": ["b"]}, {"dependentRequired": {"a": ["b"]}}, "b is there anyhow"),
    *idle("dependentRequired", closed(b=INTEGER), {"dependentRequired": {"a": ["b"]}}, "a may not be"),
    *narrower("dependentRequired", {"dependentRequired": {"a": ["b", "c"]}}, {"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 1}, "a demands less"),
    *narrower("dependentRequired", {**OBJECT, "required": ["b"]}, {**OBJECT, "dependentRequired": {"a": ["b"]}}, {}, "always, or beside a"),
    *narrower("dependentRequired", {"dependentRequired": {"a": ["b"], "b": ["c"]}}, {"dependentRequired": {"a": ["c"]}}, {"b": 1}, "a demands b, and b demands c"),
    *apart("dependentRequired", {"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"b": ["a"]}}, {"b": 1}, {"a": 1}, "the other way round"),
    *apart("dependentRequired", {**OBJECT, "dependentRequired": {"a": ["b"]}}, {**OBJECT, "required": ["a"]}, {}, {"a": 1}, "beside, or always"),
    *same("dependentRequired", {**OBJECT, "required": ["a"], "dependentRequired": {"a": ["b"]}}, {**OBJECT, "required": ["a", "b"]}, "a is there, so b is"),
    *same("dependentRequired", {**OBJECT, "dependentRequired": {"a": ["b"]}}, {**OBJECT, "anyOf": [{"not": {"required": ["a"]}}, {"required": ["b"]}]}, "no a, or b"),
    *same("dependentRequired", {**OBJECT, "dependentRequired": {"a": ["b"]}}, {**OBJECT, "if": {"required": ["a"]}, "then": {"required": ["b"]}}, "if a, then b"),
    *same("dependentRequired", {"dependentRequired": {"a": ["b"]}}, {"dependentSchemas": {"a": {"required": ["b"]}}}, "two spellings of a demand"),
    *[row for context in (ANY, OBJECT) for row in constrains("dependentSchemas", context, {"dependentSchemas": {"a": {"properties": {"b": INTEGER}}}}, {"a": 1, "b": "x"}, "beside a, b is held")],
    *constrains("dependentSchemas", OBJECT, {"dependentSchemas": {"a": False}}, {"a": 1}, "a may not be"),
    *idle("dependentSchemas", OBJECT, {"dependentSchemas": {"a": True}}, "nothing is demanded"),
    *narrower("dependentSchemas", {"dependentSchemas": {"a": {"properties": {"b": INTEGER}}}}, {"dependentSchemas": {"a": {"properties": {"b": NUMBER}}}}, {"a": 1, "b": 0.5}, "what is demanded is widened"),
    *narrower("dependentSchemas", open_(b=INTEGER), {**OBJECT, "dependentSchemas": {"a": {"properties": {"b": INTEGER}}}}, {"b": "x"}, "always, or beside a"),
    *narrower("dependentSchemas", {**OBJECT, "dependentSchemas": {"a": {"maxProperties": 1}}}, {**OBJECT, "dependentSchemas": {"a": {"maxProperties": 2}}}, {"a": 1, "b": 1}, "more may be beside"),
    *apart("dependentSchemas", {"dependentSchemas": {"a": {"required": ["b"]}}}, {"dependentSchemas": {"a": {"required": ["c"]}}}, {"a": 1, "b": 1}, {"a": 1, "c": 1}, "another demand"),
    *same("dependentSchemas", {**OBJECT, "dependentSchemas": {"a": False}}, {**OBJECT, "properties": {"a": False}}, "a may not be"),
    *same("dependentSchemas", {**OBJECT, "required": ["a"], "dependentSchemas": {"a": {"properties": {"b": INTEGER}}}}, {**open_(b=INTEGER), "required": ["a"]}, "a is there"),
    *idle("dependentRequired", OBJECT, {"dependentRequired": {"a": ["b"]}}, "draft-07 does not know it", **OLD),
    *idle("dependentSchemas", OBJECT, {"dependentSchemas": {"a": False}}, "draft-07 does not know it", **OLD),
    *constrains("dependencies", OBJECT, {"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}, {"c": 1}, "both kinds in one", **OLD),
    *narrower("dependencies", {"dependencies": {"a": ["b"], "c": ["b"]}}, {"dependencies": {"a": {"required": ["b"]}}}, {"c": 1}, "a list of names is a demand for them", **OLD),
    *apart("dependencies", {"dependencies": {"a": ["b"]}}, {"dependencies": {"a": {"properties": {"b": INTEGER}}}}, {"a": 1, "b": "x"}, {"a": 1}, "names demanded, or a value held", **OLD),
    *idle("dependencies", OBJECT, {"dependencies": {"a": ["b"]}}, "2020-12 has other words for it", dialects=(DRAFT_2020,), doubtful="2020-12 lets an implementation keep the old word for compatibility; by its vocabularies it is unknown and ignored"),
]

UNEVALUATED = [
    *constrains("unevaluatedProperties", open_(a=INTEGER), {"unevaluatedProperties": False}, {"b": 1}, "other properties are out", **NEW),
    *constrains("unevaluatedProperties", {"allOf": [open_(a=INTEGER)], "properties": {"b": INTEGER}}, {"unevaluatedProperties": False}, {"c": 1}, "it sees into allOf", **NEW),
    *constrains("unevaluatedProperties", {**OBJECT, "patternProperties": {"^x": INTEGER}}, {"unevaluatedProperties": STRING}, {"a": 1}, "names that do not match are held", **NEW),
    *idle("unevaluatedProperties", {**open_(a=INTEGER), "additionalProperties": STRING}, {"unevaluatedProperties": False}, "additionalProperties looks at all others", **NEW),
    *idle("unevaluatedProperties", {**OBJECT, "allOf": [{"additionalProperties": True}]}, {"unevaluatedProperties": False}, "additionalProperties looks at all, also from a part", **NEW),
    *narrower("unevaluatedProperties", {"allOf": [open_(a=INTEGER)], "additionalProperties": False}, {"allOf": [open_(a=INTEGER)], "unevaluatedProperties": False}, {"a": 1}, "additionalProperties does not see into allOf", **NEW),
    *narrower("unevaluatedProperties", {**open_(a=INTEGER), "unevaluatedProperties": False}, {**open_(a=INTEGER), "unevaluatedProperties": STRING}, {"b": "x"}, "strings are allowed beside", **NEW),
    *narrower("unevaluatedProperties", {**open_(a=INTEGER), "unevaluatedProperties": False}, {**open_(a=INTEGER), "anyOf": [True, {"properties": {"b": True}}], "unevaluatedProperties": False}, {"b": 1}, "a branch looks at b", **NEW),
    *narrower("unevaluatedProperties", {**OBJECT, "properties": {"a": True}, "unevaluatedProperties": False}, {**OBJECT, "if": {"required": ["a"]}, "then": {"properties": {"b": True}}, "properties": {"a": True}, "unevaluatedProperties": False}, {"a": 1, "b": 1}, "then looks at b", **NEW),
    *narrower("unevaluatedProperties", {**open_(a=True), "unevaluatedProperties": False}, {**open_(a=True), "dependentSchemas": {"a": {"properties": {"b": True}}}, "unevaluatedProperties": False}, {"a": 1, "b": 1}, "beside a, b is looked at", **NEW),
    *apart("unevaluatedProperties", {**OBJECT, "unevaluatedProperties": INTEGER}, {**OBJECT, "unevaluatedProperties": STRING}, {"a": 1}, {"a": "x"}, "other values", **NEW),
    *same("unevaluatedProperties", {**open_(a=INTEGER), "unevaluatedProperties": False}, closed(a=INTEGER), "nothing else looks at properties", **NEW),
    *same("unevaluatedProperties", {"allOf": [open_(a=INTEGER), open_(b=STRING)], "unevaluatedProperties": False}, closed(a=INTEGER, b=STRING), "both parts are seen", **NEW),
    *same("unevaluatedProperties", {**open_(a=INTEGER), "not": {"not": {"properties": {"b": True}}}, "unevaluatedProperties": False}, closed(a=INTEGER), "what is looked at below `not` does not count", **NEW),
    *same("unevaluatedProperties", {"$ref": "#/$defs/part", "properties": {"b": STRING}, "unevaluatedProperties": False, "$defs": {"part": open_(a=INTEGER)}}, closed(a=INTEGER, b=STRING), "references are seen through", **NEW),
    *same("unevaluatedProperties", {**OBJECT, "oneOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"properties": {"b": {"const": 1}}, "required": ["b"]}], "unevaluatedProperties": False}, {"enum": [{"a": 1}, {"b": 1}]}, "the branch that passes looks at its property", **NEW),
    *idle("unevaluatedProperties", open_(a=INTEGER), {"unevaluatedProperties": False}, "draft-07 does not know it", **OLD),
]

ROWS = [*PROPERTIES, *REQUIRED, *ADDITIONAL, *PATTERNS, *NAMES, *SIZES, *DEPENDENT, *UNEVALUATED]
