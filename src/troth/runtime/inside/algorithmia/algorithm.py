"""An algorithm, and what it answers."""

from __future__ import annotations

import base64
import json
import re
from enum import Enum
from typing import Any
from urllib.parse import quote, urlencode

from . import transport
from .errors import algorithm_exception

OutputType = Enum("OutputType", "default raw void")
_REFERENCE = re.compile(r"(?:algo://|/|)(\w+/.+)")


class Metadata:
    """What is said about a result: its content type, the seconds it took, and what was printed where that was asked for."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.content_type = found["content_type"]
        self.duration = found["duration"]
        self.stdout = found.get("stdout")
        self.full_metadata = found

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __repr__(self) -> str:
        return f"Metadata(content_type={self.content_type!r},duration={self.duration},stdout={self.stdout})"


class AlgoResponse:
    """A result, and what is said about it."""

    def __init__(self, result: Any, metadata: Metadata) -> None:
        self.result = result
        self.metadata = metadata

    def __repr__(self) -> str:
        return f"AlgoResponse(result={self.result},metadata={self.metadata})"


class AsyncResponse:
    """A call that runs and is not waited for."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.async_protocol = found["async"]
        self.request_id = found["request_id"]

    def __repr__(self) -> str:
        return f"AsyncResponse(async_protocol={self.async_protocol}, request_id={self.request_id})"


class Algorithm:
    """An algorithm that can be called."""

    def __init__(self, client: Any, reference: str) -> None:
        found = _REFERENCE.match(reference)
        if found is None:
            raise ValueError(f"Invalid algorithm URI: {reference}")
        self.client = client
        self.path = found[1]
        parts: list[str] = self.path.split("/", 2)
        self.username, self.algoname, *version = parts
        if version:
            self.version = version[0]
        self.url = "/v1/algo/" + quote(self.path, safe="/*.")
        self.query_parameters: dict[str, Any] = {}
        self.output_type: Any = OutputType.default

    def set_options(
        self, timeout: float = 300, stdout: bool = False, output: Any = OutputType.default, **query_parameters: Any
    ) -> Algorithm:
        """The same algorithm, called with these options from now on."""
        self.query_parameters = {"timeout": timeout, "stdout": stdout, **query_parameters}
        self.output_type = output
        return self

    def pipe(self, input1: Any) -> Any:
        """What it answers to an input: text, bytes, or anything that JSON can carry. Raises AlgorithmException."""
        query = dict(self.query_parameters)
        if self.output_type is not OutputType.default:
            query["output"] = self.output_type.name
        kind, body = _encoded(input1)
        target = f"{self.url}?{urlencode(query)}" if query else self.url
        reply = transport.ask("POST", target, key=self.client.apiKey, kind=kind, body=body)
        if self.output_type is OutputType.raw and reply.status < 300:
            return reply.body().decode()
        return _result(reply.document(), reply.status)


def _encoded(given: Any) -> tuple[str, bytes]:
    if isinstance(given, (bytes, bytearray)):
        return "application/octet-stream", bytes(given)
    if isinstance(given, str):
        return "text/plain", given.encode()
    return "application/json", json.dumps(given).encode()


def _result(found: Any, status: int) -> AlgoResponse | AsyncResponse:
    if isinstance(found, dict) and "async" in found and "request_id" in found:
        return AsyncResponse(found)
    if not isinstance(found, dict) or "error" in found or "metadata" not in found:
        raise algorithm_exception(found, status)
    metadata, result = Metadata(found["metadata"]), found["result"]
    return AlgoResponse(base64.b64decode(result) if metadata.content_type == "binary" else result, metadata)
