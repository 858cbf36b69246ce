"""Which operation of an API a path is, and which of its parameters a query has: by its OpenAPI document, or else as far as is plain.

What is counted by must be few, and must not hold what clients write into their addresses. So an operation is a template of the
document, or, where there is none, a path whose parts that look like ids are replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

#: stands for everything that is not told apart
OTHER = "*"
_METHODS = frozenset(["get", "put", "post", "delete", "options", "head", "patch"])
#: a part of a path that is a name and no id
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}", re.ASCII)
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}", re.ASCII)
_MOST_PARTS, _MOST_PARAMETERS, _LONGEST = 8, 20, 290


class Operations:
    """The operations of one version."""

    def __init__(self, paths: dict[str, dict[str, frozenset[str]]] | None = None) -> None:
        self._declared = paths is not None
        self._root: dict[str, Any] = {}
        for template, operations in (paths or {}).items():
            node = self._root
            for part in _parts(template):
                node = node.setdefault("{}" if part.startswith("{") else part, {})
            node[""] = (template[:_LONGEST], operations)

    def of(self, method: str, path: str, query: bytes) -> tuple[str, tuple[str, ...]]:
        """The operation, like `GET /items/{id}`, and the names of parameters in the query."""
        if not self._declared:
            return f"{method} {_plain(path)}", _plain_names(query)
        found = _found(self._root, _parts(path), 0)
        if found is None:
            return OTHER, ()
        template, operations = found
        known = operations.get(method.lower(), frozenset())
        return f"{method} {template}", tuple(name for name in _names(query) if name in known)


def operations_of(document: str | None, version: str) -> Operations:
    """The operations that an OpenAPI document describes; its paths may begin with the version or not. What is none is as if missing."""
    try:
        paths = json.loads(document or "{}")["paths"]
        return Operations({_below(path, version): _operations(item) for path, item in paths.items()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Operations()


def _operations(item: dict[str, Any]) -> dict[str, frozenset[str]]:
    shared = _declared(item.get("parameters", ()))
    return {
        method: frozenset([*shared, *_declared(operation.get("parameters", ()))])
        for method, operation in item.items()
        if method in _METHODS
    }


def _declared(parameters: Iterable[Any]) -> list[str]:
    return [str(one["name"])[:64] for one in parameters if isinstance(one, dict) and one.get("in") == "query"]


def _below(path: str, version: str) -> str:
    parts = _parts(path)
    return "/" + "/".join(parts[1:] if parts[:1] == [version] else parts)


def _found(node: dict[str, Any], parts: list[str], at: int) -> tuple[str, dict[str, frozenset[str]]] | None:
    """The template that fits, one with the fixed part before one with a variable there."""
    if at == len(parts):
        found: tuple[str, dict[str, frozenset[str]]] | None = node.get("")
        return found
    for key in (parts[at], "{}"):
        below = node.get(key) if key else None
        if below is not None and (found := _found(below, parts, at + 1)) is not None:
            return found
    return None


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part][:64]


def _plain(path: str) -> str:
    parts = _parts(path)
    if len(parts) > _MOST_PARTS:
        return OTHER
    return "/" + "/".join(part if _WORD.fullmatch(part) else "{}" for part in parts)


def _plain_names(query: bytes) -> tuple[str, ...]:
    return tuple(name for name in _names(query) if _PARAMETER.fullmatch(name))


def _names(query: bytes) -> list[str]:
    if not query:
        return []
    names = (part.partition(b"=")[0] for part in query.split(b"&", 200))
    found = dict.fromkeys(unquote_plus(name.decode("latin-1")) for name in names if name)
    return list(found)[:_MOST_PARAMETERS]
