"""Alerts to accounts whose keys use what will go, and the webhooks that these are told through."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from datetime import datetime as moment
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from troth.registry.gateway_tables import alert_hooks, api_alerts
from troth.registry.tables import accounts

_BEGINNING = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; positions rise, and have gaps."""

    position: int
    account_id: str
    told: dict[str, Any]
    made_at: str

    def as_dict(self) -> dict[str, Any]:
        return {"position": self.position, "at": self.made_at, **self.told}


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook. `delivered` is the position of the last alert that it took."""

    id: str
    account_id: str
    account: str
    url: str
    salt: str
    delivered: int
    failures: int
    next_at: str | None
    problem: str
    created_at: str
    removed_at: str | None

    def as_dict(self) -> dict[str, Any]:
        shown = ("account", "url", "delivered", "failures", "next_at", "problem", "created_at", "removed_at")
        return {"hook": self.id, **{name: getattr(self, name) for name in shown}}


_HOOKS = select(
    alert_hooks.c.id, alert_hooks.c.account_id, accounts.c.name, alert_hooks.c.url, alert_hooks.c.salt,
    alert_hooks.c.delivered, alert_hooks.c.failures, alert_hooks.c.next_at, alert_hooks.c.problem,
    alert_hooks.c.created_at, alert_hooks.c.removed_at,
).join(accounts, accounts.c.id == alert_hooks.c.account_id)  # fmt: skip


def add_alert(
    connection: Connection, account: str, api: str, version: int, day: int, told: Mapping[str, Any], now: str
) -> None:
    """Adds an alert, unless the account heard of this version on this day already, or is not there any more."""
    account_id = connection.execute(select(accounts.c.id).where(accounts.c.name == account)).scalar()
    if account_id is None:
        return
    document = json.dumps({**told, "day": day_named(day)})
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        "account_id": account_id, "api": api, "version": version, "day": day, "told": document, "made_at": now
    }  # fmt: skip
    connection.execute(kind.insert(api_alerts).values(**row).on_conflict_do_nothing())


def alerts_after(connection: Connection, account_id: str, position: int, most: int) -> list[Alert]:
    """Alerts of an account behind a position, in order."""
    columns = (api_alerts.c.position, api_alerts.c.account_id, api_alerts.c.told, api_alerts.c.made_at)
    mine = (api_alerts.c.account_id == account_id) & (api_alerts.c.position > position)
    rows = connection.execute(select(*columns).where(mine).order_by(api_alerts.c.position).limit(most))
    return [Alert(row.position, row.account_id, json.loads(row.told), row.made_at) for row in rows]


def create_hook(connection: Connection, account_id: str, url: str, now: str) -> Hook:
    """A new webhook, which is told of what comes from now on."""
    newest = connection.execute(
        select(func.max(api_alerts.c.position)).where(api_alerts.c.account_id == account_id)
    ).scalar()
    row = {
        "id": str(uuid.uuid4()), "account_id": account_id, "url": url, "salt": secrets.token_hex(32),
        "delivered": newest or 0, "failures": 0, "problem": "", "created_at": now,
    }  # fmt: skip
    connection.execute(alert_hooks.insert().values(**row))
    found = find_hook(connection, str(row["id"]))
    assert found is not None
    return found


def find_hook(connection: Connection, identity: str) -> Hook | None:
    """The webhook with this id."""
    row = connection.execute(_HOOKS.where(alert_hooks.c.id == identity)).first()
    return Hook(*row) if row else None


def hooks_of(connection: Connection, account_id: str) -> list[Hook]:
    """The webhooks of an account that nobody removed, oldest first."""
    mine = (alert_hooks.c.account_id == account_id) & alert_hooks.c.removed_at.is_(None)
    return [Hook(*row) for row in connection.execute(_HOOKS.where(mine).order_by(alert_hooks.c.created_at))]


def due_hooks(connection: Connection, now: str, most: int) -> list[Hook]:
    """Webhooks that wait for an alert which they were not told of, and may be tried now."""
    waiting = select(api_alerts.c.position).where(
        api_alerts.c.account_id == alert_hooks.c.account_id, api_alerts.c.position > alert_hooks.c.delivered
    )
    due = alert_hooks.c.removed_at.is_(None) & (alert_hooks.c.next_at.is_(None) | (alert_hooks.c.next_at <= now))
    found = _HOOKS.where(due, waiting.exists()).order_by(alert_hooks.c.next_at, alert_hooks.c.id).limit(most)
    return [Hook(*row) for row in connection.execute(found)]


def change_hook(connection: Connection, identity: str, **values: Any) -> None:
    """Sets columns of a webhook."""
    connection.execute(update(alert_hooks).where(alert_hooks.c.id == identity).values(**values))


def took(connection: Connection, hook: Hook, position: int) -> None:
    """The webhook took everything up to a position; where somebody had it told again meanwhile, that holds."""
    mine = (alert_hooks.c.id == hook.id) & (alert_hooks.c.delivered == hook.delivered)
    values = {"delivered": position, "failures": 0, "next_at": None, "problem": ""}
    connection.execute(update(alert_hooks).where(mine).values(**values))


def day_of(when: moment) -> int:
    """The number of a day since 1970, in UTC."""
    return (when.astimezone(UTC).date() - _BEGINNING).days


def day_named(day: int) -> str:
    """The day with this number: `2026-11-25`."""
    return (_BEGINNING + timedelta(days=day)).isoformat()
