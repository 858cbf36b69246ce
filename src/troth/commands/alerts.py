"""Commands on webhooks that an account is told through of what its keys use and what will go."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.commands.algorithms import require_for
from troth.commands.bus import Handler, Transaction
from troth.commands.formats import Payload
from troth.commands.gateway import checked_url
from troth.errors import Refused
from troth.registry import accounts, alerts
from troth.registry.alerts import Hook
from troth.signing import derived

#: webhooks of one account
_MOST = 20


class _OnAccount:
    """A command without a slow part."""

    async def prepare(self, actor: Actor, payload: Payload) -> Any:
        return None


class CreateAlertHook(_OnAccount):
    def __init__(self, webhook_key: bytes) -> None:
        self._key = webhook_key

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        require_for("create_alert_hook", connection, actor, payload["account"])

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        account = accounts.get_account(transaction.connection, payload["account"])
        url = checked_url(payload["url"])
        if len(alerts.hooks_of(transaction.connection, account.id)) >= _MOST:
            raise Refused(f"{account.name} has {_MOST} webhooks", repair="remove one of them")
        hook = alerts.create_hook(transaction.connection, account.id, url, transaction.now)
        transaction.secrets["secret"] = derived(self._key, hook.salt)
        return hook.as_dict()


class _OnHook(_OnAccount):
    """A command on a webhook. `action` is its name."""

    action = ""

    def authorise(self, connection: Connection, actor: Actor, payload: Payload) -> None:
        hook = alerts.find_hook(connection, payload["hook"])
        require_for(self.action, connection, actor, hook.account if hook else "nobody/nothing")

    def hook(self, connection: Connection, payload: Payload) -> Hook:
        """The webhook, as it is. Raises Refused where it was removed."""
        hook = alerts.find_hook(connection, payload["hook"])
        if hook is None or hook.removed_at is not None:
            raise Refused("this webhook was removed already", repair="nothing is left to do")
        return hook


class RemoveAlertHook(_OnHook):
    action = "remove_alert_hook"

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        hook = self.hook(transaction.connection, payload)
        alerts.change_hook(transaction.connection, hook.id, removed_at=transaction.now)
        return {**hook.as_dict(), "removed_at": transaction.now}


class ReplayAlerts(_OnHook):
    action = "replay_alerts"

    def handle(self, transaction: Transaction, payload: Payload, prepared: Any) -> dict[str, Any]:
        hook = self.hook(transaction.connection, payload)
        values = {"delivered": payload["after"], "failures": 0, "next_at": None, "problem": ""}
        alerts.change_hook(transaction.connection, hook.id, **values)
        return {**hook.as_dict(), **values}


def alert_handlers(webhook_key: bytes) -> dict[str, Handler]:
    """Every command on webhooks by its name."""
    return {
        "create_alert_hook": CreateAlertHook(webhook_key),
        "remove_alert_hook": RemoveAlertHook(),
        "replay_alerts": ReplayAlerts(),
    }
