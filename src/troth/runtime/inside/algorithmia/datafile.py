"""A file of the data API."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime
from typing import IO, Any
from urllib.parse import quote

from . import transport
from .errors import DataApiError, words_of


def path_of(url: str) -> str:
    """The path of an address: `owner/collection/file`."""
    return url.removeprefix("data://").lstrip("/")


def target_of(path: str) -> str:
    """Where the server has it."""
    return "/v1/data/" + quote(path, safe="/.:+")


class DataFile:
    """A file, there or not."""

    def __init__(self, client: Any, url: str) -> None:
        self.client = client
        self.path = path_of(url)
        self.url = target_of(self.path)
        self.last_modified: datetime | None = None
        self.size: int | None = None

    def is_file(self) -> bool:
        """Yes."""
        return True

    def is_dir(self) -> bool:
        """No."""
        return False

    def getName(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    def exists(self) -> bool:
        """Whether it is there, for whom is acted for."""
        return self.existsWithError()[0]

    def existsWithError(self) -> tuple[bool, str | None]:
        """Whether it is there, and what the server says if not."""
        reply = self._ask("HEAD")
        reply.body()
        return reply.status == 200, reply.headers.get("x-error-message")

    def getBytes(self) -> bytes:
        """All of it. Raises DataApiError."""
        return self._found().body()

    def getString(self) -> str:
        """All of it, as UTF-8."""
        return self._found("text/plain").body().decode()

    def getJson(self) -> Any:
        """All of it, as JSON."""
        return json.loads(self._found("application/json").body())

    def getFile(self, as_path: bool = False) -> Any:
        """A local copy, open for reading, or its path. It ends with the worker."""
        reply = self._found()
        handle, path = tempfile.mkstemp(prefix="data-")
        with open(handle, "wb") as copy:
            for chunk in reply.chunks():
                copy.write(chunk)
        return path if as_path else open(path, "rb")

    get = getFile

    def put(self, data: str | bytes) -> DataFile:
        """Writes it. Raises DataApiError."""
        return self._put(data.encode() if isinstance(data, str) else bytes(data))

    def putJson(self, data: Any) -> DataFile:
        """Writes a value as JSON."""
        return self._put(json.dumps(data).encode())

    def putFile(self, path: str) -> DataFile:
        """Writes what a local file holds."""
        with open(path, "rb") as file:
            return self._put(file, os.fstat(file.fileno()).st_size)

    def delete(self) -> bool:
        """Removes it. Raises DataApiError."""
        reply = self._ask("DELETE")
        check(reply)
        return True

    def _put(self, body: bytes | IO[bytes], size: int | None = None) -> DataFile:
        check(self._ask("PUT", body=body, size=size))
        return self

    def _found(self, accept: str = "") -> transport.Reply:
        reply = self._ask("GET", accept=accept)
        if reply.status != 200:
            check(reply)
            raise DataApiError(f"unable to get file {self.path}")
        return reply

    def _ask(self, method: str, **how: Any) -> transport.Reply:
        return transport.ask(method, self.url, key=self.client.apiKey, **how)


def check(reply: transport.Reply) -> Any:
    """The answer's document. Raises DataApiError where it is an error."""
    found = reply.document()
    if reply.status >= 300 or (isinstance(found, dict) and "error" in found):
        raise DataApiError(words_of(found, reply.status))
    return found
