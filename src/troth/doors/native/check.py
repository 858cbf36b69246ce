"""The question whether a publication would be allowed."""

from __future__ import annotations

import json
from typing import Any

from troth.commands.formats import Formats
from troth.commands.publishing import Checking, lowest
from troth.doors.native.operations import Asked, Operation, body_of
from troth.errors import Forbidden, MalformedNumber, MalformedPayload, NotFound, Refused, TooLarge
from troth.versions.rendering import as_html

_COMMAND = "publish_version"
_LARGEST = 1 << 20


class CheckApi:
    """Handlers over what judges publications."""

    def __init__(self, checking: Checking, formats: Formats) -> None:
        self._checking = checking
        self._formats = formats

    def operations(self) -> list[Operation]:
        """The row."""
        return [
            Operation("POST", "/api/v1/check", "check_version",
                      "The verdict on a publication, without publishing. The body is the payload of publish_version;"
                      " without bump and number it is asked for the lowest legal number.",
                      self._check, body="application/json",
                      errors=(MalformedPayload, MalformedNumber, Forbidden, NotFound, Refused, TooLarge),
                      page=lambda answer: as_html(answer["verdict"])),
        ]  # fmt: skip

    async def _check(self, asked: Asked) -> dict[str, Any]:
        content = await body_of(asked.request, _LARGEST)
        version = self._formats.newest(_COMMAND)
        payload = self._formats.decode(_COMMAND, version, _with_lowest(content))
        return await self._checking.verdict(asked.actor, payload)


def _with_lowest(content: bytes) -> bytes:
    """The body, asking for the lowest number where it asks for none; what cannot be read is left for the format to refuse."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return content
    return json.dumps(lowest(value)).encode() if isinstance(value, dict) else content
