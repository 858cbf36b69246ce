"""Clauses that the query language keeps."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.server import RunningServer
from troth.queries.entities import ENTITIES


@pytest.mark.clause("ALG-25")
def test_no_query_finds_a_private_version_for_strangers(server: RunningServer, tmp_path: Path) -> None:
    name, ada = server.account("ada")
    _, sam = server.account("sam")
    subject, commit = server.build(tmp_path, name, ada)
    ada.publish(subject, commit, bump="minor", visibility="private")
    owned = f'owner = "{name}"'
    assert [row["version"] for row in ada.query("versions", owned)["rows"]] == ["0.1.0"]
    assert sam.query("versions", owned, include_total=True) == {"rows": [], "next": None, "total": 0}
    assert sam.query("versions", f"select count(), max(version) where {owned}")["rows"] == [
        {"count": 0, "max_version": None}
    ]
    assert sam.query("algorithms", owned)["rows"] == []
    assert sam.query("builds", owned)["rows"] == []
    inside = f"algorithm in (select algorithm from versions where {owned})"
    assert sam.query("algorithms", inside)["rows"] == []


@pytest.mark.clause("PDB-16")
@pytest.mark.clause("PDB-25")
def test_the_document_of_the_api_lists_every_operator(server: RunningServer) -> None:
    """So that the checker of contracts sees one that is new, and one whose meaning changed."""
    document = httpx2.get(f"{server.address}/api/v1/openapi.json").json()
    for entity in ENTITIES:
        parameters = {one["name"]: one for one in document["paths"][f"/api/v1/query/{entity}"]["get"]["parameters"]}
        operators = parameters["query"]["x-operators"]
        assert {"=", "in", "and", "or", "not", "null?"} <= set(operators)
        assert all(means.endswith(".") for means in operators.values())
