"""What an API may follow, what its documentation may be, and what was dropped and is made anew."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.lifecycles.conftest import Keeper
from tests.server import RunningServer
from troth.errors import Forbidden, Malformed, Refused
from troth.sdk import Client


def member(server: RunningServer, admin: Client, organization: str, role: str) -> tuple[str, Client]:
    """A new user with a role in an organisation."""
    name, client = server.account("bob")
    admin.command("add_member", organization=organization, account=name, role=role)
    return name, client


def test_only_apis_of_members_follow_a_public_product(server: RunningServer) -> None:
    _, admin = server.account("ada")
    organization = server.organization(admin)
    product = f"{organization}/{server.new_name('shop')}"
    admin.command("create_product", product=product, public=True)
    eve, stranger = server.account("eve")
    assert stranger.product(product)["product"] == product  # which she may know of
    api = f"{eve}/{server.new_name('orders')}"
    with pytest.raises(Forbidden):
        stranger.command("create_api", api=api, product=product, public=True)
    assert stranger.command("create_api", api=api, public=True)["product"] is None  # nothing was left of the first
    bob, insider = member(server, admin, organization, "member")
    for owner, client in ((bob, insider), (organization, insider), (organization, admin)):
        api = f"{owner}/{server.new_name('orders')}"
        assert client.command("create_api", api=api, product=product)["product"] == product
        assert client.api(api)["product"] == product


def _said(keeper: Keeper) -> tuple[Any, Any]:
    """What everybody is told of the API, and where it is listed."""
    states = httpx2.get(f"{keeper.server.address}/api/v1/apis/{keeper.api}/states", timeout=30)
    listed = httpx2.get(f"{keeper.server.address}/api/v1/apis", timeout=30)
    assert (states.status_code, listed.status_code) == (200, 200)
    return states.json(), next(row for row in listed.json()["apis"] if row["api"] == keeper.api)


@pytest.mark.parametrize("has_version", [True, False], ids=["with a version", "without one"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n", " ", "\u00e4"], ids=repr)
def test_documentation_that_no_header_can_name_is_refused_and_changes_nothing(
    keeper: Keeper, ending: str, has_version: bool
) -> None:
    keeper.client.command("update_api", api=keeper.api, documentation="https://a.example/former")
    if has_version:
        keeper.made("add", "v1", "--release", "1.0.0")
    before = _said(keeper)
    with pytest.raises(Malformed):
        keeper.client.command("update_api", api=keeper.api, documentation=f"https://a.example/{ending}")
    assert _said(keeper) == before
    assert keeper.client.api(keeper.api)["documentation"] == "https://a.example/former"
    with pytest.raises(Malformed):
        keeper.client.command("create_api", api=f"{keeper.api}2", documentation=f"https://a.example/{ending}")
    keeper.client.command("update_api", api=keeper.api, documentation="https://a.example/later")
    assert keeper.client.api(keeper.api)["documentation"] == "https://a.example/later"


@pytest.mark.clause("PDB-04")
@pytest.mark.clause("PDB-27")
def test_what_was_dropped_and_is_made_anew_begins_again(keeper: Keeper) -> None:
    keeper.made("add", "v1", "--release", "1.0.0")
    keeper.made("drop", "v1", "--release", "1.1.0")
    assert keeper.states() == {}
    with pytest.raises(Refused) as caught:
        keeper.client.command("create_api_version", api=keeper.api, api_version="v1", release="1.2.0")
    assert caught.value.clauses == ("PDB-04",)
    keeper.made("decide", "v1 again", "--allow", "--reason", "nobody ever called it")
    assert keeper.made("add", "v1", "--release", "1.2.0")["states"]["versions"] == [
        {"number": 1, "state": "experimental", "since": "1.2.0"}
    ]
    assert keeper.states() == {"v1": "experimental"}
    keeper.made("graduate", "v1", "--release", "1.3.0")
    assert keeper.states() == {"v1": "current"}
    (told,) = keeper.client.api(keeper.api)["versions"]
    assert (told["state"], told.get("dropped_in")) == ("current", None)


@pytest.mark.clause("PDB-27")
def test_what_was_made_anew_is_dropped_like_any_other(keeper: Keeper) -> None:
    for release in ("1.0.0", "2.0.0"):
        keeper.made("add", "v1", "--release", release)
        assert keeper.states() == {"v1": "experimental"}
        keeper.made("drop", "v1", "--release", release.replace(".0.0", ".1.0"))
        assert keeper.states() == {}
        keeper.made("decide", "v1 again", "--allow", "--reason", "nobody ever called it")
    (told,) = keeper.client.api(keeper.api)["versions"]
    assert told["dropped_in"] == "2.1.0"
