"""The client: what an algorithm can ask of the server."""

from __future__ import annotations

import json
from typing import Any

from . import transport
from .algorithm import Algorithm
from .errors import ApiError, words_of

_ADDRESS = "http://api.troth.internal"


class Client:
    """A client of this server, with the key that it was given, or else with that of the call that runs."""

    def __init__(
        self,
        api_key: str | None = None,
        api_address: str | None = None,
        ca_cert: Any = None,
        bearer_token: str | None = None,
    ) -> None:
        if api_address is not None and api_address.rstrip("/") != _ADDRESS:
            raise ApiError(
                "the client that troth hands to algorithms reaches this server only; to reach another, add algorithmia to the"
                " dependencies and ask for network_access full"
            )
        self.apiKey = api_key or bearer_token
        self.apiAddress = _ADDRESS
        self.bearerToken = bearer_token

    def algo(self, reference: str) -> Algorithm:
        """The algorithm of a reference such as `algo://owner/name/1.2`."""
        return Algorithm(self, reference)

    def file(self, url: str, cleanup: bool = False) -> Any:
        """The file of an address such as `data://owner/collection/file`."""
        from .datafile import DataFile

        return DataFile(self, url)

    def dir(self, url: str) -> Any:
        """The directory of an address such as `data://owner/collection`."""
        from .datadirectory import DataDirectory

        return DataDirectory(self, url)

    def username(self) -> str:
        """The account that is acted for."""
        return str(next(iter(self.dir("").list())).path)

    def report_insights(self, insights: dict[str, Any]) -> None:
        """Records figures of the call that runs, by their names. Raises ApiError where they are not taken."""
        payload = [{"insight_key": name, "insight_value": value} for name, value in insights.items()]
        body = json.dumps(payload).encode()
        reply = transport.ask("POST", "/v1/insights", key=self.apiKey, kind="application/json", body=body)
        found = reply.document()
        if reply.status >= 300 or (isinstance(found, dict) and "error" in found):
            raise ApiError(words_of(found, reply.status))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"the client that troth hands to algorithms has no {name}: it calls algorithms, reads and writes data, and reports"
            " insights; to use all of Algorithmia's own client, add algorithmia to the dependencies"
        )
