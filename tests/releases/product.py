"""A product in a repository of its own, which a test changes and has judged."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from troth.doors.cli.main import execute

OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/orders": {
            "get": {
                "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "ok"}},
            }
        }
    },
}
HEAD = '[product]\nowner = "ada"\nname = "shop"\n'
CONTRACT = '[[contracts]]\nkind = "openapi"\npath = "openapi.json"\n'
MIGRATED = '[[migrations]]\nkind = "sql"\npath = "migrations"\n'
ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, note TEXT);\n"


def policy(*profiles: str, **more: str) -> str:
    """The table [policy]."""
    lines = [f"{key} = {value}" for key, value in more.items()]
    return "\n".join(["[policy]", f"profiles = {json.dumps(list(profiles))}", *lines]) + "\n"


def with_parameter(name: str, *, required: bool = False) -> str:
    """The API with one parameter more."""
    document: Any = json.loads(json.dumps(OPENAPI))
    parameters = document["paths"]["/orders"]["get"]["parameters"]
    parameters.append({"name": name, "in": "query", "required": required, "schema": {"type": "string"}})
    return json.dumps(document)


@dataclass
class Repository:
    """A repository with a product; `check` judges it by the command line."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def git(self, *arguments: str, when: int = 1_750_000_000) -> str:
        """One git command, by Ada, at a time that does not depend on the clock."""
        surroundings = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": f"{when} +0000",
            "GIT_COMMITTER_DATE": f"{when} +0000",
            **{
                f"GIT_{role}_{part}": value
                for role in ("AUTHOR", "COMMITTER")
                for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
            },
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=surroundings, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(
        self, files: Mapping[str, str | None], message: str = "change", *, tag: str = "", when: int = 1_750_000_000
    ) -> None:
        """Writes files (None removes one), commits everything, and tags it."""
        for path, content in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True) if content is None else target.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, when=when)
        if tag:
            self.git("tag", tag)

    def run(self, *tokens: str) -> tuple[int, str, str]:
        """Exit code of `troth release check`, and what it printed on both channels."""
        self.capture.readouterr()
        code = execute(["release", "check", "--project", str(self.folder), *tokens])
        said = self.capture.readouterr()
        return code, said.out, said.err

    def check(self, *tokens: str) -> tuple[int, dict[str, Any]]:
        """Exit code and verdict; what went wrong where there is none."""
        code, out, err = self.run(*tokens, "--json")
        assert out, err
        return code, json.loads(out)


def askings(verdict: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The clauses that asked, each with its step."""
    return {(one["clause"], one["step"]) for one in verdict["asked"]}


def kinds(verdict: Mapping[str, Any]) -> list[str]:
    """The kinds of facts that were found."""
    return [one["kind"] for one in verdict["facts"]]
