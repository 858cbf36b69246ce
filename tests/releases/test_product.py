"""troth.toml of a product, read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.releases.product import HEAD
from troth.contracts.path_patterns import matches
from troth.contracts.product import is_product, parse_product
from troth.contracts.project import parse_project
from troth.doors.cli.main import execute
from troth.errors import TrothError


def test_a_product_without_more_is_one_core_by_semantic_versioning() -> None:
    product = parse_product(HEAD.encode())
    assert product.subject == "ada/shop"
    assert product.profiles == ("semver",)
    assert [one.name for one in product.components] == ["core"]
    assert product.component_of("anything/at/all.py") is not None
    assert is_product(HEAD.encode())
    assert not is_product(b'[algorithm]\nname = "a"\n')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "owner"),
        ('[product]\nowner = "ada"\n', "name is missing"),
        (HEAD + "more = 1\n", "no key 'more'"),
        (HEAD + "[surprise]\n", "no key 'surprise'"),
        (HEAD + 'version = "1.2"\n', "version"),
        (HEAD + 'tags = "release"\n', "{version}"),
        (HEAD + '[policy]\nprofiles = ["polyaxxon"]\n', "polyaxxon"),
        (HEAD + '[policy]\nexceptions = ["PDB-09"]\n', "PDB-09"),
        (HEAD + '[[contracts]]\nkind = "openapi"\n', "path is missing"),
        (HEAD + '[[contracts]]\nkind = "soap"\npath = "a"\n', "kind"),
        (HEAD + '[[contracts]]\nkind = "openapi"\npath = "../a"\n', "leads out"),
        (HEAD + '[[contracts]]\nkind = "openapi"\npath = "/a"\n', "leads out"),
        (HEAD + '[[contracts]]\nkind = "openapi"\npath = "a"\ntolerant = true\n', "tolerant"),
        (HEAD + '[[contracts]]\nkind = "openapi"\npath = "a"\ncomponent = "web"\n', "'web'"),
        (HEAD + '[contracts]\nkind = "openapi"\n', "list of tables"),
        (HEAD + '[[migrations]]\nkind = "command"\nlist = ["a"]\n', "no run"),
        (HEAD + '[[migrations]]\nkind = "sql"\npath = "a"\nrun = "a b"\n', "list of texts"),
        (HEAD + "[components.web]\n", "paths is missing"),
        (HEAD + '[components.web]\npaths = ["a"]\nmaturity = "gamma"\n', "maturity"),
        (HEAD + '[components.web]\npaths = ["a"]\ncore = true\nmaturity = "beta"\n', "core"),
        (HEAD + '[components.a]\npaths=["a"]\ncore=true\n[components.b]\npaths=["b"]\ncore=true\n', "several cores"),
        (HEAD + '[infrastructures.a]\nrecords = ["a"]\n', "no kind"),
        (HEAD + '[notes]\nkind = "fragments"\n', "path is missing"),
        (HEAD + '[release]\noccasion = "party"\n', "occasion"),
        (HEAD + '[[decisions]]\nabout = "a"\nstep = "huge"\nreason = "b"\n', "step"),
        ("a = [", "troth.toml"),
        (HEAD + "x" * 300_000, "too large"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(TrothError) as caught:
        parse_product(text.encode())
    assert words in f"{caught.value.what} {caught.value.why}"
    assert caught.value.repair


def test_a_product_is_told_apart_from_an_algorithm() -> None:
    with pytest.raises(TrothError) as caught:
        parse_project(HEAD.encode())
    assert caught.value.repair == "run troth release check"


@given(st.binary(max_size=200))
def test_no_document_is_read_by_half(document: bytes) -> None:
    try:
        parse_product(document)
    except TrothError as error:
        assert error.what


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("src", "src/a/b.py", True),
        ("src/", "src/a.py", True),
        ("src", "srcs/a.py", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/a/b.py", False),
        ("**/tests", "a/b/tests/c.py", True),
        ("**/tests", "tests/c.py", True),
        ("docs/**/*.md", "docs/a.md", True),
        ("docs/**/*.md", "docs/a/b.md", True),
        ("docs/**/*.md", "docs/a/b.txt", False),
        ("a?.txt", "ab.txt", True),
        ("a.b", "aXb", False),
        (".", "anything", True),
    ],
)
def test_patterns_mean_files(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern if pattern != "." else "", path) is expected


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "shop"', 'name = "shop x"', "'shop x' is not a name for a product"),
        ('name = "shop"', 'name = "shop"\nversoin = "1.0.0"', "did you mean version? Else take versoin out"),
        ('owner = "ada"', 'ownr = "ada"', "did you mean owner by ownr?"),
        ('[product]', '[note]\nkind = "commits"\n[product]', "did you mean notes? Else take note out"),
    ],
)  # fmt: skip
def test_what_is_spelt_wrongly_is_told_what_is_alike(old: str, new: str, words: str) -> None:
    with pytest.raises(TrothError) as caught:
        parse_product(HEAD.replace(old, new).encode())
    assert words in f"{caught.value.what} {caught.value.repair}"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('[algorithm]\nownr = "ada"\nname = "count"\n', "did you mean owner?"),
        ('[algorithm]\nowner = "ada"\nname = "count"\n[permission]\n', "did you mean permissions?"),
    ],
)
def test_so_it_is_of_an_algorithm(document: str, words: str) -> None:
    with pytest.raises(TrothError) as caught:
        parse_project(document.encode())
    assert words in caught.value.repair


def test_a_name_without_an_owner_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("call", "why"):
        assert execute([verb, "count", *(["x"] if verb == "call" else [])]) == 2
        assert "write OWNER/count" in capsys.readouterr().err
