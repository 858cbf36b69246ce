"""The sample product in `examples/shop`, taken through its releases as somebody would who maintains it."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.releases.product import Repository, askings

BUNDLE = ROOT / "examples" / "shop" / "shop.bundle"
RECORD = '<testsuite><testcase name="orders"/><testcase name="items"/></testsuite>'


def heads(bundle: Path) -> list[str]:
    """Every name in a bundle, and the commit that it means."""
    done = subprocess.run(["git", "bundle", "list-heads", str(bundle)], capture_output=True, text=True, check=True)
    return sorted(line for line in done.stdout.splitlines() if not line.endswith(" HEAD"))


@pytest.fixture
def product(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Repository:
    """A clone of the sample product."""
    folder = tmp_path / "shop"
    subprocess.run(["git", "clone", "--quiet", str(BUNDLE), str(folder)], check=True)
    return Repository(folder, capsys)


def test_the_bundle_is_what_the_script_makes(tmp_path: Path) -> None:
    code = f"from make_history import main; from pathlib import Path; main(Path({str(tmp_path / 'made.bundle')!r}))"
    subprocess.run([sys.executable, "-B", "-c", code], cwd=BUNDLE.parent, check=True)
    assert heads(tmp_path / "made.bundle") == heads(BUNDLE)
    assert sum("refs/tags/v" in line for line in heads(BUNDLE)) == 5


def test_every_release_was_legal_when_it_was_made(product: Repository) -> None:
    """Each judged beside the one before it, as it was on the day."""
    numbers = ["0.9.0", "1.0.0", "1.0.1", "1.1.0", "1.2.0"]
    found = []
    for former, number in pairwise(numbers):
        product.git("switch", "--quiet", "--detach", f"v{number}")
        product.git("tag", "--delete", f"v{number}")
        code, verdict = product.check("--base", f"v{former}")
        found.append((verdict["number"], code, verdict["step"]))
        product.git("tag", f"v{number}")
    assert found == [("1.0.0", 0, "patch"), ("1.0.1", 0, "patch"), ("1.1.0", 0, "minor"), ("1.2.0", 0, "minor")]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def where(request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """The database on which migrations are proved, and the options that name it."""
    if request.param == "SQLite":
        return request.param, []
    address: str = request.getfixturevalue("postgres")
    return request.param, ["--database", address.replace("postgresql+psycopg://", "postgresql://")]


def test_a_patch_with_a_migration_is_refused_and_a_proved_minor_is_ready(
    product: Repository, where: tuple[str, list[str]]
) -> None:
    product.git("switch", "--quiet", "indexed")
    code, verdict = product.check("--patch")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-08"], "1.3.0")
    for infrastructure in ("laptop", "cluster"):
        record = product.folder / "records" / infrastructure / "tests.xml"
        record.parent.mkdir(parents=True)
        record.write_text(RECORD)
    code, verdict = product.check("--minor", "--prove-migrations", "--complete", *where[1])
    assert (code, verdict["outcome"], verdict["number"]) == (0, "allowed", "1.3.0")
    assert [(path["from"], path["also"], path["outcome"]) for path in verdict["paths"]] == [
        ("1.0.1", ["0.9.0", "1.0.0"], "passed"),
        ("1.1.0", [], "passed"),
        ("1.2.0", [], "passed"),
    ]
    assert {path["database"] for path in verdict["paths"]} == {where[0]}
    assert [[one["id"] for one in path["times"]] for path in verdict["paths"]] == [
        ["0002", "0003", "0004"],
        ["0003", "0004"],
        ["0004"],
    ]


REFUSAL = {"SQLite": "NOT NULL constraint failed", "PostgreSQL": "contains null values"}


def test_a_migration_that_fails_on_rows_only_is_refused(product: Repository, where: tuple[str, list[str]]) -> None:
    product.git("switch", "--quiet", "sized")
    assert product.check("--minor")[0] == 0
    code, verdict = product.check("--minor", "--prove-from", "1.2.0", *where[1])
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-09"], None)
    assert "runs on empty tables and fails on rows" in verdict["paths"][0]["words"]
    assert REFUSAL[where[0]] in verdict["paths"][0]["words"]


def test_major_functionality_is_a_major(product: Repository) -> None:
    product.git("switch", "--quiet", "warehouses")
    code, verdict = product.check("--minor")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-10"], "2.0.0")
    assert ("PLX-10", "major") in askings(verdict)
    assert product.check("--major")[0] == 0


def test_a_break_of_the_beta_component_is_a_minor(product: Repository) -> None:
    reports = (product.folder / "reports" / "daily.py").read_text()
    product.commit({"reports/daily.py": reports.replace("most: int = 10", "most: int, longest: int")})
    code, verdict = product.check("--patch")
    assert (code, verdict["least"]) == (3, "1.3.0")
    assert "PLX-18" in verdict["clauses"]


def test_the_shop_takes_orders(product: Repository) -> None:
    code = (
        "import io, json\n"
        "from shop import application as shop\nfrom shop.tables import metadata\n"
        "metadata.create_all(shop.engine)\n"
        "def ask(method, body=b''):\n"
        "    given = {'PATH_INFO': '/orders', 'REQUEST_METHOD': method, 'wsgi.input': io.BytesIO(body),"
        " 'CONTENT_LENGTH': str(len(body))}\n"
        "    return json.loads(b''.join(shop.application(given, lambda *_: None)))\n"
        "assert ask('POST', b'{\"customer\": \"ada\"}') == {'id': 1, 'customer': 'ada'}\n"
        "assert ask('GET') == [{'id': 1, 'customer': 'ada'}]\n"
    )
    environment = {"DATABASE_URL": f"sqlite:///{product.folder}/shop.sqlite"}
    subprocess.run([sys.executable, "-c", code], cwd=product.folder, env=environment, check=True)
