"""The banner: where it is put, what it says, and that nothing else changes; search in one version."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.server import RunningServer
from tests.sites.bundles import SHOP, Bookshop, bookshop
from tests.sites.conftest import Reader
from troth.sites.banner import HEAD, place


def banner_of(body: bytes) -> str:
    """The banner of a page."""
    found = re.search(rb"<troth-version>.*?</troth-version>", body, re.DOTALL)
    assert found, body[:500]
    return found[0].decode("ascii")


def choices(shown: str) -> dict[str, str]:
    """Where each version of the picker leads."""
    return {name: address for address, name in re.findall(r'<li><a href="([^"]*)">([^ <]*)', shown)}


@pytest.mark.parametrize("path", ["", "guide/"])
def test_a_page_load_has_it_and_nothing_else_changes(shop: Bookshop, read: Reader, path: str) -> None:
    plain, shown = read.get(f"{shop.root}0.5/{path}")[2], read.page(f"{shop.root}0.5/{path}")[2]
    assert b"troth-version" not in plain
    assert re.sub(rb"<troth-version>.*</troth-version>", b"", shown, flags=re.DOTALL) == plain
    assert shown.index(b"<body>") + len(b"<body>") == shown.index(b"<troth-version>")


@pytest.mark.parametrize("kind", ["empty", "iframe", "image", "style", "script"])
def test_nothing_else_that_a_browser_loads_has_it(shop: Bookshop, read: Reader, kind: str) -> None:
    assert b"troth-version" not in read.get(f"{shop.root}0.5/", sec_fetch_dest=kind)[2]
    assert read.get(f"{shop.root}0.5/style.css", sec_fetch_dest="document")[2] == SHOP["style.css"]


@pytest.mark.clause("PLX-06")
def test_it_leads_to_the_same_page_where_that_exists(shop: Bookshop, read: Reader) -> None:
    home = banner_of(read.page(f"{shop.root}0.5/")[2])
    assert "You read <strong>0.5</strong>; <strong>0.7</strong> is current" in home
    assert f'<a href="{shop.root}0.7/">this page there</a>' in home
    guide = banner_of(read.page(f"{shop.root}0.5/guide/")[2])
    assert "its first page, for this one is not there" in guide
    assert choices(guide) == {"0.8.0-rc.1": f"{shop.root}0.8.0-rc.1/", "0.7": f"{shop.root}0.7/"}
    new = banner_of(read.page(f"{shop.root}0.7/new.html")[2])
    assert "the current version" in new
    assert choices(new)["0.5"] == f"{shop.root}0.5/"
    soon = banner_of(read.page(f"{shop.root}0.8.0-rc.1/")[2])
    assert "which is newer; <strong>0.7</strong> is current" in soon
    exact = banner_of(read.page(f"{shop.root}0.5.0/guide/")[2])
    assert choices(exact)["0.5"] == f"{shop.root}0.5/guide/"


def test_a_page_is_led_to_only_where_its_line_has_it(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    for number in ("1.0.0", "1.1.0"):
        shop.release(number)
    shop.release("1.1.1", {"index.html": SHOP["style.css"]})
    shop.stable("1.1.0")
    assert read.get(f"{shop.root}1.1/guide/")[0] == 404
    shown = banner_of(read.page(f"{shop.root}1.0/guide/")[2])
    assert f'<a href="{shop.root}1.1/">its first page, for this one is not there</a>' in shown


def test_search_engines_are_led_to_the_current_page(shop: Bookshop, read: Reader) -> None:
    for path, canonical in {
        "0.5/": "0.7/",
        "0.5.0/": "0.7/",
        "0.5/guide/": "0.5/guide/",
        "0.5.0/guide/": "0.5/guide/",
    }.items():
        assert read.get(shop.root + path)[1]["link"] == f'<{shop.root}{canonical}>; rel="canonical"'
    assert read.get(f"{shop.root}0.5/style.css")[1]["link"] is None


def test_names_of_files_do_no_harm(server: RunningServer, read: Reader) -> None:
    shop, name = bookshop(server), "a\"><script>alert(1)</script>&'.html"
    shop.release("1.0.0", {"index.html": b"<p>x", name: b"<body>here"})
    shop.release("1.1.0", {"index.html": b"<p>x", name: b"<body>there"})
    from urllib.parse import quote

    body = read.page(f"{shop.root}1.0/{quote(name)}")[2]
    assert b"<script>" not in body
    assert body.endswith(b"here")
    assert quote(name) in banner_of(body)


@pytest.mark.parametrize(
    ("page", "before"),
    [
        (b"<!doctype html><html><head></head><body class='x' data-y=\">\"><p>", b"<p>"),
        (b"<!doctype html>\n<title>x</title>\n<p>text", b"\n<title>"),
        (b"<p>text", b"<p>"),
        (b"<html>\n<head>\r\n<script>var x = '<body>'</script></head>\n<p>", b"\n<p>"),
        (b"<!-- <body> --><html><BODY\nid=1>here", b"here"),
        ("<!doctype html><title>éàü</title>\n<body>ß".encode(), "ß".encode()),
        (b"", b""),
        (b"<!doctype html", b""),
        (b"<title>a <body> of work</title><noscript><body></noscript><body>here", b"here"),
        (b"<html data-x='>' data-y = \"a'>b\"><p title=don't><body>here", b"here"),
        (b"<!-->< 1 <body>here", b"here"),
    ],
)
def test_where_it_is_put(page: bytes, before: bytes) -> None:
    at = place(page)
    assert at is not None
    assert page[at:].startswith(before)


@pytest.mark.parametrize("piece", [b"&", b"<", b"<a", b"<a>", b"<!--", b"</a ", b"<script>", b"='", b'<a b="', b"<!"])
def test_a_page_that_is_hard_to_read_is_no_work(piece: bytes) -> None:
    """Pages are strangers', and each load of one looks for the place again."""
    calls = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1

    head = (piece * HEAD)[:HEAD]
    sys.setprofile(counted)
    try:
        assert place(head) == 0
    finally:
        sys.setprofile(None)
    assert calls < 50_000


@pytest.mark.parametrize(
    "page", ["<body>x".encode("utf-16"), b"<?xml version='1.0'?><html/>", b"\n<?xml version='1.0'?>"]
)
def test_where_it_cannot_be_put(page: bytes) -> None:
    assert place(page) is None


# --- search


@pytest.mark.clause("PLX-16")
def test_one_version_is_searched(shop: Bookshop, read: Reader) -> None:
    def found(version: str, question: str) -> list[str]:
        status, headers, body = read.get(f"{shop.root}search.json?version={version}&q={question}")
        assert (status, headers["content-type"]) == (200, "application/json")
        return [one["address"] for one in json.loads(body)["found"]]

    assert found("0.5", "pay") == [f"{shop.root}0.5/guide/"]
    assert found("0.5", "pay+twice") == [f"{shop.root}0.5/guide/"]
    assert found("0.5.0", "pay+twice") == []
    assert found("0.7", "pay") == []
    assert found("", "new") == found("latest", "new") == [f"{shop.root}0.7/new.html"]
    assert read.get(f"{shop.root}search.json?version=9.9&q=x")[0] == 404


def test_the_page_of_what_was_found_has_no_script(shop: Bookshop, read: Reader) -> None:
    status, headers, body = read.page(f"{shop.root}search?version=0.5&q=pay")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert f'<a href="{shop.root}0.5/guide/">Guide</a>'.encode() in body
    assert b"<mark>pay</mark>" in body
    asked = read.page(f"{shop.root}search?version=0.5&q=%3Cscript%3Ealert(1)%3C/script%3E")[2]
    assert b"<script" not in asked
    assert read.get(f"{shop.root}search?q={'&a=1' * 100}")[0] == 400


def test_search_is_ours_and_a_page_of_that_name_is_the_authors(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    shop.release("1.0.0", {"index.html": b"<p>x", "search": b"theirs", "search.html": b"<p>theirs"})
    assert read.get(f"{shop.root}1.0/search")[2] == b"theirs"
    assert read.get(f"{shop.root}search")[1]["content-type"] == "text/html; charset=utf-8"
