"""The OpenAPI 3.1 document of `/v1`, made of the rows that answer, of the calls in front of them, and of the data beside them."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from troth import __version__
from troth.doors.algorithmia.endpoints import Asked, Row

PATH = "/v1/openapi.json"
_ERROR = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "code": {"type": "integer"}, "message": {"type": "string"}, "error": {}},
    "required": ["error"],
}
_QUERY: dict[str, dict[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "published": {"type": "boolean"},
    "callable": {"type": "boolean"},
    "timeout": {"type": "number", "minimum": 1},
    "stdout": {"type": "boolean"},
    "acl": {"type": "boolean"},
    "force": {"type": "boolean"},
    "output": {"enum": ["raw", "void"]},
}
_CALL_QUERY = ("timeout", "stdout", "output")
_INPUTS = {"text/plain": {"schema": {"type": "string"}}, "application/json": {"schema": {}}}


_ACL = {"type": "object", "properties": {"read": {"type": "array", "items": {"type": "string"}}}}
_NEW = {"type": "object", "properties": {"name": {"type": "string"}, "acl": _ACL}, "required": ["name"]}
_CHANGE = {"type": "object", "properties": {"acl": _ACL}, "required": ["acl"]}
#: What is asked of data where: method, words, parameters of the query, and the schemas of the body by media type.
_DATA: dict[str, Sequence[tuple[str, str, Sequence[str], dict[str, Any]]]] = {
    "/v1/hostedData": [("get", "The caller's directories.", (), {})],
    "/v1/data": [("get", "Accounts with something to see, the caller's own first.", ("marker",), {})],
    "/v1/data/{account}": [
        ("get", "Directories of an account; `.my` is the caller's own.", ("marker",), {}),
        ("post", "Makes a directory.", (), {"application/json": {"schema": _NEW}, "text/plain": _INPUTS["text/plain"]}),
    ],
    "/v1/data/{account}/{directory}": [
        ("get", "Files of a directory.", ("marker", "acl"), {}),
        ("head", "Whether there is such a directory.", (), {}),
        ("patch", "Changes who may read.", (), {"application/json": {"schema": _CHANGE}}),
        ("delete", "Deletes a directory, with `force` also one that is not empty.", ("force",), {}),
    ],
    "/v1/data/{account}/{directory}/{file}": [
        ("get", "A file's bytes, or a range of them.", (), {}),
        ("head", "Whether there is such a file.", (), {}),
        ("put", "Makes a file of the body's bytes, or replaces it whole.", (), {"application/octet-stream": {}}),
        ("delete", "Deletes a file.", (), {}),
    ],
}


def described(rows: Sequence[Row]) -> list[Row]:
    """The rows, and one for the document that describes them."""
    found = functools.cache(lambda: document(rows))  # no start waits for it

    async def answer(asked: Asked) -> dict[str, Any]:
        return found()

    return [*rows, Row("GET", PATH, answer, open=True)]


def document(rows: Sequence[Row]) -> dict[str, Any]:
    """The document. An algorithm is named by owner and name in it; its id may stand in the place of both."""
    kinds = list(dict.fromkeys(row.body for row in rows if row.body is not None))
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    bodies = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(_path(row.path), {})[row.method.lower()] = _operation(row, bodies)
    for path, operations in _DATA.items():
        paths[path] = {
            method: _data(path, method, words, query, content) for method, words, query, content in operations
        }
    for ending in ("", "/{version}"):
        paths["/v1/algo/{owner}/{name}" + ending] = {"post": _call("/v1/algo/{owner}/{name}" + ending)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "troth/algorithmia", "version": __version__},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {**components, "Error": _ERROR},
        },
    }


def _path(path: str) -> str:
    """The path as OpenAPI has it: no converters."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path.replace("{algorithm:algorithm}", "{owner}/{name}"))


def _operation(row: Row, bodies: dict[type[msgspec.Struct], dict[str, Any]]) -> dict[str, Any]:
    path = _path(row.path)
    words = (row.handler.__doc__ or "").strip().partition("\n")[0]
    found: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{row.method.lower()}{path}").strip("_"),
        "parameters": [*_in_path(path), *_in_query(row.query)],
        "responses": _responses(),
        **({"summary": words} if words else {}),
        **({"security": []} if row.open else {}),
    }
    if row.body is not None:
        found["requestBody"] = {"content": {"application/json": {"schema": bodies[row.body]}}}
    return found


def _call(path: str) -> dict[str, Any]:
    return {
        "operationId": re.sub(r"\W+", "_", f"call{path}").strip("_"),
        "summary": "Calls an algorithm; its errors come with 200.",
        "parameters": [*_in_path(path), *_in_query(_CALL_QUERY)],
        "requestBody": {"required": True, "content": {**_INPUTS, "application/octet-stream": {}}},
        "responses": _responses(),
    }


def _data(path: str, method: str, words: str, query: Sequence[str], content: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": re.sub(r"\W+", "_", f"{method}{path}").strip("_"),
        "summary": words,
        "parameters": [*_in_path(path), *_in_query(query)],
        "responses": _responses(),
        **({"requestBody": {"required": True, "content": content}} if content else {}),
    }


def _in_path(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _in_query(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": _QUERY.get(name, {"type": "string"})} for name in names]


def _responses() -> dict[str, Any]:
    refused = {
        "description": "refused",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    return {"2XX": {"description": "done"}, "4XX": refused, "5XX": refused}
