"""Floating references of an application: reported, and locked to what they mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.author import Author, author_of
from tests.server import RunningServer
from troth.doors.cli.main import execute
from troth.sdk.application import uses

FLOATING = [
    'client.algo("util/echo/0.2").pipe(1)',
    "client.call('util/echo', 1)",
    'client.call(\n    "util/echo/latest", 1)',
    "url = 'http://host/v1/algo/util/echo/1.*?timeout=3'",
    "x = algo://util/echo/latestPrivate",
    "Algorithmia.client(k).algo(`util/echo/1.2.*`)",
    "troth call util/echo/0.2 hello",
    'subprocess.run(["troth", "call", "util/echo"])',
]
STILL = [
    'client.algo("util/echo/0.2.1")',
    'client.algo("util/echo/57f9098cb1c0a4d3e2f1b0c9d8e7f6a5b4c3d2e1")',
    'client.algo("util/echo/" + version)',
    'client.algo(f"util/{name}/0.2")',
    'subprocess.call("bin/run")',
    'kind = "text/plain"',
    'image = "python/cpython/3.12"',
]


def lines_of(path: Path, text: str) -> list[tuple[int, str, bool]]:
    """(line, text, floats) of the uses in a file that holds `text`."""
    path.write_text(text)
    return [(use.line, use.text, use.floats) for use in uses([path])]


@pytest.mark.parametrize("code", FLOATING)
def test_a_floating_reference_is_found_at_its_line(code: str, tmp_path: Path) -> None:
    ((line, _, floats),) = lines_of(tmp_path / "app.py", f"first\n{code}\n")
    assert (line, floats) == (2 + code.count("\n"), True)


@pytest.mark.parametrize("code", STILL)
def test_what_cannot_move_or_is_no_reference_is_not_reported(code: str, tmp_path: Path) -> None:
    assert [use for use in lines_of(tmp_path / "app.py", code) if use[2]] == []


@pytest.mark.clause("ALG-14")
@pytest.mark.clause("ALG-20")
def test_an_application_is_linted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text('call("x")\nalgo("util/echo/0.2")\nalgo("util/echo/0.2.1")\n')
    (tmp_path / "more.yaml").write_text("a: algo://util/echo\nb: algo://util/echo/0.2.x\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "old.py").write_text('algo("util/echo/0.2")')
    (tmp_path / "picture.png").write_bytes(b"\xff algo://util/echo")
    assert execute(["lint", str(tmp_path)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{tmp_path}/app.py:2:7: util/echo/0.2 floats: it follows the newest revision of a line (ALG-14)"
    assert told[1] == f"{tmp_path}/more.yaml:1:11: util/echo floats: it follows the highest public version (ALG-20)"
    assert told[2].startswith(f"{tmp_path}/more.yaml:2:11: util/echo/0.2.x is not a reference")
    assert len(told) == 3
    assert execute(["lint", str(tmp_path), "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith(
        f"::warning file={tmp_path}/app.py,line=2,title=ALG-14::util/echo/0.2 floats"
    )
    assert execute(["lint", str(tmp_path / "app.py"), "--json"]) == 1
    assert [use["line"] for use in json.loads(capsys.readouterr().out)] == [2]


def test_complete_versions_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text('algo("util/echo/0.2.1")\n')
    assert execute(["lint", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    assert execute(["lint", str(tmp_path / "gone")]) == 2


@pytest.fixture
def author(server: RunningServer, tmp_path: Path) -> Author:
    """A new account with a home."""
    return author_of(server, tmp_path / "home")


def test_a_lock_holds_until_a_floating_reference_moves(author: Author) -> None:
    algorithm, folder = author.project(permissions={"visibility": "public"})
    first = author.answered("publish", "--minor", str(folder))
    app = author.home / "app"
    app.mkdir()
    (app / "app.py").write_text(
        f'algo("{algorithm}/0.1")\nalgo("{algorithm}/0.1.0")\nalgo("{algorithm}/{first["hash"]}")\n'
    )
    author.answered("lock", "--check", str(app), code=2)
    author.answered("lock", str(app))
    locked = json.loads((app / "troth.lock").read_text())["references"]
    (row,) = author.client.versions(algorithm)["versions"]
    exact = {"version": "0.1.0", **{name: row[name] for name in ("source", "environment", "contract")}}
    assert locked == {
        f"{algorithm}/0.1": exact,
        f"{algorithm}/0.1.0": exact,
        f"{algorithm}/{first['hash']}": {"version": first["hash"]},
    }
    assert author.answered("lock", "--check", str(app))["unused"] == []

    (folder / "more").write_text("more")
    author.answered("publish", "--revision", str(folder))
    refused = author.answered("lock", "--check", str(app), code=3)
    (moved,) = refused["found"]
    assert moved == {
        "kind": "moved",
        "reference": f"{algorithm}/0.1",
        "words": f"{algorithm}/0.1 moved from 0.1.0 to 0.1.1",
    }
    author.answered("lock", str(app))
    (app / "app.py").write_text(f'algo("{algorithm}/0.1")\n')
    assert author.answered("lock", "--check", str(app))["unused"] == [
        f"{algorithm}/0.1.0",
        f"{algorithm}/{first['hash']}",
    ]
    (app / "app.py").write_text(f'algo("{algorithm}")\n')
    (missing,) = [
        one for one in author.answered("lock", "--check", str(app), code=3)["found"] if one["kind"] != "unused"
    ]
    assert missing["kind"] == "missing"
    (app / "app.py").write_text('\nalgo("nobody/nothing")\n')
    done = author.troth("lock", str(app))
    assert done.returncode == 4
    assert "app.py:2" in done.stderr
