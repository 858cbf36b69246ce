"""An operator's configuration beside the settings of the release that it is to work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from troth.contracts.settings_changes import UnreadableSettings, document_of, setting_names
from troth.contracts.upgrades.releases import Standing
from troth.errors import Malformed

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
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    from troth.contracts.validation import validator_of

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise Malformed(
            f"the release's schema of settings is none: {error.message[:200]}", repair="tell who made it"
        ) from None
    for fault in validator_of(schema).iter_errors(given):
        where = ".".join(map(str, fault.absolute_path)) or "(the whole)"
        # the message of a fault may repeat a value, which may be a secret
        yield {"where": where, "words": _WORDS.get(str(fault.validator), f"it breaks {fault.validator}")}


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
