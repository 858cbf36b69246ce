"""Tells webhooks of alerts: signed, in order, again until they are taken, and again from where somebody wants.

A webhook gets `{"hook", "alerts", "next"}` by POST, with `Troth-Signature: t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY` under
the secret that was shown when the webhook was made. A status from 200 to 299 takes them.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import timedelta

import structlog

from troth.clock import now, stamp
from troth.doors.gateway.addresses import Addresses
from troth.doors.gateway.upstreams import UpstreamClient
from troth.errors import TrothError
from troth.registry import alerts
from troth.registry.alerts import Alert, Hook
from troth.registry.database import Database
from troth.registry.upstreams import Upstream
from troth.signing import derived

#: seconds between looks for what is due, that a webhook has, and after a failure, doubled each time
_LOOK, _SECONDS, _FIRST, _LONGEST = 1.0, 10.0, 10.0, 3600.0
#: webhooks of one look, alerts of one message
_HOOKS, _ALERTS = 20, 100

log = structlog.get_logger()


class Alerting:
    """Looks for what is due while the server runs."""

    def __init__(self, database: Database, addresses: Addresses, webhook_key: bytes) -> None:
        self._database = database
        self._addresses = addresses
        self._key = webhook_key
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Ends; what was not taken is told after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def deliver(self) -> int:
        """Tells everybody who is due; how many of them took what they were told."""
        due = await asyncio.to_thread(self._due)
        taken = await asyncio.gather(*(self._told(hook, waiting) for hook, waiting in due))
        return sum(taken)

    async def _run(self) -> None:
        while True:
            try:
                await self.deliver()
            except Exception:
                log.exception("alerts are not told")
            await asyncio.sleep(_LOOK)

    def _due(self) -> list[tuple[Hook, list[Alert]]]:
        with self._database.read() as connection:
            hooks = alerts.due_hooks(connection, stamp(now()), _HOOKS)
            return [(one, alerts.alerts_after(connection, one.account_id, one.delivered, _ALERTS)) for one in hooks]

    async def _told(self, hook: Hook, waiting: list[Alert]) -> bool:
        problem = await self._sent(hook, waiting)
        if not problem:
            await self._database.write(lambda connection: alerts.took(connection, hook, waiting[-1].position))
            return True
        wait = min(_FIRST * 2 ** min(hook.failures, 20), _LONGEST)
        values = {
            "failures": hook.failures + 1,
            "next_at": stamp(now() + timedelta(seconds=wait)),
            "problem": problem[:500],
        }
        await self._database.write(lambda connection: alerts.change_hook(connection, hook.id, **values))
        return False

    async def _sent(self, hook: Hook, waiting: list[Alert]) -> str:
        """Why they were not taken; empty where they were."""
        document = {"hook": hook.id, "alerts": [one.as_dict() for one in waiting], "next": waiting[-1].position}
        body, seconds = json.dumps(document).encode(), int(now().timestamp())
        signature = signature_of(derived(self._key, hook.salt), seconds, body)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"user-agent", b"troth"),
            (b"troth-signature", signature.encode()),
        ]
        client = UpstreamClient(Upstream(hook.url, seconds=_SECONDS), self._addresses)
        try:
            async with asyncio.timeout(_SECONDS):
                reply = await client.send("POST", client.base or b"/", headers, body)
                await reply.aclose()
        except TrothError as error:
            return error.what
        except TimeoutError:
            return "it did not answer in time"
        finally:
            await client.close()
        return "" if 200 <= reply.status_code < 300 else f"it answered {reply.status_code}"


def signature_of(secret: str, seconds: int, body: bytes) -> str:
    """What `Troth-Signature` says of a message that was sent at this second."""
    found = hmac.new(secret.encode(), b"%d.%b" % (seconds, body), hashlib.sha256).hexdigest()
    return f"t={seconds},v1={found}"
