"""A folder of wire formats, declared as one contract: the server compares each of its documents."""

from __future__ import annotations

import json

from tests.products.conftest import Shop

FORMAT = json.dumps({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False})
DECLARED = '[[contracts]]\nkind = "wire"\npath = "formats"\n\n[[migrations]]'


def commit(shop: Shop, version: str, files: dict[str, str | None]) -> None:
    declared = shop.head(version).replace("[[migrations]]", DECLARED)
    shop.repository.commit({"troth.toml": declared, **files}, f"release {version}")


def test_each_document_is_compared_by_the_server(shop: Shop) -> None:
    commit(shop, "1.0.0", {"formats/order/1.json": FORMAT, "formats/order/2.json": FORMAT})
    assert shop.cut()[0] == 0
    commit(shop, "1.1.0", {"formats/order/3.json": FORMAT})
    code, found = shop.cut()
    assert code == 0, found
    assert "formats/order/3.json" in json.dumps(found["verdict"])
    commit(shop, "1.2.0", {"formats/order/1.json": None})
    code, found = shop.cut()
    assert (code, found["code"]) == (3, "refused"), found
    assert "the contract is gone" in found["why"]
