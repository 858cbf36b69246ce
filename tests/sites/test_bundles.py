"""Bundles that nobody should take, and what is made of those that are taken."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.sites.bundles import HOME, SHOP, bundle, member, packed
from troth.errors import MalformedSource
from troth.sites import making
from troth.sites.entries import MOST_FILES, Entries
from troth.sites.making import Made, make
from troth.sites.search import search
from troth.sites.store import Sites

PAGE = (member("index.html", 5), b"<p>hi")


def made(folder: Path, content: bytes) -> Made:
    """What is made of a bundle in a new folder."""
    folder.mkdir()
    return make(io.BytesIO(content), len(content), folder)


def refusal(folder: Path, content: bytes) -> str:
    """Why a bundle is not taken."""
    with pytest.raises(MalformedSource) as caught:
        made(folder, content)
    assert caught.value.clauses == ("PLX-06",)
    assert caught.value.repair
    return f"{caught.value.what}; {caught.value.why}"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (member("../index.html", 1), "leads out"),
        (member("a/../../b.html", 1), "leads out"),
        (member("a/..", 1), "leads out"),
        (member("/etc/passwd", 1), "leads out"),
        (member("a\\..\\b.html", 1), "leads out"),
        (member("../folder", type=tarfile.DIRTYPE), "leads out"),
        (member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no plain file"),
        (member("link", type=tarfile.LNKTYPE, linkname="index.html"), "no plain file"),
        (member("device", type=tarfile.CHRTYPE, devmajor=1, devminor=3), "no plain file"),
        (member("disk", type=tarfile.BLKTYPE), "no plain file"),
        (member("pipe", type=tarfile.FIFOTYPE), "no plain file"),
        (member("./", 1), "no name of a file"),
        (member("a\nb.html", 1), "no name that can be served"),
        (member("a\u202eb.html", 1), "no name that can be served"),
        (member("x" * 256, 1), "no name that can be served"),
        (member("é" * 128, 1), "no name that can be served"),
        (member("a/" * 64 + "b", 1), "no name that can be served"),
        (member("x/" * 501 + "b", 1), "no name that can be served"),
        (member("index.html", 1), "one place"),
        (member("INDEX.html", 1), "one place"),
        (member("index.html/more", 1), "one place"),
    ],
)
def test_an_entry_that_is_refused(tmp_path: Path, entry: tarfile.TarInfo, said: str) -> None:
    assert said in refusal(tmp_path / "site", packed([PAGE, (entry, b"x")]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße.html", "STRASSE.html"),
        ("caf\u00e9.html", "cafe\u0301.html"),
        ("Api/a.html", "api/b.html"),
        ("a/b", "A"),
    ],
)
def test_twins_on_some_machines(tmp_path: Path, one: str, other: str) -> None:
    assert "one place" in refusal(tmp_path / "site", bundle({one: b"x", other: b"x"}))


def test_a_sparse_file_is_no_plain_file() -> None:
    entry = member("holes.bin", 1 << 40)
    entry.type = tarfile.GNUTYPE_SPARSE
    entry.sparse = []  # type: ignore[assignment]
    with pytest.raises(MalformedSource, match="no plain file"):
        Entries(1000).admit(entry)


def test_as_many_files_as_may_be() -> None:
    entries = Entries(1 << 30)
    for number in range(MOST_FILES):
        entries.admit(member(f"{number % 100}/{number}.html", 1))
    with pytest.raises(MalformedSource, match="too many files"):
        entries.admit(member("more.html", 1))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = packed([PAGE, (member("zeros.bin", 80 << 20), bytes(80 << 20))])
    assert len(bomb) < 1 << 20
    assert "too large unpacked" in refusal(tmp_path / "site", bomb)
    assert not (tmp_path / "site" / "files" / "zeros.bin").exists()


def test_the_size_that_is_refused_is_that_of_all_files() -> None:
    entries = Entries(2 << 30)
    for number in range(8):
        entries.admit(member(f"{number}.bin", 1 << 30))
    with pytest.raises(MalformedSource, match="too large unpacked"):
        entries.admit(member("more.bin", 1))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a zip",
        b"not packed at all",
        bundle(SHOP)[:-200],
        gzip.compress(b"no tar" * 1000),
        gzip.compress(gzip.decompress(bundle(SHOP))[:700]),
    ],
)
def test_what_is_no_whole_bundle(tmp_path: Path, content: bytes) -> None:
    assert "no whole tar.gz" in refusal(tmp_path / "site", content)


def test_a_bundle_without_files(tmp_path: Path) -> None:
    assert "no file in it" in refusal(tmp_path / "site", packed([(member("a", type=tarfile.DIRTYPE), b"")]))


def test_a_page_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_LARGEST_PAGE", 4)
    assert "too large for a page" in refusal(tmp_path / "site", packed([PAGE]))


@pytest.mark.clause("PLX-06")
@pytest.mark.clause("PLX-16")
@pytest.mark.parametrize(
    "link",
    [
        "../", "../../0.4/", "/", "/guide/", "guide/../../x", "%2e%2e/0.4/", "..\\0.4\\", ".\t./x", "..", "guide/%2e%2e/../..",
    ],
)  # fmt: skip
def test_a_link_that_leaves_its_version_is_refused(tmp_path: Path, link: str) -> None:
    said = refusal(tmp_path / "site", bundle({**SHOP, "page.html": f'<a href="{link}">x</a>'.encode()}))
    assert "leads out of the version" in said
    assert "page.html" in said


@pytest.mark.clause("PLX-06")
@pytest.mark.parametrize(
    "element", ['<a href="../site/index.html">', '<a href="../">', '<base href="../site/"><a href="index.html">']
)
def test_a_link_over_the_one_folder_leaves_the_version(tmp_path: Path, element: str) -> None:
    pages = {
        "site/index.html": b"home",
        "site/guide/index.html": b'<a href="../">up</a>',
        "site/page.html": element.encode(),
    }
    said = refusal(tmp_path / "alone", bundle(pages))
    assert "1 link leads out of the version" in said
    (tmp_path / "beside").mkdir()
    whole = bundle({**pages, "index.html": b"first"})
    assert make(io.BytesIO(whole), len(whole), tmp_path / "beside").root == ""


@pytest.mark.clause("PLX-06")
@pytest.mark.parametrize(
    "element",
    [
        '<a href="gone.html">', '<img src="gone.png">', '<script src="gone.js"></script>', '<link rel="stylesheet" href="gone.css">',
        '<img srcset="style.css 1x, gone.png 2x">', '<meta http-equiv="refresh" content="0; url=gone/">',
        '<iframe src="gone.html">', '<form action="gone">', '<object data="gone">', '<a href="guide/gone#part?x">',
        '<base href="guide/"><a href="guide/">', '<base href="https://example.org/"><a href="x">',
    ],
)  # fmt: skip
def test_a_link_to_nothing_or_a_base_elsewhere_is_refused(tmp_path: Path, element: str) -> None:
    assert "link leads" in refusal(tmp_path / "site", bundle({**SHOP, "page.html": element.encode()}))


@pytest.mark.parametrize(
    "link",
    [
        "", "#part", "?q=1", "guide", "guide/", "guide/index.html", "guide/#part", "./style.css?v=1", "guide/..", ".",
        "https://example.org/", "//example.org/x", "mailto:ada@example.org", "javascript:void(0)", "data:,x", "STYLE%2ecss/../style.css",
        "http://[",
    ],
)  # fmt: skip
def test_links_that_are_fine(tmp_path: Path, link: str) -> None:
    assert made(tmp_path / "site", bundle({**SHOP, "page.html": f'<a href="{link}">x</a>'.encode()})).files == 4


def test_every_link_that_is_wrong_is_counted(tmp_path: Path) -> None:
    links = "".join(f'<a href="gone{number}">' for number in range(9))
    said = refusal(tmp_path / "site", bundle({"index.html": links.encode()}))
    assert "9 links lead to nothing" in said
    assert "and 4 more" in said


def test_the_page_for_errors_that_mkdocs_writes_may_name_another_root(tmp_path: Path) -> None:
    assert made(tmp_path / "site", bundle({**SHOP, "404.html": b'<a href="/css/base.css">'})).files == 4


def test_what_is_made(tmp_path: Path) -> None:
    found = made(tmp_path / "site", bundle({**SHOP, "old.html": b"<title>\xe9t\xe9</title>"}))
    assert (found.files, found.pages, found.foreign) == (4, 3, ["old.html"])
    for path, content in SHOP.items():
        assert (tmp_path / "site" / "files" / path).read_bytes() == content
    assert gzip.decompress((tmp_path / "site" / "gzip" / "style.css").read_bytes()) == SHOP["style.css"]
    assert not (tmp_path / "site" / "gzip" / "index.html").exists()  # too small to shrink
    hits = search(tmp_path / "site" / "index.sqlite", "APPLE")
    assert [(hit.path, hit.title) for hit in hits] == [("index.html", "Shop")]
    assert "\x02apples\x03" in hits[0].text


@pytest.mark.parametrize(
    "question", ["", "  ", '"', "apple AND", "title:shop", "*", "a" * 5000, "NEAR(", "-apple", "' OR 1"]
)
def test_any_question_can_be_asked(tmp_path: Path, question: str) -> None:
    made(tmp_path / "site", bundle(SHOP))
    assert len(search(tmp_path / "site" / "index.sqlite", question)) <= 3


def test_menus_and_scripts_are_not_searched(tmp_path: Path) -> None:
    page = b"<nav>menu<nav>more</nav></nav><script>code</script><main>text<p>deep</main><footer>end</footer>"
    made(tmp_path / "site", bundle({"index.html": page}))
    found = {
        word: bool(search(tmp_path / "site" / "index.sqlite", word)) for word in ("menu", "code", "end", "text", "deep")
    }
    assert found == {"menu": False, "code": False, "end": False, "text": True, "deep": True}


def test_a_single_folder_is_the_root(tmp_path: Path) -> None:
    assert made(tmp_path / "one", bundle({f"docs/{name}": content for name, content in SHOP.items()})).root == "docs/"
    assert made(tmp_path / "two", bundle(SHOP)).root == ""
    assert made(tmp_path / "three", bundle({"a/x": b"", "b/y": b""})).root == ""


class _Noise(io.RawIOBase):
    """So many bytes that do not shrink, none of which is kept."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._block = bytes((number * number * 31 + number) % 251 for number in range(1 << 16))

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = self._block[: min(size, self._left)]
        self._left -= len(found)
        return found


def test_memory_stays_flat_whatever_the_size(tmp_path: Path) -> None:
    """A bundle of 48 MiB takes less than 4 MiB of memory, beside SQLite's own 8."""
    with (tmp_path / "bundle").open("w+b") as file:
        with (
            gzip.GzipFile(fileobj=file, mode="wb", compresslevel=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w") as archive,
        ):
            for number in range(3):
                archive.addfile(member(f"{number}.bin", 16 << 20), _Noise(16 << 20))
            archive.addfile(*_entry("index.html", HOME.replace(b'"guide/"', b'"0.bin"')))
        size = file.tell()
        file.seek(0)
        (tmp_path / "site").mkdir()
        tracemalloc.start()
        try:
            found = make(file, size, tmp_path / "site")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert found.size > 48 << 20
    assert peak < 4 << 20


def _entry(name: str, content: bytes) -> tuple[tarfile.TarInfo, io.BytesIO]:
    return member(name, len(content)), io.BytesIO(content)


# --- the store, with the process that reads


@pytest.fixture
def kept(tmp_path: Path) -> Sites:
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "good").write_bytes(bundle(SHOP))
    (tmp_path / "bundles" / "bad").write_bytes(bundle({"index.html": b'<a href="../">'}))
    return Sites(tmp_path / "sites", lambda digest: os.open(tmp_path / "bundles" / digest, os.O_RDONLY))


def _scratch(folder: Path) -> Iterable[Path]:
    return list(folder.glob(".new-*"))


def test_a_site_is_made_once_and_read_only(kept: Sites, tmp_path: Path) -> None:
    assert kept.ready("good").files == 3
    (tmp_path / "bundles" / "good").unlink()
    assert kept.ready("good").files == 3
    assert not (kept.files("good") / "index.html").stat().st_mode & 0o222
    assert not kept.path("good").stat().st_mode & 0o222
    assert not _scratch(tmp_path / "sites")


def test_nothing_is_kept_of_what_is_refused(kept: Sites, tmp_path: Path) -> None:
    with pytest.raises(MalformedSource, match="leads out") as caught:
        kept.ready("bad")
    assert caught.value.clauses == ("PLX-06",)
    with pytest.raises(FileNotFoundError):
        kept.ready("never")
    assert list((tmp_path / "sites").iterdir()) == []


def test_a_name_that_takes_all_memory_is_refused(kept: Sites, tmp_path: Path) -> None:
    """The name of an entry may be told as a file of its own, of any size, which libraries read whole."""
    with gzip.open(tmp_path / "bundles" / "name", "wb", 1) as file:
        file.write(member("././@LongLink", 4 << 30, type=tarfile.GNUTYPE_LONGNAME).tobuf(tarfile.GNU_FORMAT))
        for _ in range(520):
            file.write(bytes(1 << 20))
    with pytest.raises(MalformedSource, match="memory"):
        kept.ready("name")


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(bundle(SHOP))
    sites = Sites(tmp_path / "sites", lambda digest: os.open(tmp_path / digest, os.O_RDONLY), seconds=0.0)
    with pytest.raises(MalformedSource, match="too long"):
        sites.ready("good")


def test_what_a_killed_server_left_is_removed(kept: Sites, tmp_path: Path) -> None:
    half = tmp_path / "sites" / ".new-half" / "files"
    half.mkdir(parents=True)
    half.chmod(0o555)
    kept.recover()
    assert not _scratch(tmp_path / "sites")
