"""One server, and products in repositories of their own whose releases are cut on it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.releases.product import Repository
from tests.server import RunningServer
from troth.contracts.release_document import ReleaseDocument, contract_files
from troth.doors.cli.main import execute
from troth.doors.cli.release import Comparing
from troth.releases.check import Asked, facts_of
from troth.releases.claim import claim, kept_contracts, releasable
from troth.sdk import Client
from troth.versions.releases.numbers import ReleaseNumber

RECORD = '<testsuite><testcase name="orders"/></testsuite>'
HEAD = """[product]
owner = "{owner}"
name = "{name}"
version = "{version}"

[policy]
profiles = ["polyaxon"]

[components.core]
core = true
paths = ["src", "migrations", "settings.json"]

[[contracts]]
kind = "settings"
path = "settings.json"

[[migrations]]
kind = "sql"
path = "migrations"

[documentation]
paths = ["docs"]

[notes]
kind = "fragments"
path = "changes"

[release]
occasion = "{occasion}"
"""
SETTINGS: dict[str, Any] = {"type": "object", "properties": {"port": {"type": "integer", "default": 8000}}}


@dataclass
class Shop:
    """A product of an account on the server, in a repository."""

    server: RunningServer
    owner: str
    client: Client
    repository: Repository
    name: str

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"

    def head(self, version: str, occasion: str = "fix") -> str:
        """The troth.toml of a release."""
        return HEAD.format(owner=self.owner, name=self.name, version=version, occasion=occasion)

    def commit(self, version: str, files: Mapping[str, str | None] | None = None, *, occasion: str = "fix") -> None:
        """Commits these files as the release of this number."""
        self.repository.commit({"troth.toml": self.head(version, occasion), **(files or {})}, f"release {version}")

    def troth(self, *tokens: str) -> tuple[int, str, str]:
        """Exit code of a command against the server, and what it printed on both channels."""
        key = self.repository.folder.parent / "key"
        key.write_text(self.client.key)
        self.repository.capture.readouterr()
        code = execute([*tokens, "--server", self.server.address, "--key-file", str(key)])
        said = self.repository.capture.readouterr()
        return code, said.out, said.err

    def troth_offline(self, *tokens: str) -> tuple[int, str, str]:
        """The same of a command that needs no server."""
        self.repository.capture.readouterr()
        code = execute(list(tokens))
        said = self.repository.capture.readouterr()
        return code, said.out, said.err

    def cut(self, *tokens: str) -> tuple[int, dict[str, Any]]:
        """Exit code of `troth release cut`, and its answer or its error."""
        code, out, err = self.troth("release", "cut", "--project", str(self.repository.folder), *tokens, "--json")
        assert out, err
        return code, json.loads(out)

    def claimed(self, version: str) -> ReleaseDocument:
        """What is told of the commit as the release of this number, without proofs."""
        with Comparing(60.0) as compare:
            subject, number = releasable(self.repository.folder, Asked(complete=True), ReleaseNumber.parse(version))
            facts = facts_of(subject, compare, lambda *_: ())
            if kept := kept_contracts(subject)[0]:
                self.uploaded(contract_files(kept))
            return claim(subject, number, facts, [], lambda *_: (), tried=False)

    def uploaded(self, content: bytes) -> str:
        """The digest of a file that is on the server now."""
        digest = hashlib.sha256(content).hexdigest()
        self.client.upload_release_file(digest, iter([content]), len(content))
        return digest

    def cut_as(self, document: ReleaseDocument, number: str, **more: Any) -> dict[str, Any]:
        """Cuts a release with a document as somebody might send it, and with documentation."""
        payload = {"documentation": self.uploaded(bundle({"index.html": b"shop"})), **more}
        return self.client.command(
            "cut_release",
            product=self.subject,
            number=number,
            commit=document.commit,
            tag=f"v{number}",
            evidence=self.uploaded(document.as_bytes()),
            **payload,
        )

    def released(self, version: str, files: Mapping[str, str | None] | None = None, *tokens: str) -> dict[str, Any]:
        """Commits and cuts a release that is legal."""
        self.commit(version, files)
        code, found = self.cut(*tokens)
        assert code == 0, found
        return found


def bundle(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz with these files, which is the same whenever it is made."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


@pytest.fixture
def shop(server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A product without a release; it has a first migration, documentation and settings."""
    return new_shop(server, tmp_path, capsys)


def new_shop(server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """The same on any server."""
    owner, client = server.account("ada")
    name = server.new_name("shop")
    folder = tmp_path / "shop"
    folder.mkdir()
    repository = Repository(folder, capsys)
    repository.git("init", "--quiet", "--initial-branch", "main")
    found = Shop(server, owner, client, repository, name)
    repository.commit(
        {
            "troth.toml": found.head("0.1.0"),
            "src/shop.py": "print('shop')\n",
            "settings.json": json.dumps(SETTINGS),
            "migrations/0001_orders.sql": "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL);\n",
            "docs/index.html": "<h1>shop</h1>\n",
            "changes/README.md": "notes\n",
        },
        "first",
    )
    client.command("create_product", product=found.subject, summary="sells things", public=True)
    return found
