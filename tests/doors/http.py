"""Requests in raw HTTP in the name of accounts, and what their answers have to look like."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import httpx2

from tests.server import ECHO, RunningServer, write_project

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
SETTINGS: dict[str, Any] = {
    "source_visibility": "closed", "license": "apl", "network_access": "isolated", "pipeline_enabled": False
}  # fmt: skip
BODY: dict[str, Any] = {"name": "x", "details": {"label": "X"}, "settings": SETTINGS}
PUBLIC = {"settings": {"algorithm_callability": "public"}}
PRIVATE = {"settings": {"algorithm_callability": "private"}}


class Http:
    """Requests below /v1/algorithms/ in the name of one account."""

    def __init__(self, server: RunningServer, client: httpx2.Client, name: str) -> None:
        self.server, self.name, self.key, self.client = server, name, server.keys[name], client
        client.headers["Authorization"] = f"Simple {self.key}"

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(f"/v1/algorithms/{path}", **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        given = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        return self.client.post(f"/v1/algorithms/{path}", **given, **options)

    def found(self, path: str, **query: Any) -> dict[str, Any]:
        """A successful answer of GET."""
        return done(self.get(path, params=query))

    def created(self, **settings: Any) -> str:
        """The name of a new algorithm."""
        name = self.server.new_name("algo")
        done(self.post(self.name, {**BODY, "name": name, "settings": {**SETTINGS, **settings}}))
        return f"{self.name}/{name}"

    def compiled(self, algorithm: str, folder: Path, code: str = ECHO, **options: Any) -> str:
        """The hash of a build of this code."""
        built = self.server.client(self.key).compile(written(folder, algorithm, code, **options))
        assert built["status"] == "succeeded", built["log"]
        return str(built["hash"])

    def published(self, algorithm: str, folder: Path, body: Any = None, mark: str = "") -> dict[str, Any]:
        """A version of a build of its own."""
        self.compiled(algorithm, folder, ECHO + f"# {mark or uuid.uuid4()}\n")
        return done(self.post(f"{algorithm}/versions", body or {}))


def written(folder: Path, algorithm: str, code: str, **options: Any) -> Path:
    """The folder of a project of the algorithm."""
    owner, name = algorithm.split("/")
    return write_project(folder / f"{owner}_{name}", owner, name, code, **options)


def done(reply: httpx2.Response) -> dict[str, Any]:
    """The object of a successful answer, which is compact JSON and never has a key named error (section 2.3)."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/json"
    found: dict[str, Any] = reply.json()
    assert reply.text == json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    assert "error" not in found
    return found


def refused(reply: httpx2.Response, status: int, code: int) -> str:
    """The message of an error in both shapes at once (section 3.2)."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    described = {key: body[key] for key in ("id", "code", "message")}
    assert body == {"error": described, **described}
    assert reply.text == json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    assert (body["code"], re.fullmatch(UUID, body["id"]) is not None) == (code, True), reply.text
    assert body["message"].isprintable()
    return str(body["message"])


def numbers(page: dict[str, Any]) -> list[str | None]:
    return [version["version_info"].get("semantic_version") for version in page["results"]]


def without_ids(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, re.sub(UUID, "ID", reply.text)
