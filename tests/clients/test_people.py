"""The Python client 2.0.5, as it is, makes users and organisations (algorithmia-api, section 11)."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Connect
from tests.clients.python import PythonClient, Raised
from tests.server import RunningServer


@pytest.fixture(scope="module")
def administrator(server: RunningServer, connect: Connect) -> PythonClient:
    return connect(server.owner_key)


@pytest.mark.digest("11 create_user", "11 user_errors")
def test_a_user_is_made(server: RunningServer, administrator: PythonClient) -> None:
    name = server.new_name("user")
    asked = {"username": name, "email": f"{name}@example.org", "passwordHash": "x", "shouldCreateHello": True}
    made = administrator("", "create_user", asked)
    assert (made["username"], made["email"], made["resource_type"]) == (name, f"{name}@example.org", "user")
    assert administrator("", "get_user_errors", name) == []
    with pytest.raises(Raised, match="is taken"):
        administrator("", "create_user", asked)


@pytest.mark.digest("11 types", "11 create", "11 get", "11 put", "11 members", "11 errors", "3.3 put")
def test_an_organisation_from_its_making_to_its_members(server: RunningServer, administrator: PythonClient) -> None:
    assert [kind["name"] for kind in administrator("", "get_org_types")] == ["basic", "legacy", "pro"]
    name, (member, _) = server.new_name("House"), server.account("guest")
    asked = {"org_name": name, "org_label": "The house", "org_contact_name": "ada", "org_email": "ada@example.org",
             "org_url": "https://example.org", "type_id": "basic"}  # fmt: skip
    made = administrator("", "create_org", dict(asked))
    assert (made["org_name"], made["org_label"], made["resource_type"]) == (name, "The house", "organization")
    assert administrator("", "get_org", name) == made
    edited = administrator("", "edit_org", name, {**asked, "org_label": "Another label"})
    assert edited == {"status": 204, "text": ""}
    assert administrator("", "get_org", name)["org_label"] == "Another label"
    assert administrator("", "invite_to_org", name, member) == {"status": 200, "text": ""}
    assert administrator("", "get_organization_errors", name) == []
    assert "error" in administrator("", "get_org", "neverWas")
