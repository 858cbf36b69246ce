"""`/docs`: bytes as they were uploaded, to whom they may be shown, and what they may do there."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from tests.server import RunningServer
from tests.sites.bundles import GUIDE, HOME, SHOP, Bookshop, bookshop, bundle
from tests.sites.conftest import Reader
from troth.doors.server.product_parts import open_sites
from troth.doors.sites.files import PIECE, File, reply_with
from troth.errors import NotFound


@pytest.mark.clause("PLX-06")
@pytest.mark.clause("PLX-16")
def test_every_version_is_served_byte_for_byte(shop: Bookshop, read: Reader) -> None:
    for path, content in SHOP.items():
        assert read.get(f"{shop.root}0.5.0/{path}")[2] == content
    assert read.get(f"{shop.root}0.5.0/guide/")[2] == GUIDE
    assert b"pay twice" in read.get(f"{shop.root}0.5/guide/")[2]
    assert b"pay twice" in read.get(f"{shop.root}0.5.1/guide/")[2]
    assert read.get(f"{shop.root}0.7/guide/")[0] == 404
    assert read.get(f"{shop.root}0.8.0-rc.1/")[2] == b"<h1>soon</h1>"


@pytest.mark.clause("PLX-06")
def test_what_was_there_stays_when_more_comes(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    shop.release("1.0.0")
    before = {path: read.get(f"{shop.root}1.0.0/{path}") for path in SHOP}
    shop.release("1.1.0", {"index.html": b"<p>all new"})
    shop.release("1.0.1", {"index.html": b"<p>mended"})
    for path, (status, headers, content) in before.items():
        after = read.get(f"{shop.root}1.0.0/{path}")
        assert (after[0], after[1]["etag"], after[2]) == (status, headers["etag"], content)
    assert read.get(f"{shop.root}1.0/")[2] == b"<p>mended"


def test_the_answer_says_what_it_is(shop: Bookshop, read: Reader) -> None:
    _, headers, _ = read.get(f"{shop.root}0.5/style.css")
    assert headers["content-type"] == "text/css; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    assert headers["vary"] == "Accept-Encoding"
    assert headers["troth-release"] == "0.5.1"
    assert headers["accept-ranges"] == "bytes"
    assert read.get(f"{shop.root}0.5/guide/")[1]["vary"] == "Accept-Encoding, Sec-Fetch-Dest"


def test_types_are_those_of_the_names(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    kinds = {
        "a.js": "text/javascript; charset=utf-8", "a.json": "application/json; charset=utf-8", "a.svg": "image/svg+xml; charset=utf-8",
        "a.png": "image/png", "a.woff2": "font/woff2", "a.unheard": "application/octet-stream", "objects.inv": "application/octet-stream",
        "A.HTML": "text/html; charset=utf-8", "a.rst.txt": "text/plain; charset=utf-8",
    }  # fmt: skip
    shop.release("1.0.0", {**dict.fromkeys(kinds, b"<b>x"), "latin.html": b'<meta charset="latin-1">\xe9'})
    for path, kind in kinds.items():
        assert read.get(f"{shop.root}1.0/{path}")[1]["content-type"] == kind
    assert read.get(f"{shop.root}1.0/latin.html")[1]["content-type"] == "text/html"  # it says itself


@pytest.mark.parametrize("path", ["", "guide/", "style.css", "gone.html", "../0.7/"])
@pytest.mark.parametrize("page", [True, False])
def test_no_answer_can_act_on_this_server(shop: Bookshop, read: Reader, path: str, page: bool) -> None:
    """Every answer is of an origin that is nobody's, or runs nothing at all."""
    _, headers, _ = (read.page if page else read.get)(f"{shop.root}0.5/{path}")
    policy = headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy
    assert "allow-top-navigation" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["set-cookie"] is None


def test_the_head_is_that_of_the_answer(shop: Bookshop, read: Reader) -> None:
    for ask in (read.get, read.page):
        status, headers, body = ask(f"{shop.root}0.5/guide/")
        found = ask(f"{shop.root}0.5/guide/", method="HEAD")
        assert found[0] == status
        assert found[1]["content-length"] == headers["content-length"] == str(len(body))
        assert found[1]["etag"] == headers["etag"]
        assert found[2] == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_else_can_be_done(shop: Bookshop, read: Reader, method: str) -> None:
    status, headers, _ = read.get(f"{shop.root}0.5/", method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_what_the_client_has_is_not_sent_again(shop: Bookshop, read: Reader) -> None:
    for ask in (read.get, read.page):
        etag = ask(f"{shop.root}0.5/")[1]["etag"]
        status, headers, body = ask(f"{shop.root}0.5/", if_none_match=f'"other", W/{etag}')
        assert (status, headers["etag"], body) == (304, etag, b"")
        assert ask(f"{shop.root}0.5/", if_none_match='"other"')[0] == 200
    assert read.get(f"{shop.root}0.5/")[1]["etag"] != read.page(f"{shop.root}0.5/")[1]["etag"]


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-999999", 206, slice(0, None)),
        ("bytes=-999999", 206, slice(0, None)),
        ("bytes=999999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=3-1", 200, slice(0, None)),
        ("bytes=0-1,3-4", 200, slice(0, None)),
        ("lines=1-2", 200, slice(0, None)),
        ("bytes=-", 200, slice(0, None)),
        ("bytes=" + "9" * 40 + "-", 200, slice(0, None)),
    ],
)
def test_a_part_of_a_file(shop: Bookshop, read: Reader, asked: str, status: int, part: slice | None) -> None:
    content = SHOP["style.css"]
    found = read.get(f"{shop.root}0.5/style.css", range=asked, accept_encoding="gzip")
    assert found[0] == status
    assert found[2] == (content[part] if part else b"")
    assert found[1]["content-encoding"] is None
    if status == 206 and part:
        start, end, _ = part.indices(len(content))
        assert found[1]["content-range"] == f"bytes {start}-{end - 1}/{len(content)}"
    if status == 416:
        assert found[1]["content-range"] == f"bytes */{len(content)}"


def test_a_part_of_another_version_of_a_file_is_not_sent(shop: Bookshop, read: Reader) -> None:
    etag = read.get(f"{shop.root}0.5/style.css")[1]["etag"]
    assert read.get(f"{shop.root}0.5/style.css", range="bytes=0-1", if_range=etag)[0] == 206
    assert read.get(f"{shop.root}0.5/style.css", range="bytes=0-1", if_range='"old"')[0] == 200


@pytest.mark.parametrize(
    ("said", "packed"), [("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("br", False), ("", False)]
)
def test_the_packed_form_is_for_who_takes_it(shop: Bookshop, read: Reader, said: str, packed: bool) -> None:
    _, headers, body = read.get(f"{shop.root}0.5/style.css", accept_encoding=said)
    assert headers["content-encoding"] == ("gzip" if packed else None)
    assert (gzip.decompress(body) if packed else body) == SHOP["style.css"]
    assert ("-gzip" in headers["etag"]) is packed
    assert headers["content-length"] == str(len(body))


def test_large_files_come_whole(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    content = bytes(range(256)) * 5000
    page = HOME.replace(b'href="guide/"', b"") + b"<p>" * 200_000
    shop.release("1.0.0", {"large.bin": content, "index.html": page})
    assert read.get(f"{shop.root}1.0/large.bin")[2] == content
    assert read.get(f"{shop.root}1.0/large.bin", range="bytes=300000-900000")[2] == content[300_000:900_001]
    body = read.page(f"{shop.root}1.0/")[2]
    assert body.endswith(page[-300_000:])
    assert len(body) > len(page)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "0.7/"), ("latest", "0.7/"), ("latest/", "0.7/"), ("latest/new.html", "0.7/new.html"), ("latest/guide/", "0.7/"),
        ("0.5", "0.5/"), ("0.5/guide", "0.5/guide/"),
    ],
)  # fmt: skip
def test_addresses_that_lead_on(shop: Bookshop, read: Reader, path: str, target: str) -> None:
    status, headers, _ = read.get(shop.root + path)
    assert (status, headers["location"]) == (302, shop.root + target)


def test_stable_is_what_people_marked(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    shop.release("1.0.0")
    shop.release("1.1.0")
    assert read.get(f"{shop.root}stable/")[0] == 404
    assert read.get(shop.root)[1]["location"] == f"{shop.root}1.1/"
    shop.stable("1.0.0")
    assert read.get(f"{shop.root}stable/guide/")[1]["location"] == f"{shop.root}1.0/guide/"
    assert read.get(f"{shop.root}latest/guide/")[1]["location"] == f"{shop.root}1.1/guide/"
    assert read.get(shop.root)[1]["location"] == f"{shop.root}1.0/"


def test_nobody_is_led_to_what_was_yanked_but_it_stays(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    shop.release("1.0.0")
    shop.release("1.1.0", {"index.html": b"<p>bad"})
    shop.client.command("yank_release", product=shop.subject, number="1.1.0", reason="loses <b>orders</b>")
    assert read.get(f"{shop.root}latest/")[1]["location"] == f"{shop.root}1.0/"
    assert read.get(f"{shop.root}1.1/")[2] == b"<p>bad"
    page = read.page(f"{shop.root}1.1/")[2]
    assert b"yanked: loses &lt;b&gt;orders" in page


@pytest.mark.parametrize(
    "path",
    [
        "0.5/gone", "0.5/guide/index.html/", "0.5//", "0.5/../0.7/", "0.5/%2e%2e/0.7/index.html", "0.5/guide/..%2fstyle.css",
        "0.5/..%00", "9.9/", "0.5/%2fetc/passwd", "0.5/site.json", "0.5/..%2findex.sqlite", "0.6", "..", "0.5/" + "x" * 3000,
    ],
)  # fmt: skip
def test_what_is_not_there(shop: Bookshop, read: Reader, path: str) -> None:
    status, headers, body = read.get(shop.root + path)
    assert status == 404
    assert json.loads(body)["code"] == "not-found"
    status, headers, body = read.page(shop.root + path)
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_private_documentation_is_for_who_may_know_of_it(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server, public=False)
    shop.release("1.0.0")
    nothing = read.get(f"{shop.root}nothing/1.0/".replace(shop.subject, "nobody/nothing"))
    _, stranger = server.account("sam")
    for headers in ({}, {"authorization": f"Bearer {stranger.key}"}):
        for path in ("1.0/", "latest/", "search.json?q=apples", "9.9/"):
            status, _, body = read.get(shop.root + path, **headers)
            assert status == nothing[0] == 404
            assert "no product" in json.loads(body)["detail"]
    status, headers_, body = read.get(f"{shop.root}1.0/", authorization=f"Bearer {shop.client.key}")
    assert (status, body) == (200, HOME)
    assert headers_["cache-control"] == "private, no-cache"
    assert headers_["access-control-allow-origin"] is None
    shop.client.command("update_product", product=shop.subject, public=True)
    assert read.get(f"{shop.root}1.0/")[0] == 200


def test_a_site_that_was_lost_is_made_again(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    digest = shop.release("1.0.0", {**SHOP, "own.html": b"<p>of this test"})
    sites = server.server.sites
    assert read.get(f"{shop.root}1.0/own.html")[0] == 200
    sites.path(digest).rename(server.home / "lost")
    assert read.get(f"{shop.root}1.0/own.html")[2] == b"<p>of this test"


def test_documentation_in_one_folder_or_without_a_first_page(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    shop.release("1.0.0", {f"docs/{path}": content for path, content in SHOP.items()})
    assert read.get(f"{shop.root}1.0/guide/")[2] == GUIDE
    shop.release("1.1.0", {"docs/intro.md": b"# Apples & <pears>\n", "docs/more/b.md": b"# Other\n"})
    status, _, body = read.page(f"{shop.root}1.1/")
    assert status == 200
    assert b'href="more/b.md"' in body
    assert read.get(f"{shop.root}1.1/intro.md")[1]["content-type"] == "text/markdown; charset=utf-8"
    found = json.loads(read.get(f"{shop.root}search.json?version=1.1&q=pears")[2])
    assert [one["address"] for one in found["found"]] == [f"{shop.root}1.1/intro.md"]


def test_what_cannot_be_served_is_told_and_not_kept(server: RunningServer) -> None:
    """Past the command: a bundle that was put there by other means."""
    shop = bookshop(server)
    shop.release("1.0.0", bundle({"index.html": b'<a href="../">'}))
    reader = Reader(server.address)
    try:
        status, _, body = reader.get(f"{shop.root}1.0/")
        assert (status, json.loads(body)["clauses"]) == (400, ["PLX-06"])
    finally:
        reader.close()
    with pytest.raises(NotFound):
        shop.client.release(shop.subject, "9.9.9")


def test_what_was_made_for_no_release_goes_with_its_bundle(server: RunningServer) -> None:
    shop, running = bookshop(server), server.server
    digest = shop.release("1.0.0", {**SHOP, "kept.html": b"<p>kept"})
    content = bundle({**SHOP, "never.html": b"<p>released"})
    never = hashlib.sha256(content).hexdigest()
    shop.client.upload_release_file(never, iter([content]), len(content))
    running.sites.ready(never)
    for one in (digest, never):
        (server.home / "releases" / "blobs" / one[:2] / one).rename(server.home / one)
    sites = open_sites(running.home, running.release_files, running.database)
    assert digest in sites.stored()
    assert never not in sites.stored()


def test_a_piece_of_a_file_is_in_memory_at_a_time(server: RunningServer) -> None:
    shop = bookshop(server)
    digest = shop.release("1.0.0", {"large.bin": bytes(3 * PIECE + 5)})
    sites = server.server.sites
    reply = reply_with(File(sites.path(digest), digest, "large.bin", sites.known(digest)), "GET", {}, [])
    pieces = [reply.body]
    while reply.left:
        pieces.append(reply.piece())
    reply.close()
    assert [len(piece) for piece in pieces] == [PIECE, PIECE, PIECE, 5]
