"""BentoML with one worker and its defaults, access log off: `bentoml serve bentoml_echo:Echo`."""

from __future__ import annotations

from typing import Any

import bentoml


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Echo:
    @bentoml.api
    def echo(self, data: dict[str, Any]) -> dict[str, Any]:
        """The value that was sent."""
        return data
