"""What an environment is made of, for people and programs that check licences and known faults: CycloneDX 1.6 as JSON."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from troth.builds.environment_document import EnvironmentDocument, Pin
from troth.builds.environment_files import distributions

_LARGEST_METADATA = 1 << 20
_MOST_CLASSIFIERS = 20
_LONGEST_LICENCE = 200
_CLASSIFIER = "License :: "
_EXPRESSION = re.compile(r"[A-Za-z0-9.+() -]+", re.ASCII)
#: the space of names in which a serial number is unique
_SERIAL_NUMBERS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:troth:bill-of-materials")

Licences = list[dict[str, Any]]


def bill_of_materials(
    document: EnvironmentDocument,
    subject: str,
    licences: Mapping[str, Licences],
    *,
    commit: str = "",
    timestamp: str | None = None,
) -> dict[str, Any]:
    """The bill of what `subject` needs; equal for equal arguments. `licences` are CycloneDX's, by distribution."""
    components = [_component(pin, licences.get(pin.name, [])) for pin in document.requirements]
    root = f"{subject}@{commit}" if commit else subject
    described = {"type": "application", "bom-ref": root, "name": subject, **({"version": commit} if commit else {})}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(_SERIAL_NUMBERS, f"{document.digest}\n{root}").urn,
        "version": 1,
        "metadata": {
            **({"timestamp": timestamp} if timestamp else {}),
            "component": described,
            "properties": [
                {"name": "troth:environment", "value": document.digest},
                {"name": "troth:machine", "value": document.machine},
            ],
        },
        "components": [_interpreter(document), *components],
        "dependencies": [
            {"ref": root, "dependsOn": [component["bom-ref"] for component in [_interpreter(document), *components]]}
        ],
    }


def licences_in(site: Path) -> dict[str, Licences]:
    """What the distributions in `site` say of their licences, by name."""
    return {name: _licences(folder / "METADATA") for name, folder in distributions(site)}


def _interpreter(document: EnvironmentDocument) -> dict[str, Any]:
    name, version = document.implementation, document.interpreter
    return {"type": "platform", "bom-ref": f"{name}@{version}", "name": name, "version": version}


def _component(pin: Pin, licences: Licences) -> dict[str, Any]:
    address = f"pkg:pypi/{pin.name}@{pin.version.replace('+', '%2B').replace('!', '%21')}"
    return {
        "type": "library",
        "bom-ref": address,
        "name": pin.name,
        "version": pin.version,
        "purl": address,
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in pin.hashes],
        **({"licenses": licences} if licences else {}),
    }


def _licences(path: Path) -> Licences:
    """Licences in one METADATA, the most exact way of saying it that it uses. Strangers wrote it."""
    try:
        with open(path, "rb") as file:
            head = file.read(_LARGEST_METADATA).decode(errors="replace").replace("\r", "").partition("\n\n")[0]
    except OSError:
        return []
    fields: dict[str, list[str]] = {}
    for line in head.splitlines():
        key, separator, value = line.partition(":")
        if separator and not line[0].isspace():
            fields.setdefault(key.strip().lower(), []).append(_plain(value))
    if (expressions := fields.get("license-expression")) and _EXPRESSION.fullmatch(expressions[0]):
        return [{"expression": expressions[0]}]
    classified = [text for text in fields.get("classifier", []) if text.startswith(_CLASSIFIER)][:_MOST_CLASSIFIERS]
    names = [text.rpartition(" :: ")[2] for text in classified] or fields.get("license", [])[:1]
    return [{"license": {"name": name}} for name in dict.fromkeys(names) if name]


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable()).strip()[:_LONGEST_LICENCE]
