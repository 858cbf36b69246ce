"""A release whose documentation is built when it is cut."""

from __future__ import annotations

import pytest

from tests.products.conftest import Shop

BUILT = 'paths = ["docs"]\nbuild = ["sh", "build.sh"]\nbuilt = "site"'


def prepared(shop: Shop, build: str) -> None:
    """Commits 1.0.0 with this script as its build."""
    shop.commit("1.0.0", {"build.sh": f"{build}\n", ".gitignore": "site\n"})
    declared = shop.head("1.0.0").replace('paths = ["docs"]', BUILT)
    shop.repository.commit({"troth.toml": declared})


@pytest.mark.clause("PLX-06")
def test_the_build_runs_and_what_it_writes_is_kept(shop: Shop) -> None:
    prepared(shop, "mkdir -p site && echo '<title>Built</title>' > site/index.html")
    code, found = shop.cut()
    assert code == 0, found
    site = shop.server.server.sites.files(found["docs_digest"])
    assert (site / "index.html").read_text() == "<title>Built</title>\n"


def test_without_a_build_that_succeeds_nothing_is_released(shop: Shop) -> None:
    prepared(shop, "echo no theme >&2; exit 1")
    code, found = shop.cut()
    assert (code, found["why"]) == (1, "it ended with 1: no theme")
    assert shop.client.releases(shop.subject) == []
    assert "v1.0.0" not in shop.repository.git("tag")
