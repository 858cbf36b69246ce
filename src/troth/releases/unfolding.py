"""Folders of documents as contracts: each OpenAPI document, or wire format, that lies in one is a contract of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from troth.contracts.product import Product, Promised
from troth.releases.repository import Snapshot

_SINGLE: Final = ("openapi", "wire")
_DOCUMENTS: Final = (".json", ".yaml", ".yml")


def unfolded(product: Product, old: Snapshot, new: Snapshot) -> Product:
    """The product with each document of a folder of documents as a contract of its own."""
    found: list[Promised] = []
    for one in product.contracts:
        is_file = one.kind not in _SINGLE or one.path in old.leaves or one.path in new.leaves
        listed = [] if is_file else sorted({*old.below(one.path), *new.below(one.path)})
        found += [replace(one, path=path) for path in listed if path.endswith(_DOCUMENTS)] or [one]
    return replace(product, contracts=tuple(found))
