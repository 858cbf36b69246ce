"""Runs beside the Python client of PyPI and does with it what the lines of its input say; see tests.clients.python.

Every line is a JSON object with the reference of an algorithm (empty: the client itself), a method and its arguments.
Every answer is one, with what was returned or raised.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any

import Algorithmia  # type: ignore[import-not-found]


def given(value: Any) -> Any:
    """An argument; JSON has no bytes."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) and set(value) == {"base64"} else value


def told(value: Any) -> Any:
    """What was returned, as JSON."""
    if hasattr(value, "metadata"):
        return {"result": told(value.result), "content_type": value.metadata.content_type}
    if hasattr(value, "status_code"):
        return {"status": value.status_code, "text": value.text}
    if hasattr(value, "async_protocol"):
        return {"request_id": value.request_id}
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def done(client: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """What comes of one line."""
    target = client.algo(asked["reference"]) if asked["reference"] else client
    for name, value in asked.get("set_options", {}).items():
        target.set_options(**{name: Algorithmia.algorithm.OutputType[value] if name == "output" else value})
    try:
        answer = getattr(target, asked["method"])(*map(given, asked["arguments"]), **asked["options"])
    except Exception as error:
        kind = getattr(error, "error_type", None)
        return {"raised": type(error).__name__, "message": str(error), "error_type": kind}
    return {"returned": told(answer)}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # the client prints
    client = Algorithmia.client()
    for line in sys.stdin:
        print(json.dumps(done(client, json.loads(line))), file=answers, flush=True)


main()
