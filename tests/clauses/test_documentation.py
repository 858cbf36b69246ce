"""The documentation of a release: PLX-06, PLX-16, PDB-39."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.products.conftest import Shop
from tests.server import RunningServer
from tests.sites.bundles import GUIDE, SHOP, bookshop
from tests.sites.conftest import Reader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Built documentation."""
    return written(tmp_path / "built", SHOP)


def written(folder: Path, files: dict[str, bytes]) -> Path:
    """A folder with these files."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def released(product: Shop, version: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """What came of cutting a release with this documentation."""
    product.repository.commit({"troth.toml": product.head(version), "src/shop.py": f"print({version!r})\n"}, version)
    return product.cut("--docs", str(folder))


@pytest.mark.clause("PLX-06")
@pytest.mark.clause("PLX-16")
def test_each_version_keeps_its_own_documentation(server: RunningServer, read: Reader) -> None:
    shop = bookshop(server)
    shop.release("1.0.0")
    before = {path: read.get(f"{shop.root}1.0/{path}")[2] for path in SHOP}
    assert before == SHOP
    shop.release("1.1.0", {"index.html": b"<p>all new"})
    shop.release("2.0.0", {**SHOP, "guide/index.html": GUIDE.replace(b"pay", b"be paid")})
    for version in ("1.0", "1.0.0"):
        assert {path: read.get(f"{shop.root}{version}/{path}")[2] for path in SHOP} == before
    assert read.get(f"{shop.root}1.1/")[2] == b"<p>all new"
    assert read.get(f"{shop.root}1.1/guide/")[0] == 404
    assert b"be paid" in read.get(f"{shop.root}2.0/guide/")[2]


@pytest.mark.clause("PLX-06")
@pytest.mark.clause("PLX-16")
@pytest.mark.parametrize("link", ["../../0.9/", "/guide/", "guide/../../style.css"])
def test_a_release_whose_links_leave_it_is_refused(product: Shop, folder: Path, link: str) -> None:
    (folder / "more.html").write_text(f'<a href="{link}">more</a>')
    code, problem = released(product, "0.1.0", folder)
    assert (code, problem["clauses"]) == (2, ["PLX-06"])
    assert "out of the version" in problem["detail"]
    assert product.client.releases(product.subject) == []


@pytest.mark.clause("PLX-06")
def test_a_release_whose_links_break_is_refused(product: Shop, folder: Path) -> None:
    (folder / "guide" / "index.html").unlink()
    code, problem = released(product, "0.1.0", folder)
    assert (code, problem["clauses"]) == (2, ["PLX-06"])
    assert "'guide/' on index.html" in problem["detail"]
    assert product.client.releases(product.subject) == []


@pytest.mark.clause("PLX-06")
def test_a_release_without_documentation_is_refused(product: Shop) -> None:
    product.repository.commit({"docs/index.html": None}, "no documentation")
    code, problem = product.cut()
    assert (code, problem["clauses"]) == (3, ["PLX-06"])


@pytest.mark.clause("PDB-39")
def test_pages_of_what_is_retired_are_gone_from_later_releases_only(
    product: Shop, tmp_path: Path, read: Reader
) -> None:
    old = written(tmp_path / "old", {**SHOP, "api/v1/orders.html": b"<p>orders", "api/v2/orders.html": b"<p>orders"})
    assert released(product, "0.1.0", old)[0] == 0
    head = product.head("0.2.0").replace('paths = ["docs"]', 'paths = ["docs"]\nretired = ["api/v1"]')
    product.repository.commit({"troth.toml": head, "changes/1.feature.md": "v1 is gone\n"}, "retire v1")
    code, problem = product.cut("--docs", str(old))
    assert (code, problem["clauses"]) == (3, ["PDB-39"])
    assert problem["found"] == ["api/v1/orders.html"]
    new = written(tmp_path / "new", {**SHOP, "api/v2/orders.html": b"<p>orders"})
    code, problem = product.cut("--docs", str(new))
    assert code == 0, problem
    root = f"/docs/{product.subject}/"
    assert read.get(f"{root}0.2/api/v1/orders.html")[0] == 404
    assert read.get(f"{root}0.2/api/v2/orders.html")[0] == 200
    assert read.get(f"{root}0.1/api/v1/orders.html")[2] == b"<p>orders"
