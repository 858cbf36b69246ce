"""`/docs`: bytes as they were uploaded, to whom they may be shown, and what they may do there."""

from __future__ import annotations

import gzip

import pytest

from tests.sites.bundles import GUIDE, SHOP, Bookshop
from tests.sites.conftest import Reader


@pytest.mark.clause("PLX-06")
@pytest.mark.clause("PLX-16")
def test_every_version_is_served_byte_for_byte(shop: Bookshop, read: Reader) -> None:
    for path, content in SHOP.items():
        assert read.get(f"{shop.root}0.5.0/{path}")[2] == content
    assert read.get(f"{shop.root}0.5.0/guide/")[2] == GUIDE
    assert b"pay twice" in read.get(f"{shop.root}0.5/guide/")[2]
    assert b"pay twice" in read.get(f"{shop.root}0.5.1/guide/")[2]
    assert read.get(f"{shop.root}0.7/guide/")[0] == 404
