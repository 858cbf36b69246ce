"""What troth promises as a product, written into `contracts/`: the documents of its APIs, and the schema of its settings.

`troth release check` compares them with those of the last release, as `troth.toml` declares. `tests/docs/test_reference.py`
compares the files with what is written here.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from troth.doors.server.application import Application
from troth.doors.server.assembly import open_server
from troth.settings import Settings, documentation

FOLDER = Path(__file__).parents[1] / "contracts"
_KINDS = {str: "string", bool: "boolean", int: "integer", float: "number"}


def contracts() -> dict[str, str]:
    """Every document: its file name in `contracts/` and its text."""
    found = {**asyncio.run(_documents()), "settings.schema.json": settings_schema()}
    return {name: json.dumps(document, indent=1, sort_keys=True) + "\n" for name, document in found.items()}


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of `[settings]`, by which an operator's file is judged."""
    hints = get_type_hints(Settings)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of troth",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {**_values(hints[name]), "default": getattr(Settings(), name), "description": words}
            for name, _, words in documentation()
        },
    }


def _values(kind: Any) -> dict[str, Any]:
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    return {"type": _KINDS[kind], **({"minimum": 0} if kind in (int, float) else {})}


async def _documents() -> dict[str, Any]:
    """The OpenAPI documents, as a server gives them that nobody else asks."""
    with tempfile.TemporaryDirectory() as home:
        server, _ = await open_server(Settings(home=home, owner="ada"))
        try:
            application = Application(server)
            found = {
                "native.openapi.json": await _got(application, "/api/v1/openapi.json"),
                "algorithmia.openapi.json": await _got(application, "/v1/openapi.json"),
            }
        finally:
            await server.close()
    for document in found.values():
        del document["info"]["version"]  # that of the program; the interface has its own, in the address
    return found


async def _got(application: Application, path: str) -> Any:
    """The document at a path, asked for without a network."""
    sent: list[dict[str, Any]] = []
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": "", "headers": [],
             "query_string": b"", "scheme": "http", "http_version": "1.1", "asgi": {"version": "3.0"}}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    assert sent[0]["status"] == 200, f"{path} answers {sent[0]['status']}"
    return json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


def write() -> None:
    """Writes every document to its file."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in contracts().items():
        (FOLDER / name).write_text(text)
