"""A small API description that claims are made on, and the words to make them with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

V30 = "3.0"
V31 = "3.1"
BOTH = (V30, V31)
Path = tuple[str | int, ...]
Edits = dict[Path, Any]
GONE: Any = object()
JSON = "application/json"

LIST: Path = ("paths", "/pets", "get")
CREATE: Path = ("paths", "/pets", "post")
SHOW: Path = ("paths", "/pets/{id}", "get")
BODY: Path = (*CREATE, "requestBody", "content", JSON, "schema")
ANSWER: Path = (*SHOW, "responses", "200", "content", JSON, "schema")
SCHEMAS: Path = ("components", "schemas")
SCHEMES: Path = ("components", "securitySchemes")


@dataclass(frozen=True)
class Claim:
    """Two sets of edits of the description, and what a client of the first finds at a server of the second."""

    about: str
    old: Edits
    new: Edits
    forward: str
    backward: str
    why: str
    versions: tuple[str, ...] = BOTH
    doubt: str = ""


def ref(name: str, kind: str = "schemas") -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def description(version: str) -> dict[str, Any]:
    """The description that all claims start from: pets are listed, made and shown."""
    return {
        "openapi": {V30: "3.0.3", V31: "3.1.0"}[version],
        "info": {"title": "Pets", "version": "1.0.0"},
        "servers": [{"url": "https://pets.invalid/v1"}],
        "paths": {
            "/pets": {
                "get": {
                    "operationId": "listPets",
                    "parameters": [
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
                    ],
                    "responses": {
                        "200": {
                            "description": "Pets.",
                            "content": {JSON: {"schema": {"type": "array", "items": ref("Pet")}}},
                        }
                    },
                },
                "post": {
                    "operationId": "createPet",
                    "requestBody": {"required": True, "content": {JSON: {"schema": ref("NewPet")}}},
                    "responses": {"201": {"description": "Made."}},
                },
            },
            "/pets/{id}": {
                "get": {
                    "operationId": "showPet",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {
                        "200": {"description": "A pet.", "content": {JSON: {"schema": ref("Pet")}}},
                        "404": {"description": "No such pet.", "content": {JSON: {"schema": ref("Error")}}},
                    },
                }
            },
        },
        "components": {
            "schemas": {
                "Pet": {
                    "type": "object",
                    "required": ["id", "name"],
                    "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "tag": {"type": "string"}},
                },
                "NewPet": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "tag": {"type": "string"}},
                    "additionalProperties": False,
                },
                "Error": {
                    "type": "object",
                    "required": ["message"],
                    "properties": {"message": {"type": "string"}, "code": {"type": "integer"}},
                },
            },
            "securitySchemes": {
                "key": {"type": "apiKey", "name": "X-Key", "in": "header"},
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "oauth": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": {
                            "tokenUrl": "https://pets.invalid/token",
                            "scopes": {"read": "Read.", "write": "Write."},
                        }
                    },
                },
            },
        },
    }


def edited(document: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """A copy with every edit made: a value put at its path, or what is there taken away."""
    made = copy.deepcopy(document)
    for path, value in edits.items():
        place: Any = made
        step: Any
        for step in path[:-1]:
            place = place[step] if isinstance(place, list) else place.setdefault(step, {})
        last: Any = path[-1]
        if value is GONE:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(copy.deepcopy(value))
        else:
            place[last] = copy.deepcopy(value)
    return made


def pairs(claim: Claim) -> Iterator[tuple[str, Edits, Edits, str]]:
    """Both directions of a claim that have a label."""
    if claim.forward:
        yield "forward", claim.old, claim.new, claim.forward
    if claim.backward:
        yield "backward", claim.new, claim.old, claim.backward
