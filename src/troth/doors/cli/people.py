"""Commands on keys, users and organisations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, say, show, show_json, show_table

key = App(name="key", help="Makes, lists, rotates and revokes keys.", help_format="plaintext")
account = App(name="account", help="Makes accounts and organisations, and changes members.", help_format="plaintext")


@key.command(name="create")
def create_key(
    name: str,
    /,
    *,
    label: str = "",
    algorithm: Annotated[
        list[str] | None, Parameter(help="Pattern of what it may call, e.g. algo://ada/*; can be repeated.")
    ] = None,
    data: Annotated[Literal["none", "read", "write"], Parameter(help="What it may do with data.")] = "none",
    manage: Annotated[bool, Parameter(negative="", help="Let it create, compile, publish and change.")] = False,
    administrator: Annotated[
        bool, Parameter(negative="", help="Let it act as an administrator of the server.")
    ] = False,
    production: Annotated[bool, Parameter(negative="", help="Warn of references that float.")] = False,
    origin: Annotated[str, Parameter(help="Host whose pages alone may use it.")] = "",
    expires: Annotated[str | None, Parameter(help="Moment at which it ends, e.g. 2027-12-31.")] = None,
    remote: Remote = Remote(),
) -> int:
    """Makes a key for an account and prints it, once.

    Without any option that says what it is for, it may do everything that the account may; with one, only what is named.

    Parameters
    ----------
    name
        The account: a user, or an organisation that you are an admin of.
    label
        What the key is for, in words.
    """
    scope: dict[str, Any] = {
        "algorithms": algorithm or [],
        "data": data,
        "manage": manage,
        "administrator": administrator,
        "origin": origin,
    }
    limited = bool(algorithm) or data != "none" or manage or administrator or bool(origin)
    if production and not limited:
        scope |= {"algorithms": ["algo://*"]}
    asked = {**scope, "production": production} if limited or production else None
    with remote.client() as client:
        made = client.command("create_key", version=2, account=name, label=label, scope=asked, expires_at=expires)
    limits = "" if asked is None else f", for: {described(made['scope'])}"
    return _shown_once(remote, made, f"key {made['key_id']} of {name}{limits}")


@key.command(name="list")
def list_keys(name: str = "", /, *, remote: Remote = Remote()) -> int:
    """Lists the keys of your account, masked, with what they are for and when they were used last.

    Parameters
    ----------
    name
        An organisation that you are an admin of, instead of your account.
    """
    with remote.client() as client:
        found = client.keys(name)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [row["key_id"], row["masked"], row["label"], described(row["scope"]), _minute(row["since"]), _used(row["used_at"]),
         _minute(row["expires_at"] or "")]
        for row in found["keys"]
    ]  # fmt: skip
    show_table(f"keys of {found['account']}", ["id", "key", "label", "for", "since", "last used", "ends"], rows)
    return 0


@key.command(name="rotate")
def rotate_key(
    key_id: str,
    /,
    *,
    grace: Annotated[int, Parameter(help="Seconds for which the old key goes on; 0 ends it at once.")] = 0,
    remote: Remote = Remote(),
) -> int:
    """Makes a new secret with the scope of a key and prints it, once.

    Parameters
    ----------
    key_id
        Its id, as `troth key list` shows it.
    """
    with remote.client() as client:
        made = client.command("rotate_key", key_id=key_id, grace_seconds=grace)
    return _shown_once(remote, made, f"key {made['key_id']}; the old one ends at {_minute(made['replaced_ends_at'])}")


@key.command(name="revoke")
def revoke_key(key_id: str, /, *, remote: Remote = Remote()) -> int:
    """Ends a key, from now on.

    Parameters
    ----------
    key_id
        Its id, as `troth key list` shows it.
    """
    return _done(remote, "revoked", _send(remote, "revoke_key", key_id=key_id))


@key.command(name="floating")
def floating(*, days: Annotated[int, Parameter(help="Days to look back.")] = 30, remote: Remote = Remote()) -> int:
    """Shows what production keys called by references that float, and that a later publication can therefore change."""
    with remote.client() as client:
        found = client.floating(days)
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [row["reference"], str(row["calls"]), row["account"], row["label"] or row["key_id"], row["last"]]
        for row in found["rows"]
    ]
    if not rows:
        say(f"no production key called a floating reference since {found['from']}")
        return 0
    show_table(
        f"floating calls with production keys since {found['from']}",
        ["reference", "calls", "account", "key", "last"],
        rows,
    )
    return 0


@account.command(name="create")
def create_account(
    name: str, /, *, administrator: Annotated[bool, Parameter(negative="")] = False, remote: Remote = Remote()
) -> int:
    """Makes a user.

    Parameters
    ----------
    name
        Its name.
    administrator
        Let it make accounts, members and keys for everybody, and read the journal.
    """
    return _done(remote, "made", _send(remote, "create_account", name=name, administrator=administrator))


@account.command(name="organization")
def create_organization(name: str, /, *, remote: Remote = Remote()) -> int:
    """Makes an organisation, whose first admin you are.

    Parameters
    ----------
    name
        Its name.
    """
    return _done(remote, "made", _send(remote, "create_organization", name=name))


@account.command(name="add-member")
def add_member(
    organization: str,
    name: str,
    /,
    *,
    admin: Annotated[bool, Parameter(negative="")] = False,
    remote: Remote = Remote(),
) -> int:
    """Gives a user a role in an organisation, from now on.

    Parameters
    ----------
    organization
        The organisation.
    name
        The user.
    admin
        Let the user change members as well.
    """
    role = "admin" if admin else "member"
    return _done(remote, "done", _send(remote, "add_member", organization=organization, account=name, role=role))


@account.command(name="remove-member")
def remove_member(organization: str, name: str, /, *, remote: Remote = Remote()) -> int:
    """Ends a user's membership of an organisation, from now on.

    Parameters
    ----------
    organization
        The organisation.
    name
        The user.
    """
    return _done(remote, "done", _send(remote, "remove_member", organization=organization, account=name))


@account.command(name="list")
def list_accounts(*, remote: Remote = Remote()) -> int:
    """Lists all accounts, for administrators."""
    with remote.client() as client:
        found = client.accounts()
    if remote.json:
        show_json(found)
        return 0
    rows = [
        [row["name"], row["kind"], "yes" if row["administrator"] else "", ", ".join(row["members"])]
        for row in found["accounts"]
    ]
    show_table("", ["name", "kind", "administrator", "members"], rows)
    return 0


@account.command(name="members")
def members(organization: str, /, *, remote: Remote = Remote()) -> int:
    """Lists who belongs to an organisation now, and in which role.

    Parameters
    ----------
    organization
        The organisation.
    """
    with remote.client() as client:
        found = client.organization(organization)
    if remote.json:
        show_json(found)
        return 0
    rows = [[row["account"], row["role"], _minute(row["since"])] for row in found["members"]]
    show_table(f"members of {found['name']}", ["account", "role", "since"], rows)
    return 0


@account.command(name="update")
def update_account(
    name: str,
    /,
    *,
    email: str | None = None,
    fullname: str | None = None,
    company_name: str | None = None,
    company_role: str | None = None,
    external_id: str | None = None,
    remote: Remote = Remote(),
) -> int:
    """Changes what is known of a user; an empty text takes away.

    Parameters
    ----------
    name
        The user.
    email
        Its address.
    fullname
        Its full name.
    company_name
        Where it works.
    company_role
        As what.
    external_id
        What another directory knows it by.
    """
    given = {"email": email, "fullname": fullname, "company_name": company_name, "company_role": company_role,
             "external_id": external_id}  # fmt: skip
    details = {field: text for field, text in given.items() if text is not None}
    return _done(remote, "changed", _send(remote, "update_account", account=name, details=details))


@account.command(name="delete")
def delete_account(
    name: str,
    /,
    *,
    organization: Annotated[bool, Parameter(negative="", help="It is an organisation.")] = False,
    remote: Remote = Remote(),
) -> int:
    """Ends a user or an organisation with its keys. Its name stays taken; what it published goes on answering.

    Parameters
    ----------
    name
        Its name.
    """
    if organization:
        return _done(remote, "deleted", _send(remote, "delete_organization", organization=name))
    return _done(remote, "deleted", _send(remote, "delete_account", account=name))


def _send(remote: Remote, command: str, **payload: Any) -> dict[str, Any]:
    with remote.client() as client:
        return client.command(command, **payload)


def _done(remote: Remote, word: str, result: dict[str, Any]) -> int:
    if remote.json:
        show_json(result)
    else:
        facts = ", ".join(
            f"{name.replace('_', ' ')} {value}" for name, value in result.items() if value not in (False, None)
        )
        show(f"{word}: {escape(facts)}")
    return 0


def described(scope: dict[str, Any]) -> str:
    """A scope in a few words."""
    if "algo://*" in scope["algorithms"] and scope["data"] == "write" and scope["manage"] and scope["administrator"]:
        words = ["everything"]
    else:
        patterns = scope["algorithms"]
        more = f" and {len(patterns) - 3} more" if len(patterns) > 3 else ""
        words = [f"calls {' '.join(patterns[:3])}{more}"] if patterns else []
        words += [f"data {scope['data']}"] if scope["data"] != "none" else []
        words += [word for word in ("manage", "administrator") if scope[word]]
    words += ["production"] if scope["production"] else []
    words += [f"from {scope['origin']}"] if scope["origin"] else []
    return ", ".join(words) or "nothing"


def _shown_once(remote: Remote, made: dict[str, Any], said: str) -> int:
    if remote.json:
        show_json(made)
    else:
        show(made["key"])
        say(f"{escape(said)}; it is not shown again")
    return 0


def _minute(moment: str) -> str:
    return moment[:19].replace("T", " ")


def _used(seconds: int | None) -> str:
    return _minute(datetime.fromtimestamp(seconds, UTC).isoformat()) if seconds else "never"
