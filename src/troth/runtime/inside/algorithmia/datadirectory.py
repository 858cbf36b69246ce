"""A directory of the data API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from . import transport
from .acl import Acl
from .datafile import DataFile, check, path_of, target_of


class DataDirectory:
    """A directory, there or not."""

    def __init__(self, client: Any, url: str) -> None:
        self.client = client
        self.path = path_of(url).rstrip("/")
        self.url = target_of(self.path)

    def is_file(self) -> bool:
        """No."""
        return False

    def is_dir(self) -> bool:
        """Yes."""
        return True

    def getName(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    def exists(self) -> bool:
        """Whether it is there, for whom is acted for."""
        reply = transport.ask("GET", self.url, key=self.client.apiKey)
        reply.body()
        return reply.status == 200

    def create(self, acl: Acl | None = None) -> None:
        """Makes it. Raises DataApiError."""
        above, _, name = self.path.rpartition("/")
        payload: dict[str, Any] = {"name": name}
        if acl is not None:
            payload["acl"] = acl.to_api_param()
        self._send("POST", target_of(above), payload)

    def delete(self, force: bool = False) -> bool:
        """Removes it; with what is in it, if `force`. Raises DataApiError."""
        check(transport.ask("DELETE", self.url + ("?force=true" if force else ""), key=self.client.apiKey))
        return True

    def file(self, name: str) -> DataFile:
        """A file in it."""
        return DataFile(self.client, f"{self.path}/{name}")

    def dir(self, name: str) -> DataDirectory:
        """A directory in it."""
        return DataDirectory(self.client, f"{self.path}/{name}")

    def list(self) -> Iterator[DataFile | DataDirectory]:
        """What is in it. Raises DataApiError."""
        marker: str | None = None
        while True:
            found = check(transport.ask("GET", self._listing(marker), key=self.client.apiKey))
            for folder in found.get("folders", ()):
                yield DataDirectory(self.client, f"{self.path}/{folder['name']}" if self.path else folder["name"])
            for one in found.get("files", ()):
                file = self.file(one["filename"])
                file.size = one["size"]
                file.last_modified = datetime.strptime(one["last_modified"], "%Y-%m-%dT%H:%M:%S.%fZ")
                yield file
            marker = found.get("marker")
            if not marker:
                return

    def files(self) -> Iterator[Any]:
        """The files in it."""
        return (one for one in self.list() if one.is_file())

    def dirs(self) -> Iterator[Any]:
        """The directories in it."""
        return (one for one in self.list() if one.is_dir())

    def get_permissions(self) -> Acl | None:
        """Who may read it; None where that cannot be changed."""
        found = check(transport.ask("GET", self.url + "?acl=true", key=self.client.apiKey))
        return Acl.from_acl_response(found["acl"]) if "acl" in found else None

    def update_permissions(self, acl: Acl) -> bool:
        """Changes who may read it. Raises DataApiError."""
        self._send("PATCH", self.url, {"acl": acl.to_api_param()})
        return True

    def _listing(self, marker: str | None) -> str:
        return f"{self.url}?marker={quote(marker, safe='')}" if marker else self.url

    def _send(self, method: str, target: str, payload: dict[str, Any]) -> None:
        body = json.dumps(payload).encode()
        check(transport.ask(method, target, key=self.client.apiKey, kind="application/json", body=body))
