"""Secrets at rest: sealed with a key that lies in a file beside the registry, never in it (AES-256-GCM, NIST SP 800-38D)."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.errors import Failed, MalformedSetting

_KEY_BYTES, _NONCE_BYTES = 32, 12
#: what a sealed value begins with: the form it has
_FORM = b"\x01"


class Sealing:
    """Seals and opens with the key in a file, which is made, readable by the server's user only, when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cipher: AESGCM | None = None

    def sealed(self, value: str, place: str) -> bytes:
        """The value as it is stored at this place; it cannot be opened as that of another. Raises MalformedSetting."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._key(make=True).encrypt(nonce, value.encode(), place.encode())

    def opened(self, sealed: bytes, place: str) -> str:
        """The value. Raises Failed where it was sealed with another key or for another place, and MalformedSetting."""
        form, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if form != _FORM:
                raise InvalidTag
            return self._key(make=False).decrypt(nonce, rest, place.encode()).decode()
        except InvalidTag:
            raise Failed(
                "a secret cannot be opened",
                why=f"it was not sealed with the key in {self._path.name}, or was altered",
                repair="restore the file that belongs to this registry, or set the secret anew",
            ) from None

    def _key(self, *, make: bool) -> AESGCM:
        if self._cipher is None:
            try:
                text = self._path.read_text().strip() if self._path.exists() or not make else self._made()
                key = bytes.fromhex(text)
            except (OSError, ValueError) as error:
                raise MalformedSetting(
                    f"the key of secrets cannot be read from {self._path}: {error}", repair="restore the file"
                ) from None
            if len(key) != _KEY_BYTES:
                raise MalformedSetting(
                    f"{self._path} holds no key of secrets",
                    why=f"it has {_KEY_BYTES} bytes in hexadecimal digits",
                    repair="restore the file",
                )
            self._cipher = AESGCM(key)
        return self._cipher

    def _made(self) -> str:
        """A new key, written whole or not at all and never readable by others."""
        text = os.urandom(_KEY_BYTES).hex()
        scratch = self._path.with_suffix(".new")
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)
        return text
