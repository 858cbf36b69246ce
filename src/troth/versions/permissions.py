"""What a version may do and who may reach it: the set that ALG-06, ALG-08 and ALG-10 speak of (note N3)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from troth.errors import MalformedSource

VISIBILITIES = ("public", "private")
NETWORKS = ("isolated", "full")
SOURCES = ("open", "closed")


@dataclass(frozen=True, slots=True)
class Permissions:
    """The permission set of one version; it never changes once published (ALG-02)."""

    #: who may call it: every account, or members of the owner only
    visibility: Literal["public", "private"] = "private"
    #: whether its workers reach a network
    network_access: Literal["isolated", "full"] = "isolated"
    #: whether it may call other algorithms
    pipeline_enabled: bool = False
    #: whether callers may see its source
    source_visibility: Literal["open", "closed"] = "closed"

    @property
    def public(self) -> bool:
        return self.visibility == "public"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def differences(self, other: Permissions) -> dict[str, tuple[Any, Any]]:
        """Each element in which the two differ: name to (mine, the other's)."""
        mine, theirs = self.as_dict(), other.as_dict()
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}


_ALLOWED: dict[str, tuple[Any, ...]] = {
    "visibility": VISIBILITIES,
    "network_access": NETWORKS,
    "pipeline_enabled": (True, False),
    "source_visibility": SOURCES,
}


def permissions_of(table: dict[str, Any]) -> Permissions:
    """The permissions that a `[permissions]` table declares; what it leaves out has the default, which grants nothing.

    Raises MalformedSource naming the key and its legal values.
    """
    for key, value in table.items():
        if key not in _ALLOWED:
            raise MalformedSource(
                f"[permissions] has no key {key!r}",
                why="the permissions of a version are " + ", ".join(field.name for field in fields(Permissions)),
                repair=f"take {key} out of troth.toml",
            )
        if not any(value is legal or (isinstance(legal, str) and value == legal) for legal in _ALLOWED[key]):
            legal_values = " or ".join(str(legal).lower() for legal in _ALLOWED[key])
            raise MalformedSource(
                f"[permissions] {key} cannot be {value!r}",
                why=f"it is {legal_values}",
                repair=f"set {key} to {legal_values}",
            )
    return Permissions(**table)
