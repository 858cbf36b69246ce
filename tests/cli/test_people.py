"""`troth key` and `troth account` as people use them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.forking import forked
from tests.cli.test_cli import Troth, account
from tests.server import RunningServer


@pytest.fixture
def troth(server: RunningServer, tmp_path: Path) -> Troth:
    """Runs the command in an empty folder as a new user; `key` replaces the key."""
    surroundings, own = account(server, tmp_path)

    def run(*tokens: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
        return forked(
            tokens, folder=tmp_path, variables={**surroundings, "TROTH_KEY": own if key is None else key}, seconds=300
        )

    return run


def test_keys_from_their_making_to_their_end(server: RunningServer, troth: Troth) -> None:
    name = json.loads(troth("key", "list", "--json").stdout)["account"]
    pattern = f"algo://{name}/*"
    made = troth(
        "key",
        "create",
        name,
        "--label",
        "shop",
        "--algorithm",
        pattern,
        "--data",
        "read",
        "--production",
        "--expires",
        "2998-01-01",
    )
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert (len(key), key[:3]) == (28, "sim")
    assert f"for: calls {pattern}, data read, production; it is not shown again" in made.stderr
    listed = troth("key", "list").stdout
    assert key not in listed
    assert f"{key[:6]}..." in listed
    assert "never" in listed
    (row,) = [row for row in json.loads(troth("key", "list", "--json").stdout)["keys"] if row["label"] == "shop"]
    assert row["expires_at"] == "2998-01-01T00:00:00.000000Z"
    assert troth("key", "list", key=key).returncode == 3

    rotated = troth("key", "rotate", row["key_id"], "--grace", "3600")
    assert rotated.returncode == 0, rotated.stderr
    assert rotated.stdout.strip() not in ("", key)
    assert "the old one ends at" in rotated.stderr
    again = troth("key", "rotate", row["key_id"])
    assert (again.returncode, "rotated already" in again.stderr) == (3, True)
    assert troth("key", "revoke", row["key_id"]).returncode == 0
    assert troth("key", "revoke", row["key_id"]).returncode == 4
    floating = troth("key", "floating")
    assert (floating.returncode, "no production key called a floating reference" in floating.stderr) == (0, True)
    everything = troth("key", "create", name)
    assert everything.stderr.rstrip().endswith(f"of {name}; it is not shown again")
    assert troth("key", "list", key=everything.stdout.strip()).returncode == 0


def test_an_organisation_and_who_belongs_to_it(server: RunningServer, troth: Troth) -> None:
    house, (ben, _) = server.new_name("house"), server.account("ben")
    me = json.loads(troth("key", "list", "--json").stdout)["account"]
    assert troth("account", "organization", house).returncode == 0
    assert troth("account", "add-member", house, ben).returncode == 0
    table = troth("account", "members", house).stdout
    assert all(word in table for word in (me, "admin", ben, "member"))
    assert troth("key", "create", house, "--manage").returncode == 0
    assert [row["masked"][:3] for row in json.loads(troth("key", "list", house, "--json").stdout)["keys"]] == ["sim"]
    last = troth("account", "remove-member", house, me)
    assert (last.returncode, "last admin" in last.stderr) == (3, True)
    assert troth("account", "update", me, "--email", "me@example.org").returncode == 0
    assert troth("account", "update", me, "--external-id", "x").returncode == 3
    assert troth("account", "delete", house, "--organization").returncode == 0
    assert troth("account", "members", house).returncode == 4
    assert troth("account", "delete", ben).returncode == 3
    assert troth("account", "delete", ben, key=server.owner_key).returncode == 0
