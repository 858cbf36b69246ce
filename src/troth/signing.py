"""Ed25519 signatures: the key of one server, and the check of a signature by the public half alone.

Public halves are PEM as OpenSSL reads it. The library is imported where it is needed, because most commands sign nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING

from troth.errors import Malformed, MalformedSetting

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def derived(key: bytes, salt: str) -> str:
    """A secret that is another for each salt, and that only who has the key can make."""
    return hmac.new(key, salt.encode(), hashlib.sha256).hexdigest()


class SigningKey:
    """The private key of a server, which never leaves its file and this process."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        #: the public half, PEM
        self.public = _pem(key.public_key())
        #: what the public half is named by
        self.identity = identity_of(self.public)

    @classmethod
    def open(cls, path: Path) -> SigningKey:
        """The key in a file that only this user reads, made if there is none. Raises MalformedSetting for what is no key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        if not path.exists():
            _write(path, Ed25519PrivateKey.generate())
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise _no_key(path, str(error)) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_key(path, "it is a key of another kind")
        return cls(key)

    def sign(self, content: bytes) -> str:
        """The signature of these bytes, in base64."""
        return base64.b64encode(self._key.sign(content)).decode()

    def fits(self, content: bytes, signature: str) -> bool:
        """Whether this key signed these bytes so."""
        return fits(self.public, content, signature)


def fits(public: str, content: bytes, signature: str) -> bool:
    """Whether the private half of `public` (PEM) signed these bytes. Raises Malformed where that is no public key."""
    from cryptography.exceptions import InvalidSignature

    try:
        _public(public).verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def identity_of(public: str) -> str:
    """What a public key is named by: the SHA-256 of its 32 bytes, in hexadecimal digits. Raises Malformed."""
    return hashlib.sha256(_public(public).public_bytes_raw()).hexdigest()


def _public(pem: str) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, Ed25519PublicKey):
        return key
    raise Malformed(
        "that is no public key of a server",
        why="it is an Ed25519 key in PEM, and begins with -----BEGIN PUBLIC KEY-----",
        repair="troth waiver key prints the one of a server",
    )


def _pem(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    """Writes the key whole or not at all, never readable by others."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    scratch = path.with_suffix(".new")
    with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _no_key(path: Path, why: str) -> MalformedSetting:
    return MalformedSetting(
        f"{path} is no signing key", why=why, repair="restore it from a backup; without the file a new key is made"
    )
