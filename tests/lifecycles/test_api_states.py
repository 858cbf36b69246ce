"""Where the middleware has its table from: files and servers that are good, wrong, slow or away."""

from __future__ import annotations

import http.server
import json
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lifecycles.tables import API, TABLE, with_brownout, write
from troth.errors import Malformed
from troth.sdk.lifecycles import ApiStates


class TableServer(http.server.ThreadingHTTPServer):
    """Answers with what it is told to, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.status, self.body = 200, json.dumps(TABLE.as_dict()).encode()
        self.asked: list[tuple[str, str | None]] = []
        self.seen = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answering(http.server.BaseHTTPRequestHandler):
    server: TableServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        if self.server.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.body)
        self.server.seen.set()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[TableServer]:
    with TableServer() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_a_server_is_asked_with_the_key_behind_the_first_request(server: TableServer) -> None:
    states = ApiStates(API, server.address, key="k1")
    assert states.marking("/v4/items") is None  # nobody waits
    assert server.seen.wait(20)
    assert server.asked == [("/api/v1/apis/ada/shop/states", "Bearer k1")]
    states.close()


def test_the_last_table_holds_while_the_server_is_away_and_is_there_at_the_next_start(
    server: TableServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "states-cache.json"
    states = ApiStates(API, server.address, cache=cache)
    assert states.refresh()
    for status, body in [
        (500, b"{}"),
        (404, b""),
        (302, b""),
        (200, b"{"),
        (200, b"[" * 100_000),
        (200, b"x" * (2 << 20)),
    ]:
        server.status, server.body = status, body
        assert not states.refresh()
    assert states.table == TABLE
    assert [record.levelno for record in caplog.records].count(
        logging.WARNING
    ) == 1  # one line, and not one each minute
    assert ("/elsewhere", None) not in server.asked
    server.shutdown()
    server.server_close()
    assert not states.refresh()
    again = ApiStates(API, server.address, cache=cache)
    assert again.table == TABLE
    assert sorted(tmp_path.iterdir()) == [cache]
    for one in (states, again):
        one.close()


@pytest.mark.parametrize("kept", [b"", b"{", b'{"format": 1}', b"\xff"])
def test_a_broken_cache_is_none(kept: bytes, tmp_path: Path) -> None:
    cache = tmp_path / "states-cache.json"
    cache.write_bytes(kept)
    states = ApiStates(API, "http://127.0.0.1:1", cache=cache)
    assert states.table is None
    assert states.marking("/v3/items") is None
    states.close()


def test_a_file_without_a_table_is_refused_at_the_start_and_changes_nothing_later(tmp_path: Path) -> None:
    for content in ("", "{", "[]", json.dumps({**TABLE.as_dict(), "api": "ada/other"})):
        path = tmp_path / "states.json"
        path.write_text(content)
        with pytest.raises(Malformed):
            ApiStates(API, path)
    with pytest.raises(Malformed):
        ApiStates(API, tmp_path / "nothing.json")
    states = ApiStates(API, write(path))
    path.write_text("{")
    assert not states.refresh()
    assert states.table == TABLE
    states.close()


def test_links_lead_where_clients_find_the_versions(tmp_path: Path) -> None:
    states = ApiStates(API, write(tmp_path / "states.json"), prefix="/api", public="https://shop.example/api/")
    marking = states.marking("/api/v4")
    assert marking is not None
    assert (b"link", b'<https://shop.example/api/v5>; rel="successor-version"') in marking.headers
    assert states.marking("/v4") is None
    states.close()


def test_a_forked_process_looks_for_itself(server: TableServer) -> None:
    states = ApiStates(API, server.address, seconds=0.01)
    states.marking("/v4")
    assert server.seen.wait(20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there are threads, as in a server that forks
        child = os.fork()
    if child == 0:  # the thread that looked is not in here
        status = 1
        try:
            seen = threading.Event()
            states._take = lambda document: seen.set()  # type: ignore[method-assign]
            states.marking("/v4")
            status = 0 if seen.wait(20) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    states.close()


def test_what_is_announced_follows_the_clock_both_ways(tmp_path: Path) -> None:
    now = [0.0]
    states = ApiStates(API, write(tmp_path / "states.json", with_brownout(4)), clock=lambda: now[0])
    seen = []
    for when in (0.0, 4e9, 0.0):
        now[0] = when
        marking = states.marking("/v4/items")
        assert marking is not None
        seen.append(any(name == b"troth-brownout" for name, _ in marking.headers))
    assert seen == [True, False, True]
    states.close()
