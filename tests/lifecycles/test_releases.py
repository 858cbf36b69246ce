"""APIs that follow a product: what they ask of its releases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.products.conftest import Shop, new_shop
from tests.server import RunningServer


@pytest.fixture
def shop(server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    """A product with a release 1.0.0, whose API has v1, deprecated in it, and v2."""
    found = new_shop(server, tmp_path, capsys)
    released(found, "1.0.0", {"api/v1/orders.html": "<p>orders", "api/v2/orders.html": "<p>orders"})
    found.client.command("create_api", api=api(found), product=found.subject)
    for command, version in (
        ("create_api_version", "v1"), ("graduate_api", "v1"), ("create_api_version", "v2"), ("graduate_api", "v2"),
    ):  # fmt: skip
        found.client.command(command, api=api(found), api_version=version, release="1.0.0")
    return found


def api(shop: Shop) -> str:
    return f"{shop.owner}/{shop.name}_api"


def released(shop: Shop, version: str, pages: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """What came of cutting a release with these pages."""
    files: dict[str, str | None] = {f"docs/{path}": text for path, text in pages.items()}
    files |= {"docs/index.html": "<h1>shop</h1>\n", f"changes/{version}.fix.md": "a fix\n"}
    shop.commit(version, files)
    return shop.cut()


@pytest.mark.clause("PDB-35")
@pytest.mark.clause("PDB-39")
def test_an_x_release_serves_and_documents_nothing_that_is_overdue(shop: Shop) -> None:
    old = {"api/v1/orders.html": "<p>orders", "api/v2/orders.html": "<p>orders"}
    code, problem = released(shop, "2.0.0", old)
    assert (code, problem["clauses"], problem["found"]) == (3, ["PDB-35"], ["v1"])
    shop.client.command("retire_api", api=api(shop), api_version="v1", release="2.0.0")
    code, problem = shop.cut()
    assert (code, problem["clauses"], problem["found"]) == (3, ["PDB-39"], ["api/v1/orders.html"])
    shop.repository.commit({"docs/api/v1/orders.html": None}, "v1 is gone")
    code, found = shop.cut()
    assert code == 0, json.dumps(found)


def test_moves_ride_on_releases_that_there_are_or_on_the_next(shop: Shop) -> None:
    code, _, err = shop.troth("api", "add", api(shop), "v3", "--release", "0.9.0")
    assert (code, "has no release 0.9.0, and 1.0.0 is released already" in err) == (3, True)
    assert shop.troth("api", "add", api(shop), "v3", "--release", "1.1.0")[0] == 0
