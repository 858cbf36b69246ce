"""Commands on what the gateway serves: where APIs run, and when their versions are browned out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.apis import OnApi, require_for_api
from troth.commands.bus import Handler, Transaction
from troth.commands.formats import Payload
from troth.errors import Malformed, NotFound, Refused
from troth.registry import apis, upstreams
from troth.registry.upstreams import EVERY_VERSION, Upstream
from troth.versions.lifecycles.brownouts import Planned, check_brownout
from troth.versions.lifecycles.numbers import parsed
from troth.versions.lifecycles.table import MOST_BROWNOUTS, Brownout, given_moment, moment, version_name

#: Why the gateway would not reach an address now; empty where nothing speaks against it.
Trouble = Callable[[str], Awaitable[str]]
_LIMITS = ("connect_seconds", "seconds", "body_bytes", "health_path")


class SetUpstream(OnApi):
    """The address is looked at when requests are handed on, because what a name means changes. What is wrong with it now is told."""

    action = "set_upstream"

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble

    async def prepare(self, actor: Actor, payload: Payload) -> str:
        return await self._trouble(checked_url(payload["url"])) if payload["url"] is not None else ""

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        row = apis.existing(transaction.connection, payload["api"])
        number = parsed(payload["api_version"]) if "api_version" in payload else EVERY_VERSION
        if number and number not in {one.number for one in apis.versions_of(transaction.connection, row.id)}:
            raise NotFound(f"{row.subject} has no version {version_name(number)}", repair="add it first: troth api add")
        upstream = None
        if payload["url"] is not None:
            limits = {name: payload[name] for name in _LIMITS if name in payload}
            upstream = Upstream(checked_url(payload["url"]), **limits)
        by, now = transaction.actor.id, transaction.now
        upstreams.set_upstream(transaction.connection, row.id, number, upstream, by, now)
        transaction.changed_apis.add(row.subject)
        told = upstream.as_dict() if upstream else {"url": None}
        warned = {"warning": prepared} if prepared else {}
        return {"api": row.subject, "version": version_name(number) if number else None, **told, **warned}


class PlanBrownout(OnApi):
    """Announces a brownout: replies tell of it from now on, so now is when its notice begins."""

    action = "plan_brownout"

    def __init__(self, notice: timedelta) -> None:
        self._notice = notice

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        connection = transaction.connection
        row = apis.existing(connection, payload["api"])
        number = parsed(payload["api_version"])
        version = next((one for one in apis.versions_of(connection, row.id) if one.number == number), None)
        now = moment(transaction.now)
        begins, ends = _times(payload)
        check_brownout(
            row.subject, Planned(number, version.state if version else None, begins, ends, now, self._notice)
        )
        brownout = Brownout(number, upstreams.second(begins), upstreams.second(ends), bool(payload.get("production")))
        if len(upstreams.brownouts_of(connection, row.id, transaction.now)) >= MOST_BROWNOUTS:
            raise Refused(f"{row.subject} has {MOST_BROWNOUTS} brownouts ahead", repair="cancel some of them")
        identity = upstreams.plan_brownout(connection, row.id, brownout, transaction.actor.id, transaction.now)
        _changed(transaction, row)
        return {"brownout": identity, **_told(row.subject, brownout)}


class CancelBrownout:
    async def prepare(self, actor: Actor, payload: Payload) -> Any:
        return None

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        found = upstreams.find_brownout(connection, payload["brownout"])
        row = apis.get_api(connection, found.api_id) if found else None
        require_for_api("cancel_brownout", connection, actor, row.subject if row else "nobody/nothing")

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        found = upstreams.find_brownout(transaction.connection, payload["brownout"])
        if found is None or found.cancelled_at is not None:
            raise Refused("this brownout was cancelled already", repair="nothing is left to do")
        row = apis.get_api(transaction.connection, found.api_id)
        upstreams.cancel_brownout(transaction.connection, found.id, transaction.now)
        _changed(transaction, row)
        return {"brownout": found.id, **_told(row.subject, found.brownout), "cancelled_at": transaction.now}


def gateway_handlers(trouble: Trouble, notice: timedelta) -> dict[str, Handler]:
    """Every command of the gateway by its name. `notice` is what callers have before a brownout."""
    return {
        "set_upstream": SetUpstream(trouble),
        "plan_brownout": PlanBrownout(notice),
        "cancel_brownout": CancelBrownout(),
    }


def checked_url(url: str) -> str:
    """The address of an upstream or a webhook. Raises Malformed."""
    try:
        parts = urlsplit(url)
        legal = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        legal = False
    strange = not url.isascii() or any(sign <= " " or sign in '\\"<>^`{|}' for sign in url)
    if not legal or strange or parts.username is not None or parts.query or parts.fragment or "/.." in parts.path:
        raise Malformed(
            f"{url[:200]!r} is not an address that can be called",
            why="it is http or https, a host, a port where needed, and a path; without names, passwords, queries and ..",
            repair="write https://shop.internal.example:8443/api",
        )
    return url.rstrip("/")


def _times(payload: Payload) -> tuple[datetime, datetime]:
    """When the brownout that is asked for begins and ends. Raises Malformed."""
    begins, ends = (
        given_moment(payload[name], f"the {what} of the brownout", "write a time like 2027-01-10T10:00:00Z")
        for name, what in (("begins", "beginning"), ("ends", "end"))
    )
    if begins >= ends:
        raise Malformed(
            f"the brownout ends at {payload['ends']}, before it begins",
            why=f"it begins at {payload['begins']}",
            repair="let it end later",
        )
    return begins, ends


def _changed(transaction: Transaction, row: apis.ApiRow) -> None:
    apis.change_api(transaction.connection, row.id, transaction.now, revision=row.revision + 1)
    transaction.changed_apis.add(row.subject)


def _told(subject: str, brownout: Brownout) -> dict[str, Any]:
    return {
        "api": subject,
        "version": version_name(brownout.version),
        "begins": brownout.begins,
        "ends": brownout.ends,
        "production": brownout.production,
    }
