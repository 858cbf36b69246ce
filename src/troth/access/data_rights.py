"""Who may read and write data: by an ACL, by whose algorithm asks for whom, and by what the key is for.

A request from inside a call has two sides, the caller whose key made the call and the owner of the algorithm that runs. Both
have to allow it (architecture, 8.15): so a row below names both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from troth.access.roles import Actor
from troth.errors import Malformed


class ReadAcl(StrEnum):
    """Who may read a collection (algorithmia-api, section 10.6)."""

    PRIVATE = "private"
    MY_ALGORITHMS = "my_algorithms"
    PUBLIC = "public"


_WIRE: Mapping[ReadAcl, list[str]] = {
    ReadAcl.PRIVATE: [],
    ReadAcl.MY_ALGORITHMS: ["algo://.my/*"],
    ReadAcl.PUBLIC: ["user://*"],
}
USUAL_ACL = ReadAcl.MY_ALGORITHMS


class Position(StrEnum):
    """How who asks stands to whom the data belongs."""

    OWNER = "the owner, or a member of it, by a key of its own"
    OWN_ALGORITHM_FOR_OWNER = "an algorithm of the owner's, called by the owner"
    OWN_ALGORITHM_FOR_OTHER = "an algorithm of the owner's, called by somebody else"
    OTHER_ALGORITHM_FOR_OWNER = "somebody else's algorithm, called by the owner"
    OTHER_ALGORITHM_FOR_OTHER = "somebody else's algorithm, called by somebody else"
    OTHER = "somebody else"


_OWNERS = frozenset({Position.OWNER, Position.OWN_ALGORITHM_FOR_OWNER})

#: ACL to the positions that may read.
READERS: Mapping[ReadAcl, frozenset[Position]] = {
    ReadAcl.PRIVATE: _OWNERS,
    ReadAcl.MY_ALGORITHMS: _OWNERS | {Position.OWN_ALGORITHM_FOR_OTHER},
    ReadAcl.PUBLIC: frozenset(Position),
}
#: Positions that may write, whatever the ACL.
WRITERS = _OWNERS


@dataclass(frozen=True, slots=True)
class Within:
    """The call that a request comes from: the algorithm that runs as `owner/name`, its owner's id, and the outermost
    call's request id, which names the session."""

    algorithm: str
    owner_id: str
    session: str


@dataclass(frozen=True, slots=True)
class DataActor(Actor):
    """Who asks for data: an account by a key, perhaps from inside a call."""

    within: Within | None = None


def position_of(actor: DataActor, owner_id: str, *, belongs: bool) -> Position:
    """How the actor stands to the account `owner_id`; `belongs` says whether it is it, or a member of it now (ALG-26)."""
    if actor.within is None:
        return Position.OWNER if belongs else Position.OTHER
    if actor.within.owner_id == owner_id:
        return Position.OWN_ALGORITHM_FOR_OWNER if belongs else Position.OWN_ALGORITHM_FOR_OTHER
    return Position.OTHER_ALGORITHM_FOR_OWNER if belongs else Position.OTHER_ALGORITHM_FOR_OTHER


def may_use_collection_of(algorithm: str, actor: DataActor, *, storing: bool = False) -> bool:
    """Whether the actor may use what an algorithm keeps for it below `.algo`: that algorithm in its calls, and the account
    itself, which does not store there."""
    if actor.within is None:
        return not storing
    return actor.within.algorithm == algorithm


def acl_of(document: Any) -> ReadAcl:
    """The ACL in what a client sent, `{"read": [...]}`. Raises Malformed for everything that is none."""
    read = document.get("read") if isinstance(document, dict) and set(document) == {"read"} else None
    for acl, words in _WIRE.items():
        if read == words:
            return acl
    raise Malformed(
        f"{str(document)[:80]} is no ACL",
        why='it is {"read": LIST}, the list being empty (private), ["algo://.my/*"] or ["user://*"]',
        repair="send one of these",
    )


def acl_document(acl: ReadAcl) -> dict[str, Sequence[str]]:
    """The ACL as clients read it."""
    return {"read": _WIRE[acl]}
