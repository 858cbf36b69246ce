"""What a key may be used for. A key never gives more than its account has; a scope takes from that.

Which action needs which part of a scope is a row of `NEEDS`, and what is not in it needs a key that manages. Whether the
account itself may do it is another table, `troth.access.roles.GRANTS`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from troth.errors import Forbidden, Malformed

EVERY_ALGORITHM = "algo://*"
#: patterns that one key may have
MOST_PATTERNS = 200
_PATTERN = re.compile(r"algo://(?:\*|([A-Za-z0-9_]{1,63})/(?:\*|([A-Za-z0-9_]{1,63})(?:/\*)?))", re.ASCII)
_HOST = re.compile(
    r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*(?::[0-9]{1,5})?|\[[0-9a-f:.]{2,45}\](?::[0-9]{1,5})?",
    re.ASCII,
)


class DataAccess(StrEnum):
    """What may be done with data; to write is to read as well."""

    NONE = "none"
    READ = "read"
    WRITE = "write"

    def allows(self, wanted: DataAccess) -> bool:
        """Whether who has this may do what is wanted."""
        return _DATA_ORDER.index(self) >= _DATA_ORDER.index(wanted)


_DATA_ORDER = (DataAccess.NONE, DataAccess.READ, DataAccess.WRITE)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key is for. Nothing is the default; `EVERYTHING` is a key without limits."""

    #: patterns of what it may call: `algo://*`, `algo://owner/*`, `algo://owner/name/*` (also without the last `/*`)
    algorithms: tuple[str, ...] = ()
    data: DataAccess = DataAccess.NONE
    #: create, compile, publish and change algorithms, organisations and keys, on the account's behalf
    manage: bool = False
    #: act as an administrator of the server, where the account is one
    administrator: bool = False
    #: used in production: what floats is answered with a warning and counted (ALG-14, ALG-20)
    production: bool = False
    #: host whose pages alone may send this key; empty: any client
    origin: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "algorithms": list(self.algorithms),
            "data": self.data.value,
            "manage": self.manage,
            "administrator": self.administrator,
            "production": self.production,
            "origin": self.origin,
        }

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Self:
        """The scope that `as_dict` told of."""
        return cls(**{**told, "algorithms": tuple(told["algorithms"]), "data": DataAccess(told["data"])})

    def sees(self, subject: str) -> bool:
        """Whether what is private about `owner/name` is shown to a member with this key; to others it is no member's."""
        if self.manage:
            return True
        reach = reach_of(self.algorithms)
        return reach is None or reach.allows(subject)

    def covers(self, other: Scope) -> bool:
        """Whether the other allows nothing that this one does not: so a key cannot make one that is wider than itself.

        To be for production and for one origin are duties, which who has them hands on.
        """
        reach = reach_of(self.algorithms)
        return (
            all(reach is None or reach.covers(pattern) for pattern in other.algorithms)
            and self.data.allows(other.data)
            and self.manage >= other.manage
            and self.administrator >= other.administrator
            and self.production <= other.production
            and self.origin in ("", other.origin)
        )


EVERYTHING = Scope((EVERY_ALGORITHM,), DataAccess.WRITE, manage=True, administrator=True)


@dataclass(frozen=True, slots=True)
class Reach:
    """The algorithms that a list of patterns names, made ready for a look-up at each call."""

    owners: frozenset[str]
    subjects: frozenset[str]

    def allows(self, subject: str) -> bool:
        """Whether `owner/name` is among them."""
        return subject in self.subjects or subject.partition("/")[0] in self.owners

    def covers(self, pattern: str) -> bool:
        """Whether everything that a pattern names is among them."""
        owner, name = _parts(pattern)
        return owner in self.owners or (bool(name) and f"{owner}/{name}" in self.subjects)


@functools.lru_cache(maxsize=4096)
def reach_of(patterns: tuple[str, ...]) -> Reach | None:
    """What legal patterns name; None is every algorithm."""
    owners, subjects = set(), set()
    for owner, name in map(_parts, patterns):
        if not owner:
            return None
        if name:
            subjects.add(f"{owner}/{name}")
        else:
            owners.add(owner)
    return Reach(frozenset(owners), frozenset(subjects))


def check_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """The patterns, each once. Raises Malformed for the first that is none."""
    found = tuple(dict.fromkeys(patterns))
    if len(found) > MOST_PATTERNS:
        raise Malformed(
            f"a key cannot have {len(found)} patterns",
            why=f"it has at most {MOST_PATTERNS}",
            repair="name owners instead of single algorithms",
        )
    for pattern in found:
        _parts(pattern)
    return found


def check_origin(origin: str) -> str:
    """The host in lower case; empty for any. Raises Malformed."""
    host = origin.strip().lower()
    if host and (len(host) > 253 or not _HOST.fullmatch(host)):
        raise Malformed(
            f"{origin[:80]!r} is not a host",
            why="an origin is the host of the pages that use a key, and its port where that is not the usual one",
            repair="write app.example.org",
            asked=origin[:200],
        )
    return host


def _parts(pattern: str) -> tuple[str, str]:
    """(owner, name) of a pattern, each empty where it is not fixed."""
    found = _PATTERN.fullmatch(pattern)
    if found is None:
        raise Malformed(
            f"{pattern[:80]!r} is not a pattern of algorithms",
            why="a pattern is algo://*, algo://OWNER/* or algo://OWNER/NAME/*",
            repair="write one of these",
            asked=pattern[:200],
        )
    return found[1] or "", found[2] or ""


class Need(StrEnum):
    """The part of a scope that an action needs."""

    NOTHING = "any key"
    READ_DATA = "a key that reads data"
    WRITE_DATA = "a key that writes data"
    MANAGE = "a key that manages"
    ADMINISTRATOR = "a key of an administrator"


#: Action to the part of a scope that it needs: names of commands and of the operations of the native API, and the doors' own.
#: Calls need a pattern that names the algorithm, which the routing of the call looks at.
NEEDS: dict[str, Need] = {
    "create_account": Need.ADMINISTRATOR,
    "delete_account": Need.ADMINISTRATOR,
    "collect_garbage": Need.ADMINISTRATOR,
    "read_metrics": Need.ADMINISTRATOR,
    "read_engine": Need.ADMINISTRATOR,
    "query_journal": Need.ADMINISTRATOR,
    "query_accounts": Need.ADMINISTRATOR,
    "query_garbage": Need.ADMINISTRATOR,
    "query_people": Need.ADMINISTRATOR,
    "update_account": Need.MANAGE,
    "create_organization": Need.MANAGE,
    "update_organization": Need.MANAGE,
    "delete_organization": Need.MANAGE,
    "query_account": Need.NOTHING,
    "query_organization": Need.NOTHING,
    "add_member": Need.MANAGE,
    "remove_member": Need.MANAGE,
    "create_key": Need.MANAGE,
    "rotate_key": Need.MANAGE,
    "revoke_key": Need.MANAGE,
    "query_keys": Need.MANAGE,
    "query_floating_calls": Need.MANAGE,
    "create_algorithm": Need.MANAGE,
    "update_algorithm": Need.MANAGE,
    "delete_algorithm": Need.MANAGE,
    "delete_public_algorithm": Need.MANAGE,
    "import_version": Need.ADMINISTRATOR,
    "create_scm": Need.ADMINISTRATOR,
    "update_scm": Need.ADMINISTRATOR,
    "prefer_scm": Need.ADMINISTRATOR,
    "delete_scm": Need.ADMINISTRATOR,
    "compile_algorithm": Need.MANAGE,
    "publish_version": Need.MANAGE,
    "set_secret": Need.MANAGE,
    "delete_secret": Need.MANAGE,
    "query_secrets": Need.MANAGE,
    "query_insights": Need.MANAGE,
    "set_line_notice": Need.MANAGE,
    "retire_line": Need.MANAGE,
    "query_lines": Need.NOTHING,
    "request_waiver": Need.MANAGE,
    "request_line_waiver": Need.MANAGE,
    "request_release_waiver": Need.MANAGE,
    "request_api_waiver": Need.MANAGE,
    "approve_waiver": Need.MANAGE,
    "revoke_waiver": Need.MANAGE,
    "query_waivers": Need.NOTHING,
    "query_release_waivers": Need.NOTHING,
    "query_api_waivers": Need.NOTHING,
    "read_waiver": Need.NOTHING,
    "read_signing_key": Need.NOTHING,
    "record_replay": Need.MANAGE,
    "query_replays": Need.ADMINISTRATOR,
    "start_build": Need.MANAGE,
    "finish_build": Need.MANAGE,
    "fail_interrupted_builds": Need.MANAGE,
    "upload_source": Need.MANAGE,
    "check_version": Need.MANAGE,
    "use_repository": Need.MANAGE,
    "read_private_builds": Need.MANAGE,
    "read_build_log": Need.MANAGE,
    "read_bill_of_materials": Need.MANAGE,
    "verify_rebuild": Need.MANAGE,
    "query_builds": Need.MANAGE,
    "create_product": Need.MANAGE,
    "update_product": Need.MANAGE,
    "cut_release": Need.MANAGE,
    "mark_stable": Need.MANAGE,
    "yank_release": Need.MANAGE,
    "plan_release": Need.MANAGE,
    "cancel_planned_release": Need.MANAGE,
    "create_calendar": Need.MANAGE,
    "revoke_calendar": Need.MANAGE,
    "query_calendars": Need.MANAGE,
    "create_command": Need.MANAGE,
    "publish_command_version": Need.MANAGE,
    "set_command_state": Need.MANAGE,
    "pause_command": Need.MANAGE,
    "resume_command": Need.MANAGE,
    "retry_queued_command": Need.MANAGE,
    "discard_queued_command": Need.MANAGE,
    "replay_queued_command": Need.MANAGE,
    # a key sends the commands that its patterns name, and sees what it sent
    "list_commands": Need.NOTHING,
    "read_command": Need.NOTHING,
    "list_queued": Need.NOTHING,
    "read_queued": Need.NOTHING,
    "roll_back": Need.MANAGE,
    "preview_rollback": Need.MANAGE,
    "upload_release_file": Need.MANAGE,
    "create_api": Need.MANAGE,
    "update_api": Need.MANAGE,
    "create_api_version": Need.MANAGE,
    "graduate_api": Need.MANAGE,
    "deprecate_api": Need.MANAGE,
    "retire_api": Need.MANAGE,
    "drop_api": Need.MANAGE,
    "change_api": Need.MANAGE,
    "extend_api": Need.MANAGE,
    "decide_api": Need.MANAGE,
    "set_upstream": Need.MANAGE,
    "plan_brownout": Need.MANAGE,
    "cancel_brownout": Need.MANAGE,
    "create_alert_hook": Need.MANAGE,
    "remove_alert_hook": Need.MANAGE,
    "replay_alerts": Need.MANAGE,
    "query_api_callers": Need.NOTHING,
    "query_upstreams": Need.MANAGE,
    "query_alerts": Need.MANAGE,
    "query_apis": Need.NOTHING,
    "query_api": Need.NOTHING,
    "read_api_states": Need.NOTHING,
    "read_api_contract": Need.NOTHING,
    "read_policy": Need.NOTHING,
    "query_products": Need.NOTHING,
    "query_product": Need.NOTHING,
    "query_releases": Need.NOTHING,
    "query_release": Need.NOTHING,
    "query_changelog": Need.NOTHING,
    "read_release_file": Need.NOTHING,
    "plan_upgrade": Need.NOTHING,
    "query_cadence": Need.NOTHING,
    "read_data": Need.READ_DATA,
    "write_data": Need.WRITE_DATA,
    # these ask for write_data themselves, but not where they write to the session of a call
    "create_collection": Need.NOTHING,
    "set_collection_acl": Need.NOTHING,
    "delete_collection": Need.NOTHING,
    "store_file": Need.NOTHING,
    "delete_file": Need.NOTHING,
    "set_data_quota": Need.ADMINISTRATOR,
    "expire_data": Need.MANAGE,
    "end_session": Need.MANAGE,
    # commands pass by their own names; the rest answers each key with what its patterns show
    "submit_command": Need.NOTHING,
    "resolve_reference": Need.NOTHING,
    "query_algorithms": Need.NOTHING,
    "query_versions": Need.NOTHING,
    "query_calls": Need.NOTHING,
    "query_contract": Need.NOTHING,
    "query_clauses": Need.NOTHING,
    "query_usage": Need.NOTHING,
    "read_receipt": Need.NOTHING,
    "read_call": Need.NOTHING,
}


def within(action: str, scope: Scope) -> bool:
    """Whether a key of this scope may be used for the action."""
    return _MEETS[NEEDS.get(action, Need.MANAGE)](scope)


def require_scope(action: str, scope: Scope) -> None:
    """Raises Forbidden unless a key of this scope may be used for the action. Says nothing of what it is done to."""
    if not within(action, scope):
        need = NEEDS.get(action, Need.MANAGE)
        raise Forbidden(
            f"this key is not for {action.replace('_', ' ')}",
            why=f"it takes {need.value}",
            repair="use another key of your account, or make one that may: troth key create",
        )


_MEETS: dict[Need, Callable[[Scope], bool]] = {
    Need.NOTHING: lambda scope: True,
    Need.READ_DATA: lambda scope: scope.data.allows(DataAccess.READ),
    Need.WRITE_DATA: lambda scope: scope.data.allows(DataAccess.WRITE),
    Need.MANAGE: lambda scope: scope.manage,
    Need.ADMINISTRATOR: lambda scope: scope.administrator,
}
