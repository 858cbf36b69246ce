"""The named types of one JSON Schema, each written once under `$defs`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

_PREFIX = "#/$defs/"


class Definitions:
    """Named types that were met on the way, by the names under which they are referred to.

    With `result` they are described as the algorithm gives them, else as callers send them: a field with a default may be
    left out of an input, and is always there in a result.
    """

    def __init__(self, *, result: bool = False) -> None:
        self.result = result
        self.found: dict[str, Schema] = {}
        self._names: dict[type, str] = {}
        self._adopted: dict[str, tuple[Schema, str]] = {}

    def reference(self, kind: type, describe: Callable[[], Schema]) -> Schema:
        """A reference to `kind`, which is described if this is the first one."""
        if kind not in self._names:
            name = self._names[kind] = self._reserve(kind.__name__)
            self.found[name] = describe()
        return {"$ref": _PREFIX + self._names[kind]}

    def adopt(self, kind: type, schema: Schema, components: Mapping[str, Schema]) -> Schema:
        """A reference to a type whose library described it, with all `components` that its schema refers to."""
        if kind not in self._names:
            names = self._adopted_names(components)
            top = schema.get("$ref", "").removeprefix(_PREFIX)
            if top in names and len(schema) == 1:
                self._names[kind] = names[top]
            else:
                self.reference(kind, lambda: _renamed(schema, names))
            self.found.update({names[name]: _renamed(part, names) for name, part in components.items()})
        return {"$ref": _PREFIX + self._names[kind]}

    def _adopted_names(self, components: Mapping[str, Schema]) -> dict[str, str]:
        """Names for a library's components: those that they have already, if none of them is another one here."""
        known = {name: self._adopted[name] for name in components if name in self._adopted}
        fit = all(components[name] == part for name, (part, _) in known.items())
        names = {name: known[name][1] if fit and name in known else self._reserve(name) for name in components}
        self._adopted.update({name: (part, names[name]) for name, part in components.items()})
        return names

    def _reserve(self, name: str) -> str:
        stem = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        number, free = 1, stem
        while free in self.found:
            number += 1
            free = f"{stem}{number}"
        self.found[free] = {}
        return free


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    """A schema whose references speak of the new names."""
    if isinstance(schema, dict):
        return {key: _renamed(part, names) for key, part in schema.items()}
    if isinstance(schema, list):
        return [_renamed(part, names) for part in schema]
    if isinstance(schema, str) and schema.startswith(_PREFIX):
        name = schema.removeprefix(_PREFIX)
        return _PREFIX + names.get(name, name)
    return schema
