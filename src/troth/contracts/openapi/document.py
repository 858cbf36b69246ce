"""An OpenAPI 3.0 or 3.1 document with its references: followed inside of it, never fetched from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from troth.contracts.openapi.shape import check_schemas
from troth.contracts.openapi.text import UnreadableDocument, escaped, read

_MOST_STEPS: Final = 100
#: Places whose content is not the document's: what looks like a reference in there is none.
_FOREIGN: Final = frozenset({"example", "examples", "default", "enum", "const", "value", "mapping"})
_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
OLDER, NEWER = "3.0", "3.1"


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `version` is "3.0" or "3.1", `remote` lists references that lead elsewhere, with their places."""

    value: dict[str, Any]
    version: str
    remote: tuple[tuple[str, str], ...] = ()
    #: objects that have an `$anchor`, by its name
    anchors: dict[str, Any] = field(default_factory=dict)

    def at(self, reference: str, place: str) -> Any:
        """What a reference like `#/components/schemas/Pet` leads to. Raises UnreadableDocument where that is nothing."""
        if not reference.startswith("#"):
            raise UnreadableDocument(f"{reference[:200]!r} leads elsewhere, and nothing is fetched", place)
        fragment = unquote(reference[1:])
        if fragment and not fragment.startswith("/"):
            if fragment in self.anchors:
                return self.anchors[fragment]
            raise UnreadableDocument(f"{reference[:200]!r} leads nowhere", place)
        found: Any = self.value
        for step in fragment.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and step in found:
                found = found[step]
            elif isinstance(found, list) and step.isdecimal() and len(step) < 10 and int(step) < len(found):
                found = found[int(step)]
            else:
                raise UnreadableDocument(f"{reference[:200]!r} leads nowhere", place)
        return found

    def followed(self, value: Any, place: str) -> dict[str, Any] | None:
        """The object itself, behind however many Reference Objects. None where that lies in another document."""
        for _ in range(_MOST_STEPS):
            if not isinstance(value, dict):
                raise UnreadableDocument("it has to be an object", place)
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            if is_remote(reference):
                return None
            value, place = self.at(reference, place), reference[1:]
        raise UnreadableDocument("a reference leads back to itself", place)


def is_remote(reference: str) -> bool:
    """Whether a reference leads to another document."""
    return not reference.startswith("#")


def document(source: Any) -> Document:
    """The document in a value or text. Raises UnreadableDocument for other versions and for references to nowhere."""
    value = read(source)
    version = _version(value)
    for name, kind in (
        ("paths", dict),
        ("webhooks", dict),
        ("components", dict),
        ("servers", list),
        ("security", list),
    ):
        if name in value and not isinstance(value[name], kind):
            raise UnreadableDocument(f"it has to be {'an object' if kind is dict else 'a list'}", f"/{name}")
    if "paths" not in value and (version == OLDER or not {"webhooks", "components"} & set(value)):
        raise UnreadableDocument("there are no paths")
    if not isinstance(value.get("info", {}), dict):
        raise UnreadableDocument("it has to be an object", "/info")
    anchors: dict[str, Any] = {}
    remote = []
    found = Document(value, version, (), anchors)
    references = list(_references(value, anchors))
    for reference, place in references:
        if is_remote(reference):
            remote.append((reference, place))
        else:
            found.at(reference, place)
    check_schemas(value, version == OLDER)
    return Document(value, version, tuple(remote), anchors)


def _version(value: dict[str, Any]) -> str:
    said = value.get("openapi")
    if isinstance(said, str) and said.rpartition(".")[0] in (OLDER, NEWER):
        return said.rpartition(".")[0]
    if "swagger" in value:
        raise UnreadableDocument("Swagger 2.0 is not read: OpenAPI 3.0 and 3.1 are", "/swagger")
    raise UnreadableDocument("it has to be 3.0.x or 3.1.x, as text", "/openapi")


def _references(value: Any, anchors: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each reference once with its place; shared parts of the document are looked at once."""
    seen: set[int] = set()
    waiting: list[tuple[Any, str, bool]] = [(value, "", False)]
    while waiting:
        current, place, named = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, list):
            waiting += [
                (one, f"{place}/{index}", False) for index, one in enumerate(current) if isinstance(one, dict | list)
            ]
            continue
        if not named:
            if isinstance(current.get("$ref"), str):
                yield current["$ref"], place
            if isinstance(current.get("$anchor"), str):
                anchors[current["$anchor"]] = current
        for key, one in current.items():
            if isinstance(one, dict | list) and (named or not (key in _FOREIGN or key.startswith("x-"))):
                waiting.append((one, f"{place}/{escaped(key)}", not named and key in _MAPS))
