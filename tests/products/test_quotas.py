"""How much an account may keep of files of releases: what is refused says what was used and what is allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.products.conftest import bundle, new_shop
from tests.server import RunningServer, running_server
from troth.errors import QuotaReached
from troth.registry import release_files
from troth.registry.accounts import get_account

QUOTA = 100_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on which an account may keep little."""
    with running_server(tmp_path_factory.mktemp("small") / "home", release_bytes=QUOTA) as server:
        yield server


def test_an_upload_beyond_the_quota_is_refused(small: RunningServer) -> None:
    _, client = small.account("ada")

    def put(content: bytes) -> None:
        client.upload_release_file(hashlib.sha256(content).hexdigest(), iter([content]), len(content))

    put(b"a" * 60_000)
    put(b"a" * 60_000)  # the same file is kept once
    with pytest.raises(QuotaReached, match=r"have 60000 bytes, and may have 100000") as caught:
        put(b"b" * 40_001)
    assert caught.value.found == {"used": 60_000, "allowed": QUOTA}
    assert hashlib.sha256(b"b" * 40_001).hexdigest() not in set(small.server.release_files.stored())
    put(b"b" * 40_000)
    _, other = small.account("sam")
    other.upload_release_file(hashlib.sha256(b"c").hexdigest(), iter([b"c"]), 1)


def test_an_upload_that_does_not_say_its_size_is_stopped(small: RunningServer) -> None:
    _, client = small.account("ada")
    piece = b"x" * 10_000
    with pytest.raises(QuotaReached):
        client._json("PUT", f"/api/v1/release-files/{'0' * 64}", content=(piece for _ in range(30)))
    assert not list((small.home / "releases" / "uploads").iterdir())


def test_a_release_beyond_the_owner_s_quota_is_refused(
    small: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files of an organisation's release count for the organisation, whoever uploaded them."""
    shop = new_shop(small, tmp_path, capsys)
    organization = small.organization(shop.client)
    shop.client.command("create_product", product=f"{organization}/{shop.name}")
    shop.owner = organization
    shop.commit("0.1.0", {"docs/page.html": "x" * 50_000, "src/a.bin": "a"})
    assert shop.cut()[0] == 0
    for number in range(40):
        (tmp_path / f"{number}.bin").write_bytes(hashlib.sha256(str(number).encode()).digest() * 70)
    artifacts = [word for number in range(40) for word in ("--artifact", str(tmp_path / f"{number}.bin"))]
    shop.commit("0.1.1", {"changes/1.fix.md": "mended\n"})
    code, problem = shop.cut(*artifacts)
    assert code == 0, problem
    for number in range(40):
        (tmp_path / f"{number}.bin").write_bytes(hashlib.sha256(f"{number} again".encode()).digest() * 70)
    shop.commit("0.1.2", {"changes/2.fix.md": "mended\n"})
    code, problem = shop.cut(*artifacts)
    assert (code, problem["code"]) == (2, "quota-reached"), problem
    assert problem["found"]["allowed"] == QUOTA
    assert problem["found"]["used"] > 40 * 70 * 32
    assert [one["number"] for one in shop.client.releases(shop.subject)] == ["0.1.1", "0.1.0"]


def test_what_a_release_has_waits_no_more(
    small: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = new_shop(small, tmp_path, capsys)
    assert shop.cut()[0] == 0
    waiting = bundle({"index.html": b"later"})
    shop.uploaded(waiting)
    with small.server.database.read() as connection:
        kept = release_files.kept_files(connection, get_account(connection, shop.owner).id)
        listed = {row.digest for row in connection.execute(release_files.release_uploads.select())}
    release = shop.client.release(shop.subject, "0.1.0")
    named = {release["evidence_digest"], release["docs_digest"]}
    assert named <= kept.keys()
    assert not named & listed
    assert hashlib.sha256(waiting).hexdigest() in listed
