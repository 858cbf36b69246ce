"""What can be rolled back: a row for each kind, with how its values are told, found, and said anew by the ordinary command.

Pointer-like is what says how something is to be from now on, and can be said anew: never what was published.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from troth.registry import accounts, apis, catalog, command_subjects, lines, products
from troth.registry.command_subjects import DRAINING, PAUSED, RUNNING
from troth.versions.commands import states as command_states
from troth.versions.lifecycles import transitions
from troth.versions.lifecycles.lines import Notice
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import version_number

Values = dict[str, Any]
Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """One thing whose values are spoken of. `names` are the members of a payload that name it, the journal's subject first."""

    kind: str
    names: Mapping[str, str]

    @property
    def about(self) -> str:
        """What the journal calls it, or what it is a part of."""
        return next(iter(self.names.values()))

    @property
    def part(self) -> str:
        """The version or account within it; empty where it has no parts."""
        return list(self.names.values())[1] if len(self.names) > 1 else ""

    def members(self) -> Values:
        """The names as a payload of `roll_back` has them."""
        return {name: int(text) if name == "command_version" else text for name, text in self.names.items()}

    def __str__(self) -> str:
        return "/".join(self.names.values())


@dataclass(frozen=True, slots=True)
class Settable:
    """A row: a kind of thing whose values can be rolled back."""

    kind: str
    #: how it is written, with a group for each member of a payload that names it
    pattern: re.Pattern[str]
    written: str
    #: the command that makes it, or what it is a part of, with the values that it has then
    creating: str
    unsaid: Values
    #: commands that say values anew
    changing: tuple[str, ...]
    #: the values that a payload and its result say of it
    said: Callable[[Named, Payload, Payload], Values]
    #: the values now; None where there is no such thing
    present: Callable[[Connection, Named], Values | None]
    #: row of `troth.access.roles.GRANTS`: who may look
    action: str
    #: the ordinary command that brings it from values to values, and its payload without the names, reason and release
    order: Callable[[Values, Values], tuple[str, Values]]
    #: whether it moves in releases, so that one has to be named
    rides: bool = False
    #: what is legal from these values on, said where the way back is not
    instead: Callable[[Values], str] = field(default=lambda now: "")

    def named(self, names: Payload) -> Named:
        """What a payload names."""
        return Named(self.kind, {name: str(names[name]) for name in self.pattern.groupindex})


def parts_of(values: Payload) -> dict[str, Values]:
    """`details` and `settings` of an algorithm, from values by names like `settings.license`."""
    parts: dict[str, Values] = {"details": {}, "settings": {}}
    for name, value in values.items():
        part, _, inner = name.partition(".")
        if inner:
            parts[part][inner] = value
    return parts


def _algorithm_said(named: Named, payload: Payload, result: Payload) -> Values:
    nested = {
        f"{part}.{name}": value for part in ("details", "settings") for name, value in payload.get(part, {}).items()
    }
    return {**({"summary": payload["summary"]} if "summary" in payload else {}), **nested}


def _algorithm_now(connection: Connection, named: Named) -> Values | None:
    row = catalog.find_algorithm(connection, *named.about.split("/"))
    if row is None:
        return None
    told = {"summary": row.summary, "details": row.details, "settings": row.settings}
    return _algorithm_said(named, told, {})


def _product_said(named: Named, payload: Payload, result: Payload) -> Values:
    return {name: payload[name] for name in ("summary", "public") if name in payload}


def _product_now(connection: Connection, named: Named) -> Values | None:
    row = products.find_product(connection, named.about)
    return None if row is None else {"summary": row.summary, "public": row.public}


def _notice_said(named: Named, payload: Payload, result: Payload) -> Values:
    return {name: result[name] for name in ("days", "quiet_days") if name in result}


def _notice_now(connection: Connection, named: Named) -> Values | None:
    row = catalog.find_algorithm(connection, *named.about.split("/"))
    if row is None:
        return None
    notice = lines.notice_of(connection, row.id)
    return {"days": notice.days, "quiet_days": notice.quiet_days}


def _api_said(named: Named, payload: Payload, result: Payload) -> Values:
    return {name: payload[name] for name in ("summary", "public", "documentation") if name in payload}


def _api_now(connection: Connection, named: Named) -> Values | None:
    row = apis.find_api(connection, named.about)
    return None if row is None else {"summary": row.summary, "public": row.public, "documentation": row.documentation}


#: the word for a version that went without ever having been current
_DROPPED: Final = "dropped"
_MOVES: Final = ("create_api_version", "graduate_api", "deprecate_api", "retire_api", "drop_api")
_FORWARD: Final = {
    ("experimental", "current"): "graduate_api",
    ("current", "deprecated"): "deprecate_api",
    ("deprecated", "retired"): "retire_api",
}


def _api_version_said(named: Named, payload: Payload, result: Payload) -> Values:
    verdict = result.get("verdict", {})
    if verdict.get("move") == "drop" and verdict.get("version") == named.part:
        return {"state": _DROPPED}
    state = verdict.get("effects", {}).get(named.part)
    return {"state": state} if state else {}


def _api_version_now(connection: Connection, named: Named) -> Values | None:
    row, number = apis.find_api(connection, named.about), version_number(named.part)
    found = [one for one in apis.versions_of(connection, row.id) if one.number == number] if row else []
    return {"state": _DROPPED if found[0].dropped_in else found[0].state.value} if found else None


def _api_version_order(now: Values, then: Values) -> tuple[str, Values]:
    if then["state"] == _DROPPED:
        return "drop_api", {}
    command = _FORWARD.get((now["state"], then["state"]))
    return (command, {}) if command else ("return_api", {"state": then["state"]})


def _api_version_instead(now: Values) -> str:
    if now["state"] not in (State.EXPERIMENTAL, State.CURRENT, State.DEPRECATED):
        return "make the next version: troth api add"
    found = [row.repair for row in transitions.TRANSITIONS.values() if row.before == now["state"] and row.steps]
    extending = ["put its retirement off: troth api extend"] if now["state"] == State.DEPRECATED else []
    return ", or ".join([*found, *extending])


def _flow_said(named: Named, payload: Payload, result: Payload) -> Values:
    return {"flow": result["flow"]} if "flow" in result else {}


def _flow_now(connection: Connection, named: Named) -> Values | None:
    row = command_subjects.find(connection, named.about)
    return None if row is None else {"flow": row.flow}


_FLOWS: Final[Mapping[str, tuple[str, Values]]] = {
    RUNNING: ("resume_command", {}),
    PAUSED: ("pause_command", {}),
    DRAINING: ("pause_command", {"drain": True}),
}


def _command_version_said(named: Named, payload: Payload, result: Payload) -> Values:
    number = int(named.part)
    if number in result.get("deprecated", ()):
        return {"state": command_states.State.DEPRECATED.value}
    if result.get("version") != number:
        return {}
    if "state" in result:
        return {"state": result["state"]}
    return {"state": command_states.State.CURRENT.value} if result.get("new") else {}


def _command_version_now(connection: Connection, named: Named) -> Values | None:
    row = command_subjects.find(connection, named.about)
    found = command_subjects.versions_of(connection, row.id).get(int(named.part)) if row else None
    return None if found is None else {"state": found.state.value}


def _member_said(named: Named, payload: Payload, result: Payload) -> Values:
    if result.get("admin") == named.part:  # who made the organisation
        return {"role": "admin"}
    return {"role": result["role"]} if result.get("account") == named.part else {}


def _member_now(connection: Connection, named: Named) -> Values | None:
    organization, account = (accounts.find_account(connection, name) for name in (named.about, named.part))
    if organization is None or account is None or organization.kind != "organization":
        return None
    return {"role": accounts.role_of(connection, organization.id, account.id)}


def _member_order(now: Values, then: Values) -> tuple[str, Values]:
    return ("remove_member", {}) if then["role"] is None else ("add_member", {"role": then["role"]})


def _same(command: str) -> Callable[[Values, Values], tuple[str, Values]]:
    return lambda now, then: (command, then)


_SUBJECT, _ACCOUNT = "[A-Za-z0-9_]{1,63}/[A-Za-z][A-Za-z0-9_]{0,62}", "[^/]{1,63}"
_PUBLISHING = ("publish_command_version", "set_command_state")


def _written(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


_ROWS = (
    Settable("algorithm", _written(f"(?P<algorithm>{_SUBJECT})"), "OWNER/ALGORITHM", "create_algorithm", {"summary": ""},
             ("update_algorithm",), _algorithm_said, _algorithm_now, "update_algorithm", _same("set_algorithm")),
    Settable("line-notice", _written(f"(?P<algorithm>{_SUBJECT})"), "OWNER/ALGORITHM", "create_algorithm",
             {"days": Notice().days, "quiet_days": Notice().quiet_days}, ("set_line_notice",), _notice_said, _notice_now,
             "set_line_notice", _same("set_line_notice")),
    Settable("product", _written(f"(?P<product>{_SUBJECT})"), "OWNER/PRODUCT", "create_product",
             {"summary": "", "public": False}, ("update_product",), _product_said, _product_now, "update_product",
             _same("update_product")),
    Settable("api", _written(f"(?P<api>{_SUBJECT})"), "OWNER/API", "create_api",
             {"summary": "", "public": False, "documentation": None}, ("update_api",), _api_said, _api_now, "update_api",
             _same("update_api")),
    Settable("api-version", _written(f"(?P<api>{_SUBJECT})/(?P<api_version>v[1-9][0-9]{{0,8}})"), "OWNER/API/vN", "", {},
             _MOVES, _api_version_said, _api_version_now, "graduate_api", _api_version_order, rides=True,
             instead=_api_version_instead),
    Settable("command", _written(f"(?P<command>{_SUBJECT})"), "OWNER/COMMAND", "create_command", {"flow": RUNNING},
             ("pause_command", "resume_command"), _flow_said, _flow_now, "pause_command",
             lambda now, then: _FLOWS[then["flow"]]),
    Settable("command-version", _written(f"(?P<command>{_SUBJECT})/(?P<command_version>[1-9][0-9]{{0,6}})"),
             "OWNER/COMMAND/N", "", {}, _PUBLISHING, _command_version_said, _command_version_now, "set_command_state",
             _same("set_command_state"), rides=True),
    Settable("member", _written(f"(?P<organization>{_ACCOUNT})/(?P<account>{_ACCOUNT})"), "ORGANIZATION/ACCOUNT",
             "create_organization", {"role": None}, ("add_member", "remove_member"), _member_said, _member_now,
             "add_member", _member_order),
)  # fmt: skip
SETTABLE: Final[Mapping[str, Settable]] = {row.kind: row for row in _ROWS}
