"""The pairs of openapi/*.ndjson: well made, over every object of the specification, and as the claims say."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.collections.make_openapi import HERE, made

OBJECTS = {
    "info", "server", "server variable", "components", "paths", "path item", "operation", "externalDocs", "parameter in query",
    "parameter in header", "parameter in path", "parameter in cookie", "parameter style", "parameter allowReserved", "request body",
    "media type", "encoding", "responses", "response", "callback", "webhook", "link", "header", "tags", "$ref", "discriminator", "xml",
    "security scheme", "oauth flows", "security requirement", "readOnly", "writeOnly", "schema in request body", "schema in response",
    "schema in query parameter", "schema in response header", "request property", "response property", "extensions",
}  # fmt: skip


def collection() -> list[dict[str, Any]]:
    return [
        json.loads(text)
        for path in sorted((HERE / "openapi").glob("*.ndjson"))
        for text in path.read_text().splitlines()
    ]


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def demands(document: dict[str, Any]) -> Iterator[str]:
    holders = [document, *(op for item in document["paths"].values() for op in item.values() if isinstance(op, dict))]
    for holder in holders:
        for requirement in holder.get("security", []):
            yield from requirement


def test_the_files_are_what_the_claims_say() -> None:
    for family, rows in made().items():
        assert [
            json.loads(text) for text in (HERE / "openapi" / f"{family}.ndjson").read_text().splitlines()
        ] == rows, family


def test_lines_are_well_made() -> None:
    rows = collection()
    assert len(rows) >= 200
    assert max(Counter(row["id"] for row in rows).values()) == 1
    assert {row["label"] for row in rows} == {"compatible", "breaking"}
    assert {row.get("level_detail") for row in rows if row["label"] == "breaking"} == {None}
    assert sum(row.get("doubtful", False) for row in rows) <= 10
    assert OBJECTS - {row["object"] for row in rows} == set()


def test_documents_hold_what_they_refer_to() -> None:
    for row in collection():
        for document in (row["old"], row["new"]):
            if isinstance(document, dict):
                for reference in references(document):
                    place = document
                    for step in reference.removeprefix("#/").split("/"):
                        place = place[step]
                schemes = document.get("components", {}).get("securitySchemes", {})
                assert set(demands(document)) <= set(schemes), row["id"]


def test_no_pair_has_two_labels() -> None:
    labels = defaultdict(set)
    for row in collection():
        labels[json.dumps([row["old"], row["new"]], sort_keys=True)].add(row["label"])
        if row["old"] == row["new"]:
            assert row["label"] == "compatible", row["id"]
    assert [pair for pair, given in labels.items() if len(given) > 1] == []
