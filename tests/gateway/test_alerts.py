"""Alerts: who uses what will go hears of it once a day, by signed messages that come until they are taken."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.conftest import Served
from troth.doors.gateway.alerting import signature_of
from troth.errors import Forbidden, Malformed, Refused


class Listener(http.server.ThreadingHTTPServer):
    """A webhook that keeps what it is told, and answers as it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listening)
        self.status = 200
        self.told: list[tuple[bytes, str]] = []
        self.seen = threading.Semaphore(0)


class _Listening(http.server.BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((body, self.headers["Troth-Signature"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.seen.release()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def flush(served: Served) -> None:
    """What was counted is written, with the alerts that follow from it."""
    running = served.server
    asyncio.run_coroutine_threadsafe(running.server.observation.bookkeeping.flush(), running.loop).result(20)


def deliver(served: Served) -> int:
    running = served.server
    return asyncio.run_coroutine_threadsafe(running.server.gateway.alerting.deliver(), running.loop).result(20)


def test_who_uses_what_will_go_is_told_once_a_day_and_again_on_wish(served: Served, listener: Listener) -> None:
    bob, client = served.server.account("bob")
    hook = client.command("create_alert_hook", account=bob, url=f"http://127.0.0.1:{listener.server_port}/troth")
    listener.status = 500
    for path in ("/v4/items", "/v4/items/3", "/v5/items", "/v6/items"):
        served.ask("GET", path, key=client.key)
    flush(served)
    assert listener.seen.acquire(timeout=120)
    body, signature = listener.told[-1]
    seconds = int(signature.partition("=")[2].partition(",")[0])
    assert signature == signature_of(hook["secret"], seconds, body)
    (alert,) = json.loads(body)["alerts"]
    wanted = {"api": served.api, "version": "v4", "state": "deprecated", "retires_in": "8.0.0", "successor": "v5"}
    assert {name: alert[name] for name in wanted} == wanted
    # it was not taken, so it comes again, later; asked for anew, at once
    listener.status = 204
    client.command("replay_alerts", hook=hook["hook"], after=0)
    assert listener.seen.acquire(timeout=120)
    assert json.loads(listener.told[-1][0])["alerts"] == [alert]
    served.ask("GET", "/v4/items", key=client.key)
    flush(served)
    told = client._get("/api/v1/alerts")
    assert told["alerts"] == [alert]
    assert told["next"] == alert["position"]
    assert client._get("/api/v1/alerts", after=alert["position"])["alerts"] == []
    client.command("remove_alert_hook", hook=hook["hook"])
    with pytest.raises(Refused):
        client.command("replay_alerts", hook=hook["hook"], after=0)


def test_a_webhook_that_fails_is_tried_later_and_says_why(served: Served) -> None:
    cid, client = served.server.account("cid")
    hook = client.command("create_alert_hook", account=cid, url="http://127.0.0.1:1/closed")
    served.ask("GET", "/v4/items", key=client.key)
    flush(served)
    deliver(served)
    (found,) = client._get("/api/v1/alerts")["hooks"]
    while not found["failures"]:  # the server's own look may be under way
        (found,) = client._get("/api/v1/alerts")["hooks"]
    assert found["problem"]
    assert found["next_at"] > found["created_at"]
    assert "secret" not in found
    client.command("remove_alert_hook", hook=hook["hook"])


def test_nobody_has_others_told(served: Served) -> None:
    dora, client = served.server.account("dora")
    _, stranger = served.server.account("eve")
    with pytest.raises(Forbidden):
        stranger.command("create_alert_hook", account=dora, url="http://127.0.0.1:1")
    hook = client.command("create_alert_hook", account=dora, url="http://127.0.0.1:1")["hook"]
    commands: list[tuple[str, dict[str, Any]]] = [("remove_alert_hook", {}), ("replay_alerts", {"after": 0})]
    for command, more in commands:
        with pytest.raises(Forbidden) as known:
            stranger.command(command, hook=hook, **more)
        with pytest.raises(Forbidden) as unknown:
            stranger.command(command, hook="0" * 36, **more)
        assert str(known.value).replace(dora, "") == str(unknown.value).replace("nobody/nothing", "")
    with pytest.raises(Malformed):
        client.command("create_alert_hook", account=dora, url="http://a:b@127.0.0.1")
