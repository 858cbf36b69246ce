"""What an entry of the journal is about, as far as the payload of its command says."""

from __future__ import annotations

from typing import Any, Final

#: What a payload names its subject by, the most telling first.
_NAMES: Final = (
    "algorithm", "product", "api", "command", "organization", "account", "name", "collection", "waiver",
)  # fmt: skip


def subject_of(payload: Any) -> str:
    """What a command is about; nothing where its payload does not say."""
    if isinstance(payload, dict):
        for name in _NAMES:
            if isinstance(found := payload.get(name), str):
                return found
    return ""
