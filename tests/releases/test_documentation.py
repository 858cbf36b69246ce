"""Built documentation, looked at offline: its links are followed as a server does when a release is cut."""

from __future__ import annotations

import pytest

from tests.releases.product import HEAD, Repository, policy

HOME = '<title>Shop</title><a href="guide.html">Guide</a>'
BUILD = 'mkdir -p site && echo "<title>Shop</title>" > site/index.html'


@pytest.fixture
def shop(empty: Repository) -> Repository:
    """A product that declares how its documentation is built."""
    declare(empty, 'build = ["sh", "build.sh"]\nbuilt = "site"\nretired = ["v1"]\n', BUILD)
    return empty


def declare(repository: Repository, documentation: str, build: str) -> None:
    files = {"troth.toml": HEAD + policy("polyaxon") + "[documentation]\n" + documentation, ".gitignore": "site\n"}
    repository.commit({**files, "build.sh": build + "\n"})


@pytest.mark.clause("PLX-06")
@pytest.mark.parametrize(
    ("page", "said"),
    [
        (HOME, "1 link leads to nothing: 'guide.html' on index.html"),
        ('<a href="../1.0/">old</a>', "1 link leads out of the version: '../1.0/' on index.html"),
    ],
)
def test_links_are_followed(shop: Repository, page: str, said: str) -> None:
    (shop.folder / "site").mkdir()
    (shop.folder / "site" / "index.html").write_text(page)
    code, _, err = shop.run("--docs", str(shop.folder / "site"))
    assert code == 2
    assert said in err
    assert "[PLX-06]" in err


@pytest.mark.clause("PDB-39")
def test_pages_of_what_is_retired_are_refused(shop: Repository) -> None:
    (shop.folder / "site" / "v1").mkdir(parents=True)
    (shop.folder / "site" / "index.html").write_text("<title>Shop</title>")
    (shop.folder / "site" / "v1" / "index.html").write_text("<title>Old</title>")
    code, _, err = shop.run("--docs", str(shop.folder / "site"))
    assert code == 3
    assert "pages of what is retired: v1/index.html" in err


def test_it_is_built_as_the_product_says(shop: Repository) -> None:
    code, out, _ = shop.run("--build-docs")
    assert code == 0
    assert "the links of the documentation hold, in 1 page" in out


@pytest.mark.parametrize(
    ("documentation", "build", "code", "said"),
    [
        ('build = ["sh", "build.sh"]\n', BUILD, 2, "[documentation] built is missing"),
        ('built = "site"\n', BUILD, 2, "[documentation] build is missing"),
        ('build = ["no-such-builder"]\nbuilt = "site"\n', BUILD, 2, "no-such-builder: No such file or directory"),
        ('build = ["sh", "build.sh"]\nbuilt = "site"\n', "echo a page is broken >&2; exit 3", 1, "it ended with 3: a page is broken"),
        ('build = ["sh", "build.sh"]\nbuilt = "site"\n', "true", 1, "wrote nothing to site"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_build_is_told(
    empty: Repository, documentation: str, build: str, code: int, said: str
) -> None:
    declare(empty, documentation, build)
    found, _, err = empty.run("--build-docs")
    assert found == code
    assert said in " ".join(err.split())


def test_a_build_that_does_not_end_is_ended(shop: Repository) -> None:
    declare(shop, 'build = ["sh", "build.sh"]\nbuilt = "site"\n', "sleep 600")
    code, _, err = shop.run("--build-docs", "--seconds", "1")
    assert code == 1
    assert "took longer than 1 s" in err


def test_another_commit_than_the_one_in_the_folder_is_not_built(shop: Repository) -> None:
    shop.commit({"more.txt": "more"})
    code, _, err = shop.run("--commit", "HEAD~1", "--build-docs")
    assert code == 2
    assert "that is another commit" in err
