"""Who may read a directory."""

from __future__ import annotations

from typing import Any


class AclInner:
    """One answer to who may read."""

    def __init__(self, pseudonym: str, acl_string: str | None) -> None:
        self.pseudonym = pseudonym
        self.acl_string = acl_string

    def __repr__(self) -> str:
        return f"AclType({self.pseudonym},{self.acl_string})"


class AclType:
    """All of them."""

    private = AclInner("PRIVATE", None)
    my_algos = AclInner("MY_ALGORITHMS", "algo://.my/*")
    public = AclInner("PUBLIC", "user://*")
    default = my_algos
    types = (private, my_algos, public)


class Acl:
    """What a directory says."""

    def __init__(self, read_acl: AclInner) -> None:
        self.read_acl = read_acl

    @staticmethod
    def from_acl_response(found: dict[str, Any]) -> Acl:
        """From what the server sends. Raises ValueError for what is none."""
        wanted = found["read"][0] if found["read"] else None
        for kind in AclType.types:
            if kind.acl_string == wanted:
                return Acl(kind)
        raise ValueError(f"Invalid acl string {wanted}")

    def to_api_param(self) -> dict[str, list[str]]:
        """What the server takes."""
        return {"read": [] if self.read_acl.acl_string is None else [self.read_acl.acl_string]}


class ReadAcl:
    """The three that there are, to be written as `ReadAcl.public`."""

    private = Acl(AclType.private)
    my_algos = Acl(AclType.my_algos)
    public = Acl(AclType.public)
