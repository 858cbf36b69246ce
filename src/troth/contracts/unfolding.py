"""Folders of documents as contracts: each OpenAPI document, or wire format, that lies in one is a contract of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from troth.contracts.contract_facts import Files
from troth.contracts.product import Product, Promised

_SINGLE: Final = ("openapi", "wire")
_DOCUMENTS: Final = (".json", ".yaml", ".yml")


def unfolded(product: Product, old: Files, new: Files) -> Product:
    """The product with each document, on either side, of a folder of documents as a contract of its own."""
    found: list[Promised] = []
    for one in product.contracts:
        listed = sorted({*old.below(one.path), *new.below(one.path)}) if one.kind in _SINGLE else []
        documents = [path for path in listed if path != one.path and path.endswith(_DOCUMENTS)]
        found += [replace(one, path=path) for path in documents] or [one]
    return replace(product, contracts=tuple(found))
