"""Bundles of documentation, packed here as nobody should and as everybody does."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from tests.server import RunningServer
from troth.clock import now, stamp
from troth.errors import MalformedSource
from troth.registry import products
from troth.sdk import Client
from troth.versions.releases.numbers import ReleaseNumber

HOME = b'<!doctype html><html><head><title>Shop</title></head><body><main><h1>Shop</h1>It sells apples. <a href="guide/">Guide</a></main></body></html>'
GUIDE = (
    b'<!doctype html><html><head><title>Guide</title></head><body><p>How to pay.</p><a href="..">up</a></body></html>'
)
SHOP = {"index.html": HOME, "guide/index.html": GUIDE, "style.css": b"body { color: red }\n" * 200}


def member(name: str, size: int = 0, **more: Any) -> tarfile.TarInfo:
    """An entry of a tar."""
    found = tarfile.TarInfo(name)
    found.size = size
    for key, value in more.items():
        setattr(found, key, value)
    return found


def packed(entries: Iterable[tuple[tarfile.TarInfo, bytes]], kind: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar.gz with these entries, whatever they are."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", format=kind) as archive:
        for one, content in entries:
            archive.addfile(one, io.BytesIO(content))
    return target.getvalue()


def bundle(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz with these files."""
    return packed((member(name, len(content)), content) for name, content in files.items())


@dataclass
class Bookshop:
    """A product on a server whose documentation is there, release by release."""

    server: RunningServer
    client: Client
    subject: str
    owner_id: str

    @property
    def root(self) -> str:
        return f"/docs/{self.subject}/"

    def release(self, number: str, files: Mapping[str, bytes] | bytes = SHOP, **marks: Any) -> str:
        """The digest of the bundle of a release, which is put into the registry past the policy."""
        content = files if isinstance(files, bytes) else bundle(files)
        digest = hashlib.sha256(content).hexdigest()
        self.client.upload_release_file(digest, iter([content]), len(content))
        found, moment = ReleaseNumber.parse(number), stamp(now())

        def work(connection: Connection) -> None:
            row = products.existing(connection, self.subject)
            values = {
                "product_id": row.id, "number": number, "precedence": products.precedence(found),
                "prerelease": found.is_prerelease, "former": None, "commit": "0" * 40, "tag": f"v{number}",
                "occasion": "fix", "policy_revision": 1, "verdict": "{}", "evidence_digest": digest,
                "docs_digest": digest, "state": "", "told": json.dumps({}), "migrations": "[]", "settings": "{}",
                "cut_by": row.owner_id, "cut_at": moment,
            }  # fmt: skip
            made = products.add_release(connection, values, [])
            if marks:
                products.mark(connection, made, **marks)

        self.server.server.database.write_now(work)
        with suppress(MalformedSource):
            self.server.server.sites.ready(digest)
        return digest

    def stable(self, number: str) -> None:
        """Marks a release as stable."""
        self.client.command("mark_stable", product=self.subject, number=number)


def bookshop(server: RunningServer, *, public: bool = True) -> Bookshop:
    """A new product without a release."""
    owner, client = server.account("ada")
    subject = f"{owner}/{server.new_name('shop')}"
    client.command("create_product", product=subject, summary="sells", public=public)
    return Bookshop(server, client, subject, owner)
