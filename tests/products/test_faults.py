"""What goes wrong while releases are cut: nothing is ever half there."""

from __future__ import annotations

import hashlib
import io
import json
import resource
import socket
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.products.conftest import Shop, bundle
from tests.server import RunningServer, running_server
from troth.errors import Forbidden, Malformed, MalformedSource, NameTaken, NotFound, Refused, TrothError
from troth.registry import products
from troth.registry.product_tables import releases


def waited_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def stored(server: RunningServer) -> set[str]:
    return set(server.server.release_files.stored())


def uploads(server: RunningServer) -> list[Path]:
    return list((server.home / "releases" / "uploads").iterdir())


def test_of_two_who_cut_one_number_one_wins(shop: Shop) -> None:
    documents = []
    for number in range(4):
        shop.repository.commit({"src/shop.py": f"print({number})\n"})
        documents.append(shop.claimed("0.1.0"))

    def cut(place: int) -> str:
        try:
            return str(shop.cut_as(documents[place], "0.1.0")["commit"])
        except Refused as error:
            assert "PDB-05" in error.clauses
            return ""

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(cut, range(4)))
    (winner,) = [commit for commit in found if commit]
    assert [row["commit"] for row in shop.client.releases(shop.subject)] == [winner]


def test_a_burnt_number_stays_burnt(shop: Shop) -> None:
    shop.cut()
    code, _, _ = shop.troth("release", "yank", f"{shop.subject}/0.1.0", "--reason", "it loses orders")
    assert code == 0
    shop.repository.git("tag", "--delete", "v0.1.0")
    shop.repository.commit({"src/shop.py": "print('better')\n"})
    for number in ("0.1.0", "0.1.0+again"):
        with pytest.raises(Refused, match="0.1.0") as caught:
            shop.cut_as(msgspec.structs.replace(shop.claimed("0.1.0"), declared=shop.head(number)), number)
        assert "PDB-05" in caught.value.clauses
    (row,) = shop.client.releases(shop.subject)
    assert (row["yank_reason"], row["yanked_by"]) == ("it loses orders", shop.owner)
    assert shop.client.product(shop.subject)["latest"] is None
    with pytest.raises(Refused, match="yanked already"):
        shop.client.command("yank_release", product=shop.subject, number="0.1.0", reason="again")


def test_a_refused_number_is_not_burnt(shop: Shop) -> None:
    shop.cut()
    shop.commit("0.1.1", {"changes/1.feature.md": "more\n"})
    code, problem = shop.cut()
    assert (code, problem["least"]) == (3, "0.2.0")
    shop.commit("0.1.1", {"changes/1.feature.md": None, "changes/1.fix.md": "mended\n"})
    assert shop.cut()[0] == 0


def test_the_same_command_again_has_the_same_outcome(shop: Shop) -> None:
    document = shop.claimed("0.1.0")
    identity = "6f1e2d3c-0000-4000-8000-0000000000aa"
    first = shop.cut_as(document, "0.1.0", identity=identity)
    assert shop.cut_as(document, "0.1.0", identity=identity) == first
    assert len(shop.client.releases(shop.subject)) == 1


def test_an_upload_that_is_cut_off_leaves_nothing(shop: Shop) -> None:
    content = b"x" * 4_000_000
    digest = hashlib.sha256(content).hexdigest()
    place = urlsplit(shop.server.address)
    with socket.create_connection((place.hostname, place.port or 0)) as connection:
        head = f"PUT /api/v1/release-files/{digest} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.client.key}\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[:3_000_000])
        waited_for(lambda: bool(uploads(shop.server)))
    waited_for(lambda: not uploads(shop.server))
    assert digest not in stored(shop.server)
    document = shop.claimed("0.1.0")
    with pytest.raises(NotFound, match="documentation was not uploaded whole"):
        shop.cut_as(document, "0.1.0", documentation=digest)
    assert shop.client.releases(shop.subject) == []


def test_a_file_is_what_its_name_says(shop: Shop) -> None:
    digest = hashlib.sha256(b"one").hexdigest()
    with pytest.raises(Malformed, match="not what was named"):
        shop.client.upload_release_file(digest, iter([b"two"]), 3)
    with pytest.raises(Malformed, match="is not a digest"):
        shop.client.upload_release_file("A" * 64, iter([b"two"]), 3)
    assert not stored(shop.server) & {digest, hashlib.sha256(b"two").hexdigest()}


def _odd(change: Callable[[tarfile.TarInfo], None]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("index.html")
        change(member)
        archive.addfile(member)
    return packed.getvalue()


def _link(member: tarfile.TarInfo) -> None:
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bundle({"../index.html": b"x"}), "leads out of it"),
        (bundle({"/index.html": b"x"}), "leads out of it"),
        (bundle({"a.html": b"x", "A.html": b"y"}), "have one place on some machines"),
        (bundle({"a.html": b"x" * 100_000})[:-20], "no whole tar.gz"),
        (b"no archive", "no whole tar.gz"),
        (bundle({}), "there is no file in it"),
        (_odd(_link), "is no plain file"),
    ],
)
def test_documentation_that_cannot_be_unpacked_is_refused(shop: Shop, content: bytes, words: str) -> None:
    document = shop.claimed("0.1.0")
    with pytest.raises(MalformedSource, match=words):
        shop.cut_as(document, "0.1.0", documentation=shop.uploaded(content))
    assert shop.client.releases(shop.subject) == []


def test_evidence_of_something_else_is_refused(shop: Shop) -> None:
    document = shop.claimed("0.1.0")
    other = msgspec.structs.replace(document, declared=shop.head("0.1.0").replace(shop.name, "other"))
    with pytest.raises(Malformed, match="the evidence is of"):
        shop.cut_as(other, "0.1.0")
    with pytest.raises(Refused, match="says version 0.1.0"):
        shop.cut_as(document, "0.2.0")
    with pytest.raises(Malformed, match="evidence of a release"):
        shop.client.command(
            "cut_release", product=shop.subject, number="0.1.0", commit=document.commit, tag="v0.1.0",
            evidence=shop.uploaded(b'{"format": 1}'), documentation=shop.uploaded(bundle({"index.html": b"x"})),
        )  # fmt: skip


def test_evidence_beside_another_release_is_refused(shop: Shop) -> None:
    shop.cut()
    shop.commit("0.1.1", {"changes/1.fix.md": "mended\n"})
    document = shop.claimed("0.1.1")
    with pytest.raises(Refused, match="compares with nothing"):
        shop.cut_as(msgspec.structs.replace(document, base=""), "0.1.1")
    with pytest.raises(Refused, match="another commit than the one that was released"):
        shop.cut_as(msgspec.structs.replace(document, base_commit="0" * 40), "0.1.1")


def test_a_commit_of_the_future_is_told_of(shop: Shop) -> None:
    shop.repository.commit({"src/shop.py": "print(1)\n"}, when=4_000_000_000)
    code, found = shop.cut()
    assert code == 0
    assert found["verdict"]["warnings"] == [
        "the commit was made in the future, by this server's clock; one of the clocks is wrong"
    ]


def test_a_server_whose_clock_was_set_back_goes_on(shop: Shop) -> None:
    shop.cut()
    database = shop.server.server.database
    with database.read() as connection:
        row = products.existing(connection, shop.subject)
    mine = releases.c.product_id == row.id
    database.write_now(
        lambda connection: (
            connection.execute(releases.update().where(mine).values(cut_at="2999-01-01T00:00:00.000000Z")).rowcount
        )
    )
    found = shop.client.cadence(shop.subject)
    assert found["days"] == 0
    assert "one of the clocks is wrong" in found["warnings"][0]
    shop.released("0.1.1", {"changes/1.fix.md": "mended\n"})
    assert [one["number"] for one in shop.client.releases(shop.subject)] == ["0.1.1", "0.1.0"]


def test_a_server_that_ends_between_upload_and_release_has_no_release(tmp_path: Path) -> None:
    content = bundle({"index.html": b"x"})
    digest = hashlib.sha256(content).hexdigest()
    with running_server(tmp_path / "home") as server:
        server.owner.command("create_product", product="owner/shop")
        server.owner.upload_release_file(digest, iter([content]), len(content))
        (server.home / "releases" / "uploads" / "torn").write_bytes(b"x")
    with running_server(tmp_path / "home") as server:
        assert server.owner.releases("owner/shop") == []
        assert stored(server) == {digest}
        assert uploads(server) == []


def test_what_is_private_is_unknown_to_strangers(shop: Shop) -> None:
    shop.cut()
    shop.client.command("update_product", product=shop.subject, public=False)
    _, stranger = shop.server.account("sam")

    def told(subject: str) -> Iterator[Mapping[str, object]]:
        for ask in (
            lambda: stranger.product(subject),
            lambda: stranger.releases(subject),
            lambda: stranger.release(subject, "0.1.0"),
            lambda: stranger.upgrade_plan(subject, "0.1.0"),
            lambda: stranger.cadence(subject),
            lambda: stranger.release_file(subject, "0.1.0", "evidence", io.BytesIO()),
        ):
            with pytest.raises(TrothError) as caught:
                ask()
            yield json.loads(json.dumps(caught.value.as_problem()).replace(subject, "X"))

    assert list(told(shop.subject)) == list(told(f"{shop.owner}/nothing"))
    assert shop.subject not in [row["product"] for row in stranger.products()]
    with pytest.raises(Forbidden):
        stranger.command("yank_release", product=shop.subject, number="0.1.0", reason="mine")


def test_names_of_products_differ_by_more_than_case(shop: Shop) -> None:
    with pytest.raises(NameTaken):
        shop.client.command("create_product", product=shop.subject.upper().replace(shop.owner.upper(), shop.owner))


def test_memory_stays_flat_while_a_large_file_passes(shop: Shop) -> None:
    piece, count = b"\0" * (1 << 20), 192
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(piece)
    shop.client.upload_release_file(hashlib.sha256(piece).hexdigest(), iter([piece]), len(piece))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shop.client.upload_release_file(digest.hexdigest(), (piece for _ in range(count)), count << 20)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 << 10  # KiB; client and server are both in this process
    assert digest.hexdigest() in stored(shop.server)
