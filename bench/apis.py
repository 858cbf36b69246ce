"""Pairs of OpenAPI documents of about a megabyte, whose answers are known because of how they are made."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

_COMPONENTS = 420
_PATHS = 300
_JSON = "application/json"


def description() -> dict[str, Any]:
    """An API of 300 paths over 420 schemas that refer to each other, about a megabyte as JSON text."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stock", "version": "1"},
        "paths": {f"/things{number}/{{id}}": _path(number) for number in range(_PATHS)},
        "components": {"schemas": {f"Thing{number}": _thing(number) for number in range(_COMPONENTS)}},
    }


def _path(number: int) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/Thing{number * 7 % _COMPONENTS}"}
    content = {"content": {_JSON: {"schema": reference}}}
    several = {"content": {_JSON: {"schema": {"type": "array", "items": reference}}}}
    given = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    query = [
        {"name": f"filter{index}", "in": "query", "schema": {"type": "string", "maxLength": 40 + index}}
        for index in range(6)
    ]
    return {
        "parameters": [given],
        "get": {"parameters": query, "responses": {"200": {"description": "ok", **several}}},
        "put": {"requestBody": content, "responses": {"200": {"description": "ok", **content}}},
    }


def _thing(number: int) -> dict[str, Any]:
    """Each refers to three that come later, so that the last are reached on very many ways."""
    properties: dict[str, Any] = {
        f"field{index}": {"type": "string", "maxLength": 20 + index, "description": "What is known of it, in words."}
        for index in range(10)
    }
    properties["kind"] = {"enum": [f"kind{number}", "other", "none"]}
    properties["count"] = {"type": "integer", "minimum": 0, "maximum": 1000 + number}
    for place, step in enumerate((1, 5, 17)):
        if number + step < _COMPONENTS:
            properties[f"part{place}"] = {"$ref": f"#/components/schemas/Thing{number + step}"}
    return {"type": "object", "properties": properties, "required": ["kind", "field0"]}


def with_one_more_parameter(old: dict[str, Any]) -> dict[str, Any]:
    """Few changes, compatible: an optional parameter of one operation."""
    new = deepcopy(old)
    new["paths"]["/things0/{id}"]["get"]["parameters"].append({"name": "more", "in": "query", "schema": {}})
    return new


def with_one_narrower_field(old: dict[str, Any]) -> dict[str, Any]:
    """Few changes, breaking: the last schema, which all lead to, takes shorter texts."""
    new = deepcopy(old)
    new["components"]["schemas"][f"Thing{_COMPONENTS - 1}"]["properties"]["field0"]["maxLength"] = 5
    return new


def with_many_more_fields(old: dict[str, Any]) -> dict[str, Any]:
    """Many changes, compatible: every schema has one property more, which may be left out."""
    new = deepcopy(old)
    for schema in new["components"]["schemas"].values():
        schema["properties"]["added"] = {"type": "string"}
    return new


def with_many_narrower_fields(old: dict[str, Any]) -> dict[str, Any]:
    """Many changes, breaking: the numbers of every schema are smaller."""
    new = deepcopy(old)
    for schema in new["components"]["schemas"].values():
        schema["properties"]["count"]["maximum"] -= 500
    return new
