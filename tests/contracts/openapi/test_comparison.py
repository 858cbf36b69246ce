"""What programs that speak an HTTP API rely on, and documents that are hostile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from troth.contracts.changes import Answer
from troth.contracts.openapi.comparison import compare

JSON = "application/json"


def api(
    responses: Any = None, version: str = "3.1.0", method: str = "get", path: str = "/pets", **parts: Any
) -> dict[str, Any]:
    names = ["components", "servers", "security", "webhooks"]
    top = {name: parts.pop(name) for name in names if name in parts}
    operation = {"responses": responses or {"200": {"description": "ok"}}, **parts}
    return {"openapi": version, "info": {"title": "A", "version": "1"}, "paths": {path: {method: operation}}, **top}


def given(schema: Any, **parts: Any) -> dict[str, Any]:
    return api({"200": {"description": "ok", "content": {JSON: {"schema": schema}}}}, **parts)


def taken(schema: Any, **parts: Any) -> dict[str, Any]:
    return api(method="post", requestBody={"content": {JSON: {"schema": schema}}}, **parts)


def found(old: Any, new: Any) -> list[tuple[str, str]]:
    return [(change.rule, change.path) for change in compare(old, new).changes]


def thing(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT = {"type": "string"}


@pytest.mark.clause("PDB-13")
def test_requests_and_responses_are_judged_in_opposite_directions() -> None:
    narrow, wide = {"type": "string", "maxLength": 5}, TEXT
    assert compare(taken(narrow), taken(wide)).answer is Answer.COMPATIBLE
    assert compare(taken(wide), taken(narrow)).answer is Answer.BREAKING
    assert compare(given(wide), given(narrow)).answer is Answer.COMPATIBLE
    assert compare(given(narrow), given(wide)).answer is Answer.BREAKING


@pytest.mark.clause("PDB-14")
def test_a_new_field_of_a_response_is_compatible_also_where_it_was_closed() -> None:
    closed = {**thing(a=TEXT), "additionalProperties": False}
    assert (
        compare(given(closed), given({**thing(a=TEXT, b=TEXT), "additionalProperties": False})).answer
        is Answer.COMPATIBLE
    )


@pytest.mark.clause("PDB-21")
@pytest.mark.clause("PDB-24")
def test_what_is_no_longer_taken_or_given_breaks() -> None:
    assert ("output-property-removed", "GET /pets 200 application/json: .b") in found(
        given(thing(a=TEXT, b=TEXT)), given(thing(a=TEXT))
    )
    assert ("input-property-ignored", "POST /pets body application/json: .b") in found(
        taken(thing(a=TEXT, b=TEXT)), taken(thing(a=TEXT))
    )


def test_a_finding_names_the_place_below_references() -> None:
    components = {
        "schemas": {
            "Pet": thing(tags={"type": "array", "items": {"$ref": "#/components/schemas/Tag"}}),
            "Tag": thing(name=TEXT),
        }
    }
    newer = json.loads(json.dumps(components))
    newer["schemas"]["Tag"]["properties"]["name"]["type"] = ["string", "null"]
    reference = {"$ref": "#/components/schemas/Pet"}
    assert found(given(reference, components=components), given(reference, components=newer)) == [
        ("output-type-widened", "GET /pets 200 application/json: .tags[].name")
    ]


def test_schemas_that_refer_to_themselves_end() -> None:
    def tree(kind: str) -> dict[str, Any]:
        node = thing(
            value={"type": kind},
            left={"$ref": "#/components/schemas/Node"},
            right={"$ref": "#/components/schemas/Node"},
        )
        return given({"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node}})

    assert compare(tree("string"), tree("string")).changes == ()
    assert found(tree("string"), tree("integer")) == [("output-type-widened", "GET /pets 200 application/json: .value")]


def test_both_versions_of_openapi_mean_the_same() -> None:
    older = given({"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True}, version="3.0.3")
    newer = given({"type": ["integer", "null"], "exclusiveMinimum": 0})
    assert compare(older, newer).changes == ()
    assert compare(newer, older).changes == ()


def test_a_choice_is_judged_alternative_by_alternative_where_they_exclude_each_other() -> None:
    def choice(*kinds: str, **more: Any) -> dict[str, Any]:
        return {"oneOf": [thing("kind", kind={"const": kind}, **more) for kind in kinds]}

    assert compare(taken(choice("a", "b")), taken(choice("a", "b", x=TEXT))).answer is Answer.COMPATIBLE
    assert compare(taken(choice("a", "b")), taken(choice("a", "b", "c"))).answer is Answer.COMPATIBLE
    assert compare(given(choice("a", "b")), given(choice("a", "b", "c"))).answer is Answer.BREAKING
    overlapping = {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]}
    overlapped = {"oneOf": [{"type": "integer"}, {"type": "number"}]}
    assert compare(taken(overlapping), taken(overlapped)).answer is Answer.BREAKING


def test_the_ways_in_are_alternatives() -> None:
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "oauth": {"type": "oauth2", "flows": {}}}
    components = {"securitySchemes": schemes}

    def secured(*alternatives: Any) -> dict[str, Any]:
        return api(components=components, security=list(alternatives))

    assert compare(secured({"key": []}), secured({"oauth": ["read"]}, {"key": []})).answer is Answer.COMPATIBLE
    assert compare(secured({"key": []}), secured({"key": [], "oauth": []})).answer is Answer.BREAKING
    assert compare(secured({"key": [], "oauth": []}), secured({"key": []})).answer is Answer.COMPATIBLE
    assert compare(secured({"oauth": ["read"]}), secured({"oauth": ["read", "write"]})).answer is Answer.BREAKING
    assert compare(secured(), secured({"key": []})).answer is Answer.BREAKING
    assert compare(secured({"key": []}), secured({}, {"key": []})).answer is Answer.COMPATIBLE


def test_two_servers_of_tokens_are_two_schemes() -> None:
    def secured(*alternatives: Any, **urls: str) -> dict[str, Any]:
        flows = {name: {"clientCredentials": {"tokenUrl": url, "scopes": {}}} for name, url in urls.items()}
        schemes = {name: {"type": "oauth2", "flows": flow} for name, flow in flows.items()}
        return api(components={"securitySchemes": schemes}, security=list(alternatives))

    two = {"a": "http://a/t", "b": "http://b/t"}
    old = secured({"b": ["read"]}, **two)
    assert compare(old, secured({"a": ["admin"], "b": ["read"]}, **two)).answer is Answer.BREAKING
    assert compare(secured({"a": ["admin"], "b": ["read"]}, **two), old).answer is Answer.COMPATIBLE
    assert compare(secured({"a": ["admin"]}, a="http://a/t"), secured({"b": ["admin"]}, b="http://b/t")).answer is (
        Answer.BREAKING
    )
    assert compare(secured({"a": ["admin"]}, a="http://a/t"), secured({"b": ["admin"]}, b="http://a/t")).changes == ()
    one = {"a": "http://a/t", "b": "http://a/t"}
    assert compare(secured({"b": ["read"]}, **one), secured({"a": ["admin"], "b": ["read"]}, **one)).answer is (
        Answer.BREAKING
    )
    moved = compare(secured({"a": []}, a="http://a/t"), secured({"a": []}, a="http://b/t"))
    assert [change.rule for change in moved.changes] == ["openapi-flow-changed"]


def test_callbacks_and_webhooks_turn_the_directions_round() -> None:
    def hook(schema: Any) -> dict[str, Any]:
        body = {"content": {JSON: {"schema": schema}}}
        return api(webhooks={"born": {"post": {"requestBody": body, "responses": {"200": {"description": "ok"}}}}})

    narrow = {"type": "string", "maxLength": 5}
    assert compare(hook(TEXT), hook(narrow)).answer is Answer.COMPATIBLE
    assert compare(hook(narrow), hook(TEXT)).answer is Answer.BREAKING


@pytest.mark.clause("PDB-25")
def test_query_operators_are_a_part_of_the_contract() -> None:
    def queried(*operators: str) -> dict[str, Any]:
        return api(parameters=[{"name": "query", "in": "query", "schema": TEXT, "x-operators": list(operators)}])

    assert found(queried("=", "~"), queried("=")) == [("openapi-operator-removed", "GET /pets query query ~")]
    assert found(queried("="), queried("=", "~")) == [("openapi-operator-added", "GET /pets query query ~")]


# --- bad input


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (3, "an object"),
        ({}, "/openapi"),
        ({"openapi": "2.0"}, "3.0.x or 3.1.x"),
        ({"swagger": "2.0"}, "Swagger"),
        ({"openapi": "3.0.0"}, "no paths"),
        (api(path="pets"), "begins with a slash"),
        (given({"$ref": "#/components/schemas/None"}), "leads nowhere"),
        (given(3), "a schema is an object"),
        (given({"type": "strung"}), ""),
        (api(parameters=[{"in": "query"}]), "/paths/~1pets/get/parameters/0"),
        (api(parameters={"a": 1}), "has to be a list"),
        (api(security=[{"none": []}]), "no security scheme"),
        ({"openapi": "3.1.0", "paths": {"/a/{x}": {}, "/a/{y}": {}}}, "the same path"),
        (api({"$ref": "#/paths"}), ""),
        ("openapi: 3.1.0\npaths: {}\npaths: {}", "twice"),
        ("a: [", "line 2"),
        ("a: &a [*a]", "holds itself"),
        ("a: !!python/name:os.system", "not known"),
        ("a: " + "[" * 900 + "]" * 900, "levels deep"),
        ('{"a":' * 500 + "1" + "}" * 500, "levels deep"),
        ("a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
        ), "aliases followed"),
        ("a" * (17 << 20), "larger than"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_invalid_with_its_place(document: Any, said: str) -> None:
    answer = compare(api(), document)
    assert answer.answer in (Answer.INVALID, Answer.BREAKING)
    assert said in answer.fault
    assert answer.answer is Answer.INVALID or not said


def test_other_documents_are_never_fetched_and_never_called_compatible() -> None:
    remote = given({"$ref": "https://pets.invalid/pet.json"})
    answer = compare(remote, remote)
    assert answer.answer is Answer.CANNOT_TELL
    assert answer.changes[0].rule == "openapi-remote-reference"


def test_references_in_circles_are_no_references() -> None:
    circle = api(parameters=[{"$ref": "#/components/parameters/a"}], components={
        "parameters": {"a": {"$ref": "#/components/parameters/b"}, "b": {"$ref": "#/components/parameters/a"}}
    })  # fmt: skip
    assert "back to itself" in compare(api(), circle).fault


def test_words_of_yaml_are_those_of_json() -> None:
    text = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: no}\n"
    value = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"description": "no"}}}}}}
    assert compare(text, value).changes == ()
    enum = "openapi: 3.1.0\npaths: {}\ncomponents: {schemas: {A: {enum: [yes, 010, 2020-01-01, 1_0, 12:30]}}}"
    assert compare(enum, {"openapi": "3.1.0", "paths": {}}).answer is Answer.COMPATIBLE
