"""What clients send about people and keys, read strictly where it is known; what is not known is ignored."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from troth.doors.algorithmia.refusals import (
    FIELDS_MISSING,
    INVALID_REQUEST,
    MALFORMED_ORGANIZATION,
    MALFORMED_USER,
    Numbered,
)

Body = TypeVar("Body", bound=msgspec.Struct)


class _Details(msgspec.Struct):
    def details(self) -> dict[str, str]:
        """The fields of the registry's details that were sent."""
        found = {name: getattr(self, name) for name in self.__struct_fields__ if name not in ("username", "org_name")}
        return {name: text for name, text in found.items() if text is not None}


class UserUpdate(_Details):
    """What may change of a user."""

    username: str | None = None
    email: str | None = None
    fullname: str | None = None
    company_name: str | None = None
    company_role: str | None = None


class User(UserUpdate, kw_only=True):
    """A user to be made. A password is not kept: one signs in with keys."""

    username: str


class OrganizationUpdate(_Details):
    """What may change of an organisation."""

    org_name: str | None = None
    org_label: str | None = None
    org_contact_name: str | None = None
    org_email: str | None = None
    org_url: str | None = None
    type_id: str | None = None
    external_id: str | None = None
    external_admin_group: str | None = None
    external_member_group: str | None = None


class Organization(OrganizationUpdate, kw_only=True):
    """An organisation to be made."""

    org_name: str


class _Permissions(msgspec.Struct):
    allow_data: bool = False
    allow_data_write: bool = False
    allow_algo: bool = True
    allow_web_algo: bool = False
    allow_algo_management: bool = False
    referer_host: str | None = None
    algo_acl: list[str] = []


class Key(msgspec.Struct):
    """A key to be made (section 15.4)."""

    key_label: str = ""
    key_type: Literal["ManagementKey", "PlatformAdminKey", "AlgorithmKey"] = "AlgorithmKey"
    permissions: _Permissions = msgspec.field(default_factory=_Permissions)


class Role(msgspec.Struct):
    role: Literal["owner", "member"] | None = None


def user(content: bytes) -> User:
    """Raises Numbered."""
    return _read(content, User, MALFORMED_USER)


def user_update(content: bytes) -> UserUpdate:
    """Raises Numbered."""
    return _read(content, UserUpdate, MALFORMED_USER)


def organization(content: bytes) -> Organization:
    """Raises Numbered."""
    return _read(content, Organization, MALFORMED_ORGANIZATION)


def organization_update(content: bytes) -> OrganizationUpdate:
    """Raises Numbered."""
    return _read(content, OrganizationUpdate, MALFORMED_ORGANIZATION)


def key(content: bytes) -> Key:
    """Raises Numbered."""
    return _read(content, Key, INVALID_REQUEST)


def role(content: bytes) -> str | None:
    """The role that a body names in the registry's words; clients send none. Raises Numbered."""
    found = _read(content, Role, INVALID_REQUEST).role if content.strip() else None
    return {"owner": "admin", "member": "member", None: None}[found]


def scope(asked: Key) -> dict[str, Any]:
    """What a key is asked for, as `create_key` takes it. One may hold several kinds of rights."""
    given = asked.permissions
    administrator = asked.key_type == "PlatformAdminKey"
    return {
        "algorithms": given.algo_acl if given.allow_algo or given.allow_web_algo else [],
        "data": "write" if given.allow_data_write else "read" if given.allow_data else "none",
        "manage": given.allow_algo_management or administrator or asked.key_type == "ManagementKey",
        "administrator": administrator,
        "origin": given.referer_host or "",
    }


def below(owner: str, patterns: list[str]) -> list[str]:
    """Those of the patterns that name algorithms of this owner; all of them where everything is asked for. Raises Numbered."""
    whole = f"algo://{owner}/*"
    narrowed = [whole if pattern == "algo://*" else pattern for pattern in patterns or [whole]]
    for pattern in narrowed:
        if not pattern.startswith(f"algo://{owner}/"):
            raise Numbered(
                INVALID_REQUEST, f"{pattern[:80]!r} is nothing of {owner}'s", repair=f"name {whole}, or less"
            )
    return narrowed


def permissions(scope: dict[str, Any]) -> dict[str, Any]:
    """A scope in the words of clients."""
    return {
        "allow_data": scope["data"] != "none",
        "allow_data_write": scope["data"] == "write",
        "allow_algo": bool(scope["algorithms"]),
        "allow_web_algo": bool(scope["origin"]),
        "allow_algo_management": scope["manage"],
        "referer_host": scope["origin"] or None,
        "algo_acl": scope["algorithms"],
    }


def _read(content: bytes, kind: type[Body], number: int) -> Body:
    try:
        return msgspec.json.decode(content or b"{}", type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        missing = "missing required field" in str(error)
        raise Numbered(
            FIELDS_MISSING if missing and number == MALFORMED_USER else number,
            f"the body does not fit: {error}",
            repair="send a JSON object with the fields that the documentation names",
        ) from None
