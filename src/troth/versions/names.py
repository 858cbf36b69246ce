"""Names of accounts and algorithms: which are legal, which are one and the same, which are reserved."""

from __future__ import annotations

import re

from troth.errors import MalformedName, NameTaken

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,62}", re.ASCII)
_ALGORITHM = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)

#: The owner of troth's own product and APIs. No account may be called so.
OWN = "troth"

#: First segments of paths that troth serves, and names that would read as something else.
RESERVED = frozenset(
    [
        "about",
        "account",
        "accounts",
        "admin",
        "algo",
        "algorithms",
        "api",
        "assets",
        "clauses",
        "cmd",
        "console",
        "data",
        "docs",
        "favicon",
        "gateway",
        "git",
        "health",
        "help",
        "internal",
        "journal",
        "keys",
        "latest",
        "latestprivate",
        "login",
        "logout",
        "me",
        "metrics",
        "my",
        "new",
        "openapi",
        "organizations",
        "public",
        "query",
        "receipts",
        "resolve",
        "root",
        "settings",
        "sign_in",
        "sources",
        "static",
        "status",
        "system",
        "troth",
        "users",
        "v1",
        "v2",
        "version",
        "versions",
        "webhooks",
        "www",
    ]
)


def check_account(name: str) -> str:
    """`name`, if an account may be called so: the clients' grammar allows ASCII letters, digits and underscores only.

    Raises MalformedName or, for a word that is part of a path, NameTaken.
    """
    if not _ACCOUNT.fullmatch(name):
        raise _malformed(
            "account", name, "letters, digits and underscores, beginning with a letter or digit, at most 63"
        )
    if folded(name) in RESERVED:
        raise NameTaken(
            f"the name {name!r} is reserved",
            why="it would collide with a path or a word of troth's own",
            repair="choose another name",
            asked=name,
        )
    return name


def check_owner(name: str) -> str:
    """`name`, if a product may belong to it: to an account, or to troth itself. Raises as `check_account` does."""
    return name if name == OWN else check_account(name)


def check_algorithm(name: str) -> str:
    """`name`, if an algorithm may be called so. Raises MalformedName."""
    return _check_part("algorithm", name)


def check_product(name: str) -> str:
    """`name`, if a product may be called so: as an algorithm may. Raises MalformedName."""
    return _check_part("product", name)


def check_component(name: str) -> str:
    """`name`, if a component of a product may be called so: as an algorithm may. Raises MalformedName."""
    return _check_part("component", name)


def _check_part(what: str, name: str) -> str:
    if not _ALGORITHM.fullmatch(name):
        raise _malformed(what, name, "letters, digits and underscores, beginning with a letter, at most 63")
    return name


def folded(name: str) -> str:
    """What two names share that differ in case only; names are unique by it."""
    return name.casefold()


def _malformed(what: str, name: str, rule: str) -> MalformedName:
    article = "an" if what[0] == "a" else "a"
    return MalformedName(
        f"{name[:80]!r} is not a name for {article} {what}",
        why=f"the name of {article} {what} is made of {rule}",
        repair="choose a name of that form",
        asked=name[:200],
    )
