"""Who may do what, as a table. Default deny: what is not in it is forbidden."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum

from troth.access.scopes import EVERYTHING, Scope
from troth.errors import Forbidden


class Relation(StrEnum):
    """How an actor stands to what it wants to act on."""

    SYSTEM = "troth itself"
    ADMINISTRATOR = "an administrator of this server"
    SELF = "the account itself"
    ORGANIZATION_ADMIN = "an admin of the organisation"
    ORGANIZATION_MEMBER = "a member of the organisation"
    USER = "any user"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks."""

    id: str
    name: str
    kind: str
    #: whether it is an administrator and asks as one
    administrator: bool
    #: what the key is for that it asks with
    scope: Scope = EVERYTHING


_OWNERS = frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN, Relation.ORGANIZATION_MEMBER})
_OPERATORS = frozenset({Relation.SYSTEM, Relation.ADMINISTRATOR})

#: Action to the relations that allow it. Actions are the names of commands, and of reads that are not everybody's.
GRANTS: dict[str, frozenset[Relation]] = {
    "create_account": _OPERATORS,
    "update_account": _OPERATORS | {Relation.SELF},
    "set_external_id": _OPERATORS,
    "delete_account": _OPERATORS,
    "read_account": _OPERATORS | {Relation.SELF},
    "create_organization": frozenset({Relation.USER}),
    "update_organization": _OPERATORS | {Relation.ORGANIZATION_ADMIN},
    "delete_organization": _OPERATORS | {Relation.ORGANIZATION_ADMIN},
    "read_organization": _OPERATORS | {Relation.SELF, Relation.ORGANIZATION_ADMIN, Relation.ORGANIZATION_MEMBER},
    # who administers the server can act as an admin of the organisation with a key made for one, which is journalled
    "add_member": frozenset({Relation.SYSTEM, Relation.ORGANIZATION_ADMIN}),
    # SELF is the member here: everybody may leave
    "remove_member": frozenset({Relation.SYSTEM, Relation.ORGANIZATION_ADMIN, Relation.SELF}),
    "create_key": _OPERATORS | {Relation.SELF, Relation.ORGANIZATION_ADMIN},
    "rotate_key": _OPERATORS | {Relation.SELF, Relation.ORGANIZATION_ADMIN},
    "revoke_key": _OPERATORS | {Relation.SELF, Relation.ORGANIZATION_ADMIN},
    "read_keys": _OPERATORS | {Relation.SELF, Relation.ORGANIZATION_ADMIN},
    "create_algorithm": _OWNERS,
    "update_algorithm": _OWNERS,
    "delete_algorithm": _OWNERS,
    "delete_public_algorithm": _OPERATORS,
    "compile_algorithm": _OWNERS,
    "publish_version": _OWNERS,
    "import_version": _OPERATORS,
    "set_secret": _OWNERS,
    "delete_secret": _OWNERS,
    "publish_publicly": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "set_line_notice": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "retire_line": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "request_waiver": _OWNERS,
    "request_line_waiver": _OWNERS,
    "request_release_waiver": _OWNERS,
    "request_api_waiver": _OWNERS,
    "approve_waiver": _OPERATORS | {Relation.SELF, Relation.ORGANIZATION_ADMIN},
    "revoke_waiver": _OPERATORS | _OWNERS,
    "record_replay": frozenset({Relation.SYSTEM}),
    "start_build": frozenset({Relation.SYSTEM}),
    "finish_build": frozenset({Relation.SYSTEM}),
    "fail_interrupted_builds": frozenset({Relation.SYSTEM}),
    "collect_garbage": _OPERATORS,
    "create_scm": _OPERATORS,
    "update_scm": _OPERATORS,
    "prefer_scm": _OPERATORS,
    "delete_scm": _OPERATORS,
    # of data, these say only who can be its owner; troth.access.data_rights has the rest
    "create_collection": _OWNERS,
    "set_collection_acl": _OWNERS,
    "delete_collection": _OWNERS,
    "store_file": _OWNERS,
    "delete_file": _OWNERS,
    "set_data_quota": _OPERATORS,
    "expire_data": frozenset({Relation.SYSTEM}),
    "create_product": _OWNERS,
    "update_product": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "cut_release": _OWNERS,
    "mark_stable": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "yank_release": _OWNERS,
    "plan_release": _OWNERS,
    "cancel_planned_release": _OWNERS,
    "create_calendar": frozenset({Relation.USER}),
    "revoke_calendar": _OPERATORS | {Relation.SELF},
    "create_api": _OWNERS,
    "update_api": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "create_api_version": _OWNERS,
    "graduate_api": _OWNERS,
    "deprecate_api": _OWNERS,
    "retire_api": _OWNERS,
    "drop_api": _OWNERS,
    "change_api": _OWNERS,
    "extend_api": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "decide_api": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "set_upstream": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "plan_brownout": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "cancel_brownout": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "create_alert_hook": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "remove_alert_hook": _OPERATORS | {Relation.SELF, Relation.ORGANIZATION_ADMIN},
    "replay_alerts": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "read_callers": _OPERATORS | _OWNERS,
    "read_alerts": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "create_command": _OWNERS,
    "publish_command_version": _OWNERS,
    "set_command_state": frozenset({Relation.SELF, Relation.ORGANIZATION_ADMIN}),
    "pause_command": _OPERATORS | _OWNERS,
    "resume_command": _OPERATORS | _OWNERS,
    "retry_queued_command": _OPERATORS | _OWNERS,
    "discard_queued_command": _OPERATORS | _OWNERS,
    "replay_queued_command": _OWNERS,
    # a public command is everybody's to send
    "send_command": _OPERATORS | _OWNERS,
    # beside the right to set what is rolled back
    "roll_back": _OWNERS,
    "end_session": frozenset({Relation.SYSTEM}),
    "read_journal": _OPERATORS,
    "read_accounts": _OPERATORS,
    "read_all_usage": _OPERATORS,
    "read_engine": _OPERATORS,
}


def relations(actor: Actor, owner_id: str | None = None, role: str | None = None) -> frozenset[Relation]:
    """All relations of `actor` to the account `owner_id`; `role` is the actor's present one in it, if that is an organisation."""
    return _standing(actor.kind, actor.administrator, actor.id == owner_id, role)


@functools.cache
def _standing(kind: str, administrator: bool, itself: bool, role: str | None) -> frozenset[Relation]:
    found = {
        Relation.SYSTEM: kind == "system",
        Relation.ADMINISTRATOR: administrator,
        Relation.SELF: itself,
        Relation.ORGANIZATION_ADMIN: role == "admin",
        Relation.ORGANIZATION_MEMBER: role == "member",
        Relation.USER: kind == "user",
    }
    return frozenset(relation for relation, holds in found.items() if holds)


def require(action: str, standing: frozenset[Relation], about: str) -> None:
    """Raises Forbidden unless one of the relations in `standing` allows `action`; `about` says on what."""
    allowed = GRANTS.get(action, frozenset())
    if not allowed & standing:
        raise Forbidden(
            f"you may not {action.replace('_', ' ')} {about}".rstrip(),
            why=f"it takes {' or '.join(sorted(allowed)) or 'a right that nobody has'}",
            repair="use the key of such an account (TROTH_KEY), or ask one of them",
        )
