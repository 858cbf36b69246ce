"""The wire formats of troth's own commands: one JSON Schema file a version, append-only (PDB-40 to PDB-47).

A shipped file is never edited; `formats/digests.txt` holds it to that. Every listed version is accepted and brought up to
the newest by functions, one step each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from troth.commands import fault_words
from troth.contracts.validation import validator_of
from troth.errors import MalformedPayload, NotFound

Payload = dict[str, Any]
UpConversion = Callable[[Payload], Payload]


@dataclass(frozen=True)
class Formats:
    """All versions of all commands: `schemas[name][version]`, and the step from each version to the next."""

    schemas: Mapping[str, Mapping[int, Draft202012Validator]]
    steps: Mapping[tuple[str, int], UpConversion] = field(default_factory=dict)

    def decode(self, name: str, version: int, payload: bytes) -> Payload:
        """The payload of a command as it was sent, checked against the format of its version.

        Raises NotFound for a command or version that is not listed, MalformedPayload with the place of the first fault.
        """
        schema = self._versions(name).get(version)
        if schema is None:
            known = ", ".join(str(number) for number in sorted(self._versions(name)))
            raise NotFound(
                f"the command {name} has no version {version}",
                why=f"its versions are {known}",
                repair=f"send version {max(self._versions(name))}",
                asked=version,
            )
        try:
            value = msgspec.json.decode(payload.decode())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _malformed(name, version, f"it is not JSON: {error}", "", "send an object of JSON") from None
        return self.check(name, version, value)

    def check(self, name: str, version: int, value: Any) -> Payload:
        """A value that is a payload of this version. Raises MalformedPayload with the place of the first fault."""
        schema = self._versions(name)[version]
        if fault := best_match(schema.iter_errors(value)):
            why, repair = fault_words.told(fault)
            place = "/".join(str(part) for part in fault.absolute_path)
            raise _malformed(
                name, version, why, place, repair or f"mend the payload: {fault_words.members(schema.schema)}"
            )
        return value  # type: ignore[no-any-return]

    def without_secrets(self, name: str, version: int, payload: bytes) -> bytes:
        """A payload that was decoded, as it may be kept: without what its format calls `writeOnly`."""
        schema: Any = self._versions(name)[version].schema
        properties = schema.get("properties", {})
        secret = [field for field, described in properties.items() if described.get("writeOnly")]
        if not secret:
            return payload
        kept = {field: value for field, value in msgspec.json.decode(payload).items() if field not in secret}
        return json.dumps(kept, sort_keys=True).encode()

    def up_converted(self, name: str, version: int, payload: Payload) -> Payload:
        """A checked payload in the newest version's form."""
        for step in range(version, max(self._versions(name))):
            payload = self.steps[name, step](payload)
        return payload

    def newest(self, name: str) -> int:
        """The newest version of a command. Raises NotFound."""
        return max(self._versions(name))

    def _versions(self, name: str) -> Mapping[int, Draft202012Validator]:
        if found := self.schemas.get(name):
            return found
        raise NotFound(
            f"there is no command {name[:80]!r}",
            why=f"the commands are {', '.join(sorted(self.schemas))}",
            repair="send one of them",
            asked=name[:200],
        )


#: What the first keys and accounts were made with, in the words of the second version.
_STEPS: dict[tuple[str, int], UpConversion] = {
    ("create_key", 1): lambda payload: {**payload, "scope": None},
    ("create_account", 1): dict,
    ("create_organization", 1): dict,
    # what others keep the source of may be left out
    ("create_algorithm", 1): dict,
    ("roll_back", 1): lambda payload: {"kind": "algorithm" if "algorithm" in payload else "product", **payload},
}


@cache
def shipped() -> Formats:
    """The formats in this release."""
    schemas: dict[str, dict[int, Draft202012Validator]] = {}
    for folder in resources.files("troth.commands").joinpath("formats").iterdir():
        if folder.is_dir():
            schemas[folder.name] = {
                int(file.name.removesuffix(".json")): validator_of(json.loads(file.read_text()))
                for file in folder.iterdir()
            }
    return Formats(schemas, _STEPS)


def _malformed(name: str, version: int, why: str, place: str, repair: str) -> MalformedPayload:
    return MalformedPayload(
        f"the payload does not fit version {version} of {name}",
        why=f"at /{place}: {why}" if place else why,
        repair=repair,
        asked=f"/{place}",
    )
