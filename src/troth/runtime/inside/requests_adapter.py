"""Lets the library requests reach this server from inside a sandbox, by the one socket that leads out of it.

So Algorithmia's own client works unchanged in an environment that has it: it asks for ALGORITHMIA_API with
ALGORITHMIA_API_KEY, both of which stand for this. Loaded where requests is imported, which it needs; the rest is standard library.
"""

from __future__ import annotations

import functools
import importlib
import os
import socket
import sys
from typing import Any

#: What the two variables hold. The name is reserved for private use; nothing resolves it.
ADDRESS = "http://api.troth.internal"
STAND_IN = "the-key-of-the-call-that-runs"


def mount(sessions: Any) -> None:
    """Makes every new session of requests take the socket for `ADDRESS`."""
    adapter = _adapter()
    original = sessions.Session.__init__

    @functools.wraps(original)
    def opened(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        self.mount(ADDRESS, adapter())

    sessions.Session.__init__ = opened


def _adapter() -> Any:
    adapter: Any = importlib.import_module("requests.adapters").HTTPAdapter
    connection: Any = importlib.import_module("urllib3.connection").HTTPConnection
    pool: Any = importlib.import_module("urllib3.connectionpool").HTTPConnectionPool

    class Connection(connection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(sys.modules["__main__"].api)

    class Pool(pool):
        ConnectionCls = Connection

    class Adapter(adapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self._renew()

        def _renew(self) -> None:
            self._pool, self._process = Pool("api.troth.internal"), os.getpid()

        def get_connection(self, url: Any, proxies: Any = None) -> Any:
            if self._process != os.getpid():  # a fork shares no connection, or it would read the other's answers
                self._renew()
            return self._pool

        def get_connection_with_tls_context(
            self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
        ) -> Any:
            return self.get_connection(None)

        def request_url(self, request: Any, proxies: Any) -> Any:
            return request.path_url

        def send(self, request: Any, *arguments: Any, **options: Any) -> Any:
            if request.headers.get("Authorization", STAND_IN) == STAND_IN:  # insights are sent without any
                key = sys.modules["__main__"].key()
                if not key and request.path_url.startswith("/v1/data/"):
                    key = "call-load"  # while a version is loaded it may read data, and acts for nobody
                request.headers["Authorization"] = key
            return super().send(request, *arguments, **options)

    return Adapter
