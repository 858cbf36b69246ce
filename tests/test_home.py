"""A server's home and the registry that belongs to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.doors.cli.main import execute
from troth.errors import MalformedSetting
from troth.home import Home

ELSEWHERE = "postgresql+psycopg://ada:secret@127.0.0.1/troth"


def test_a_home_whose_registry_is_a_database_gets_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that is started without the setting would else come up empty, beside everything that the home holds."""
    home = Home.open(tmp_path / "home")
    assert home.registry() == f"sqlite:///{home.root / 'registry.sqlite'}"
    assert home.registry(ELSEWHERE) == ELSEWHERE
    home.note_registry("")
    assert not list(home.root.iterdir())
    home.note_registry(ELSEWHERE)
    assert all(b"secret" not in path.read_bytes() for path in home.root.iterdir())
    monkeypatch.delenv("TROTH_DATABASE", raising=False)
    with pytest.raises(MalformedSetting, match="the setting database names none"):
        home.registry()
    for command in (["up", "--port", "0"], ["upgrade"]):
        assert execute([*command, "--home", str(home.root)]) == 2
        assert "set TROTH_DATABASE" in capsys.readouterr().err
    (home.root / "registry.elsewhere").unlink()
    assert home.registry().endswith("registry.sqlite")
