"""The sample product in `examples/shop` on a server: five releases, one taken back, and the upgrade from first to last."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.releases.product import Repository
from tests.server import RunningServer, running_server
from troth.doors.cli.main import execute

BUNDLE = ROOT / "examples" / "shop" / "shop.bundle"
RECORD = '<testsuite><testcase name="orders"/></testsuite>'


def test_the_sample_product_goes_from_first_to_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shop"
    subprocess.run(["git", "clone", "--quiet", str(BUNDLE), str(folder)], check=True)
    repository = Repository(folder, capsys)
    for infrastructure in ("laptop", "cluster"):
        record = folder / "records" / infrastructure / "tests.xml"
        record.parent.mkdir(parents=True)
        record.write_text(RECORD)
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<h1>shop</h1>")
    with running_server(tmp_path / "home") as server:
        server.owner.command("create_account", name="ada")
        key = tmp_path / "key"
        key.write_text(server.owner.command("create_key", account="ada")["key"])
        server.client(key.read_text()).command("create_product", product="ada/shop")

        def troth(*tokens: str) -> tuple[int, dict[str, object]]:
            repository.capture.readouterr()
            code = execute([*tokens, "--server", server.address, "--key-file", str(key), "--json"])
            return code, json.loads(repository.capture.readouterr().out)

        for number in ("0.9.0", "1.0.0", "1.0.1", "1.1.0", "1.2.0"):
            repository.git("switch", "--quiet", "--detach", f"v{number}")
            code, found = troth("release", "cut", "--project", str(folder), "--docs", str(site))
            assert (code, found.get("number"), found.get("tagged")) == (0, number, False), found
        check(server, troth("upgrade-plan", "ada/shop", "0.9.0", "1.2.0")[1])
        assert troth("release", "yank", "ada/shop/1.1.0", "--reason", "items are lost")[0] == 0
        _, found = troth("upgrade-plan", "ada/shop", "0.9.0")
        assert [one["yanked"] for one in found["releases"]] == ["", "", "items are lost", ""]  # type: ignore[attr-defined]
        assert "1.1.0" not in found["stops"]  # type: ignore[operator]


def check(server: RunningServer, found: dict[str, object]) -> None:
    """The plan has each migration once, in order, and says what was proved."""
    told = json.loads(json.dumps(found))
    assert [one["release"] for one in told["migrations"]] == ["1.1.0", "1.2.0"]
    assert [one["number"] for one in told["releases"]] == ["1.0.0", "1.0.1", "1.1.0", "1.2.0"]
    assert {one["standing"] for one in told["jumps"]} <= {"proved", "nothing to migrate"}
    assert [(one["component"], one["to"]) for one in told["maturities"]] == [("reports", "beta")]
    assert told["measured"]
