"""What a contract of an API, and a change of one, is known by: on a server, in waivers, and in checks without a server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from troth.contracts.openapi.text import read
from troth.versions.lifecycles.table import version_name


def contract_text(document: Mapping[str, Any]) -> str:
    """An OpenAPI document as servers keep it."""
    return json.dumps(document, sort_keys=True)


def contract_digest(text: str) -> str:
    """The digest of what `contract_text` gave."""
    return hashlib.sha256(text.encode()).hexdigest()


def change_digest(number: int, beside: str | None, contract: Any, declared: Sequence[Mapping[str, Any]] = ()) -> str:
    """The digest of a change: the version, the digest of the contract that it replaces, the one that it brings, and what is declared."""
    told = [version_name(number), beside, contract, list(declared)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def change_of_texts(number: int, old: str, new: str) -> str:
    """The digest of the change from one document to another, each in JSON or YAML. Raises UnreadableDocument."""
    before, after = (json.loads(json.dumps(read(text))) for text in (old, new))
    return change_digest(number, contract_digest(contract_text(before)), after)
