"""Products on each database that a registry may be in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.products.conftest import new_shop
from tests.server import running_server


def test_releases_are_kept_in_each_database(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_server(tmp_path / "home", database=database_url) as server:
        shop = new_shop(server, tmp_path, capsys)
        assert shop.cut()[0] == 0
        shop.released("0.1.1", {"changes/1.fix.md": "mended\n"})
        assert shop.troth("release", "stable", f"{shop.subject}/0.1.0")[0] == 0
        assert shop.troth("release", "yank", f"{shop.subject}/0.1.1", "--reason", "worse")[0] == 0
        assert shop.troth("release", "plan", shop.subject, "2099-01-31")[0] == 0
        token = shop.client.command("create_calendar")["token"]
        assert "0.1.0" in shop.client.product(shop.subject)["stable"]
        assert shop.subject in shop.client._http.get(f"/api/v1/calendars/{token}.ics").text
        code, out, _ = shop.troth("upgrade-plan", shop.subject, "0.1.0", "0.1.1", "--json")
        assert code == 0
        assert json.loads(out)["warnings"][0] == "0.1.1 was taken back: worse"
        assert len(shop.client.cadence(shop.subject)["planned"]) == 1
