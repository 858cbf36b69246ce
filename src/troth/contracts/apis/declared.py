"""`apis.toml`: the versions of APIs, their states and their OpenAPI documents, as a repository keeps them.

[orders]
subject = "ada/orders"
starting_point = "v3"

[orders.v3]
document = "openapi/v3.yaml"
state = "deprecated"
since = "7.3.0"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from troth.contracts.declared_tables import checked_path
from troth.errors import MalformedSource, TrothError
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.states import FIRST, State
from troth.versions.lifecycles.subject import Api, Decided, Standing
from troth.versions.releases.numbers import ReleaseNumber

FILE: Final = "apis.toml"
_LARGEST: Final = 256 * 1024
_API_KEYS: Final = {"starting_point", "decisions", "subject"}
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_.-]{1,63}/[A-Za-z0-9_.-]{1,63}", re.ASCII)
_VERSION_KEYS: Final = {"document", "state", "since", "extended", "reason", "security", "note"}


@dataclass(frozen=True, slots=True)
class DeclaredVersion:
    """One version as it is declared. `security` refers to the fault that a change of a deprecated version mends."""

    standing: Standing
    document: str = ""
    security: str = ""
    note: str = ""
    #: why the retirement was put off
    reason: str = ""
    #: whether its state is said here; else it is what the server has
    stated: bool = True


@dataclass(frozen=True, slots=True)
class DeclaredApi:
    """One API as it is declared, or as a server has it."""

    name: str
    versions: Mapping[int, DeclaredVersion] = field(default_factory=dict)
    starting_point: int | None = None
    decisions: tuple[Decided, ...] = ()
    #: OWNER/API, where it is one on a server
    subject: str = ""
    #: versions that were taken away before they were current, whose numbers are known
    dropped: Mapping[int, Standing] = field(default_factory=dict)
    #: the highest release that anything rode on
    newest: ReleaseNumber | None = None

    def seen(self) -> Api:
        """The API as the policy sees it."""
        found = {**self.dropped, **{number: one.standing for number, one in self.versions.items()}}
        return Api(found, self.starting_point, self.decisions, self.newest)


def declared_apis(content: bytes) -> dict[str, DeclaredApi]:
    """The APIs in an `apis.toml`, by name. Raises MalformedSource with the table and key that is wrong."""
    try:
        if len(content) > _LARGEST:
            raise ValueError(f"at most {_LARGEST} bytes are read")
        document = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise _wrong("it cannot be read", str(error)[:200], "write TOML 1.0 in UTF-8") from None
    return {name: _api(name, value) for name, value in document.items()}


def _api(name: str, table: Any) -> DeclaredApi:
    if not isinstance(table, dict):
        raise _wrong(f"{name} is no table", "each API is a table", f"write [{name}]")
    start, subject = table.get("starting_point"), table.get("subject", "")
    if "subject" in table and not (isinstance(subject, str) and _SUBJECT.fullmatch(subject)):
        raise _wrong(f"[{name}] subject is {subject!r:.60}", "it is an API on a server", 'write subject = "OWNER/API"')
    versions = {key: value for key, value in table.items() if key not in _API_KEYS}
    found = {
        _number(name, key): _version(f"{name}.{key}", key, value, bool(subject)) for key, value in versions.items()
    }
    decisions = table.get("decisions", [])
    if not isinstance(decisions, list):
        raise _wrong(f"[{name}] decisions is no list", "there may be several", f"write [[{name}.decisions]]")
    told = tuple(_decision(name, one) for one in decisions)
    begins = _number(name, start) if start is not None else None
    return DeclaredApi(name, dict(sorted(found.items())), begins, told, subject)


def _version(where: str, key: str, table: Any, recorded: bool) -> DeclaredVersion:
    """The version in a table. Where the API is recorded on a server, its state may be left out."""
    if not isinstance(table, dict):
        raise _wrong(f"[{where.rpartition('.')[0]}] has no key {key!r}", "nobody knows what that is", f"take {key} out")
    for name, value in table.items():
        if name not in _VERSION_KEYS:
            raise _wrong(
                f"[{where}] has no key {name!r}", f"it has {', '.join(sorted(_VERSION_KEYS))}", f"take {name} out"
            )
        if not isinstance(value, str):
            raise _wrong(f"[{where}] {name} is no text", "all of it is text", f'write {name} = "..."')
    stated = "state" in table or not recorded
    if stated and table.get("state", "") not in list(State):
        raise _wrong(
            f"[{where}] state is missing, or none", f"it is one of {', '.join(State)}", 'write state = "current"'
        )
    state, since = State(table["state"]) if stated else FIRST, _release(where, table, "since")
    standing = Standing(_number(where, key), state, since, _release(where, table, "extended"))
    document = checked_path(table["document"], f"{where} document") if "document" in table else ""
    return DeclaredVersion(
        standing, document, table.get("security", ""), table.get("note", ""), table.get("reason", ""), stated
    )


def _decision(name: str, one: Any) -> Decided:
    if (
        not isinstance(one, dict)
        or one.keys() != {"about", "allowed", "reason"}
        or not isinstance(one["allowed"], bool)
    ):
        raise _wrong(
            f"[[{name}.decisions]] is none",
            "it has about, allowed and reason",
            "write all three, and allowed = true or false",
        )
    return Decided(str(one["about"]), one["allowed"], str(one["reason"]))


def _number(where: str, text: Any) -> int:
    try:
        return parsed(str(text))
    except TrothError as error:
        raise type(error)(f"{FILE}: [{where}] {error.what}", why=error.why, repair=error.repair,
                          clauses=error.clauses, asked=error.asked) from None  # fmt: skip


def _release(where: str, table: Mapping[str, str], key: str) -> ReleaseNumber | None:
    try:
        return ReleaseNumber.parse(table[key]) if key in table else None
    except TrothError as error:
        raise type(error)(f"{FILE}: [{where}] {key}: {error.what}", why=error.why, repair=error.repair,
                          clauses=error.clauses, asked=error.asked) from None  # fmt: skip


def _wrong(what: str, why: str, repair: str) -> MalformedSource:
    return MalformedSource(f"{FILE}: {what}", why=why, repair=repair)
