"""An operator's configuration beside the settings of the release that it is to work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from troth.contracts.settings_changes import UnreadableSettings, document_of, setting_names
from troth.contracts.upgrades.releases import Standing
from troth.errors import Malformed, MalformedSchema

_MOST: Final = 100
_DEEPEST: Final = 40


def problems(name: str, text: str, wanted: Standing, only: str = "") -> list[dict[str, str]]:
    """What is wrong with a file of configuration; nothing where it fits.

    `only` names the document of settings that it is judged by, where the release has several. Raises Malformed for a
    file that cannot be read, or where it is not clear which document is meant.
    """
    told = _document(wanted.settings, only)
    try:
        given = document_of(name, text)
        promised = document_of(told["path"], told["text"])
    except UnreadableSettings as error:
        raise Malformed(f"{name} cannot be compared: {error}", repair="write it as JSON, YAML or TOML") from None
    found = list(_invalid(given, promised)) if told["kind"] == "settings" else []
    known = setting_names(promised, told["kind"])
    places = {one["where"] for one in found}
    found += [one for one in _unknown(given, known) if one["where"] not in places]
    return found[:_MOST]


def _document(settings: Sequence[Any], only: str) -> Any:
    found = [one for one in settings if only in ("", one["path"])]
    if len(found) == 1:
        return found[0]
    paths = ", ".join(one["path"] for one in settings) or "none"
    raise Malformed(
        "it is not clear what the configuration is judged by" if found else "there is nothing to judge it by",
        why=f"the release promises these documents of settings: {paths}",
        repair="name one with --config-of"
        if settings
        else 'declare one in troth.toml: [[contracts]] kind = "settings"',
    )


def _invalid(given: Any, schema: Any) -> Iterator[dict[str, str]]:
    from troth.contracts.schema import Bounds
    from troth.contracts.schema.confirmation import Confirmation
    from troth.contracts.schema.documents import Document

    try:
        found = Confirmation(Document(schema, None, Bounds()), formats=False).faults(given)
    except MalformedSchema as error:
        raise Malformed(
            f"the release's schema of settings is none: {error.what}", why=error.why, repair="tell who made it"
        ) from None
    if found is None:
        raise Malformed(
            "whether the configuration fits was not found out",
            why="the release's schema of settings takes more than is spent on it",
            repair="tell who made it",
        )
    for fault in dict.fromkeys(found):
        where = ".".join(map(str, fault.place)) or "(the whole)"
        # the value is not told: it may be a secret
        yield {"where": where, "words": _WORDS.get(fault.keyword, f"it breaks {fault.keyword}")}


_WORDS: Final = {
    "additionalProperties": "it holds settings that the release does not know",
    "required": "a setting is missing that has to be given",
    "type": "its value is of another type than the release takes",
    "enum": "its value is none of those that the release takes",
    "minimum": "its value is too small",
    "maximum": "its value is too large",
    "pattern": "its value is not of the form that the release takes",
}


def _unknown(given: Any, known: frozenset[str]) -> Iterator[dict[str, str]]:
    """Settings that are given and that the release does not know by name: taken without a word, and without effect."""
    for path in _paths(given, "", 0):
        parts = path.split(".")
        if not any(".".join(parts[:end]) in known for end in range(1, len(parts) + 1)):
            yield {"where": path, "words": "the release knows no such setting"}


def _paths(value: Any, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, dict) and value and depth < _DEEPEST:
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else str(name), depth + 1)
    elif path:
        yield path
