"""Users, organisations and roles: under `/v1`, through commands, and as the table of section 15.3 of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.server import RunningServer
from troth.errors import Forbidden, LastAdmin, NotFound, Refused, TrothError
from troth.sdk import Client


class Http:
    """Raw requests in the name of one key."""

    def __init__(self, server: RunningServer, key: str) -> None:
        self.address, self.headers = server.address, {"Authorization": f"Simple {key}"}

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        address = path if path.startswith("http") else f"{self.address}{path}"
        return httpx2.request(method, address, headers=self.headers, timeout=60, **options)

    def done(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        reply = self.request(method, path, **options)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content else None

    def refused(self, method: str, path: str, status: int, number: int, **options: Any) -> str:
        """The words of a refusal, which has both shapes."""
        found = self.done(method, path, status, **options)
        assert found["error"]["code"] == found["code"] == number, found
        return str(found["message"])


@pytest.fixture(scope="module")
def admin(server: RunningServer) -> Http:
    return Http(server, server.owner_key)


def http(server: RunningServer, name: str) -> Http:
    return Http(server, server.keys[name])


def test_a_user_from_first_to_last(server: RunningServer, admin: Http) -> None:
    name = server.new_name("user")
    made = admin.done("POST", "/v1/users", json={"username": name, "email": "a@b.c", "fullname": "A. B."})
    assert made["resource_type"] == "user"
    assert made["self_link"] == f"{server.address}/v1/users/{name}"
    assert admin.done("GET", f"/v1/users/{name}") == made
    assert admin.done("GET", f"/v1/users/{made['id']}") == made
    changed = admin.done("PUT", f"/v1/users/{name}", json={"company_name": "C", "fullname": ""})
    assert changed == {**made, "company_name": "C", "fullname": ""}
    key = admin.done(
        "POST", f"/v1/users/{name}/keys", json={"key_label": "k", "permissions": {"algo_acl": ["algo://*"]}}
    )["api_key"]
    own = Http(server, key)
    assert own.done("GET", f"/v1/users/{name}") == changed
    assert own.done("GET", f"/v1/users/{name}/errors") == []
    assert admin.request("DELETE", f"/v1/users/{name}").status_code == 204
    admin.refused("GET", f"/v1/users/{name}", 404, 3000)
    own.refused("GET", f"/v1/users/{name}", 401, 2002)
    assert "is taken" in admin.refused("POST", "/v1/users", 400, 3003, json={"username": name})


def test_an_organisation_from_first_to_last(server: RunningServer) -> None:
    ada, _ = server.account("ada")
    ben, ben_client = server.account("ben")
    mine, his = http(server, ada), http(server, ben)
    types = mine.done("GET", "/v1/organization/types")
    assert [kind["name"] for kind in types] == ["basic", "legacy", "pro"]
    name = server.new_name("Org")
    body = {
        "org_name": name,
        "org_label": "L",
        "org_contact_name": "c",
        "org_email": "e@f",
        "type_id": types[2]["id"],
        "external_id": name,
    }
    made = mine.done("POST", "/v1/organizations", json=body)
    assert {key: made[key] for key in body} == body
    for path in (name, made["id"], f"externalId/{name}"):
        assert mine.done("GET", f"/v1/organizations/{path}") == made
        his.refused("GET", f"/v1/organizations/{path}", 404, 3100)
    assert mine.done("PUT", f"/v1/organizations/{name}", 204, json={"org_label": "M"}) is None
    assert mine.done("GET", f"/v1/organizations/{name}")["org_label"] == "M"
    assert mine.done("PUT", f"/v1/organizations/{name}/members/{ben}", content=b"") is None
    members = mine.done("GET", f"/v1/organizations/{name}/members")
    assert [(row["username"], row["role"], row["resource_type"]) for row in members["results"]] == [
        (ada, "owner", "organization_member"), (ben, "member", "organization_member"),
    ]  # fmt: skip
    assert his.done("GET", f"/v1/organizations/{name}")["org_label"] == "M"
    assert [row["org_name"] for row in his.done("GET", "/v1/organizations")["results"]] == [name]
    his.refused("PUT", f"/v1/organizations/{name}", 403, 2001, json={"org_label": "N"})
    his.refused("DELETE", f"/v1/organizations/{name}/members/{ada}", 403, 2001)
    assert "last admin" in mine.refused("DELETE", f"/v1/organizations/{name}/members/{ada}", 400, 3102)
    assert mine.done("PUT", f"/v1/organizations/{name}/members/{ben}", json={"role": "owner"}) is None
    assert mine.done("PUT", f"/v1/organizations/{name}/members/{ben}") is None  # without a role it stays what it is
    assert mine.done("DELETE", f"/v1/organizations/{name}/members/{ada}", 204) is None
    mine.refused("GET", f"/v1/organizations/{name}/members", 404, 3100)
    assert his.done("DELETE", f"/v1/organizations/{name}", 204) is None
    his.refused("GET", f"/v1/organizations/{name}", 404, 3100)
    assert "is taken" in his.refused("POST", "/v1/organizations", 400, 3101, json={"org_name": name})
    with pytest.raises(Forbidden):
        ben_client.command("create_key", account=name)


@pytest.mark.parametrize(
    ("method", "path", "body", "number"),
    [
        ("POST", "users", b"{", 3001), ("POST", "users", b"[]", 3001), ("POST", "users", b'{"username": 1}', 3001),
        ("POST", "users", b"{}", 3005), ("POST", "users", b'{"username": "a-b"}', 6001), ("POST", "users", b'{"username": "admin"}', 3003),
        ("POST", "users", b'{"username": "a\\u0000b"}', 6001), ("POST", "users", b'\xff', 3001),
        ("POST", "users", b'{"username": "abcdefg", "email": "a\\u0000b"}', 6001),
        ("POST", "organizations", b"{", 3103), ("POST", "organizations", b"{}", 3103), ("POST", "organizations", b'{"org_name": "1abc"}', 3103),
        ("POST", "organizations", b'{"org_name": "abcdefg", "type_id": "x"}', 3103),
        ("POST", "organizations", b"[" * 100_000, 3103),
        ("PUT", "users/owner", b'{"username": "other"}', 3007), ("PUT", "users/owner", b'{"email": "new@x.y"}', 3008),
        ("POST", "users/owner/keys", b'{"key_type": "Other"}', 6001), ("POST", "users/owner/keys", b'{"permissions": {"algo_acl": ["x"]}}', 6001),
        ("POST", "users/owner/keys", b'{"permissions": {"referer_host": "https://x"}}', 6001),
    ],
)  # fmt: skip
def test_bodies_that_do_not_fit(admin: Http, method: str, path: str, body: bytes, number: int) -> None:
    admin.refused(method, f"/v1/{path}", 400, number, content=body)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=-1", "marker=x", "marker=WzEsMiwzXQ"])
def test_pages_that_are_none(admin: Http, query: str) -> None:
    for path in ("users", "organizations"):
        admin.refused("GET", f"/v1/{path}?{query}", 400, 5003 if "limit" in query else 5002)


def test_lists_come_in_pages(server: RunningServer, admin: Http) -> None:
    wanted = {server.account("listed")[0] for _ in range(5)}
    seen: list[str] = []
    link: str | None = "/v1/users?limit=2"
    while link:
        found = admin.done("GET", link)
        assert len(found["results"]) <= 2
        seen += [row["username"] for row in found["results"]]
        link = found["next_link"]
        assert (found["marker"] is None) == (link is None)
    assert wanted <= set(seen)
    assert len(seen) == len(set(seen))
    assert "troth" not in seen


def test_keys_as_clients_make_them(server: RunningServer, admin: Http) -> None:
    name, _ = server.account("owner")
    own = http(server, name)
    given = {"allow_data": True, "allow_data_write": True, "allow_algo": True, "allow_web_algo": True, "allow_algo_management": True,
             "referer_host": "App.example.org", "algo_acl": ["algo://foo/bar"]}  # fmt: skip
    made = own.done(
        "POST", f"/v1/users/{name}/keys", json={"key_label": "l", "key_type": "ManagementKey", "permissions": given}
    )
    assert made["permissions"] == {**given, "referer_host": "app.example.org"}
    assert made["api_key"].startswith("sim")
    assert len(made["api_key"]) == 28
    assert made["api_key_mask"] == f"{made['api_key'][:6]}..."
    nothing = own.done("POST", f"/v1/users/{name}/keys", json={})["permissions"]
    assert (nothing["algo_acl"], nothing["allow_data"], nothing["allow_algo_management"]) == ([], False, False)
    own.refused("POST", f"/v1/users/{name}/keys", 400, 6001, json={"key_type": "PlatformAdminKey"})
    assert Http(
        server, admin.done("POST", "/v1/users/owner/keys", json={"key_type": "PlatformAdminKey"})["api_key"]
    ).done("GET", "/v1/users")
    own.refused("POST", "/v1/users/owner/keys", 404, 3000, json={})


@pytest.mark.clause("ALG-25")
def test_others_are_not_known_to_a_user(server: RunningServer) -> None:
    name, _ = server.account("curious")
    own, (other, _) = http(server, name), server.account("other")
    for method, path in (
        ("GET", "/v1/users/{}"),
        ("GET", "/v1/users/{}/errors"),
        ("PUT", "/v1/users/{}"),
        ("POST", "/v1/users/{}/keys"),
    ):
        known = own.refused(method, path.format(other), 404, 3000, **({"json": {}} if method != "GET" else {}))
        never = own.refused(method, path.format("neverWas"), 404, 3000, **({"json": {}} if method != "GET" else {}))
        assert known.replace(other, "NAME") == never.replace("neverWas", "NAME")
    own.refused("GET", "/v1/users", 403, 2001)
    own.refused("POST", "/v1/users", 403, 2001, json={"username": "x"})


@pytest.mark.clause("ALG-26")
def test_of_two_admins_who_leave_at_once_one_stays(server: RunningServer) -> None:
    (ada, ada_client), (ben, _) = server.account("ada"), server.account("ben")
    for _ in range(3):
        house = server.organization(ada_client)
        ada_client.command("add_member", organization=house, account=ben, role="admin")

        def leave(name: str, house: str = house) -> bool:
            with Client(server.address, server.keys[name]) as client:
                try:
                    client.command("remove_member", organization=house, account=name)
                except LastAdmin:
                    return False
                return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(leave, [ada, ben])) == [False, True]


def test_the_last_ones_cannot_go(server: RunningServer) -> None:
    name, client = server.account("last")
    house = server.organization(client)
    with pytest.raises(LastAdmin, match="last admin"):
        client.command("add_member", organization=house, account=name, role="member")
    with pytest.raises(LastAdmin, match="last admin"):
        server.owner.command("delete_account", account=name)
    with pytest.raises(LastAdmin, match="last administrator"):
        server.owner.command("delete_account", account="owner")
    client.command("delete_organization", organization=house)
    server.owner.command("delete_account", account=name)
    with pytest.raises(TrothError):
        client.keys()


def test_a_member_may_leave_and_is_no_member_twice(server: RunningServer) -> None:
    (_, ada_client), (ben, ben_client) = server.account("ada"), server.account("ben")
    house = server.organization(ada_client)
    ada_client.command("add_member", organization=house, account=ben, role="member")
    ben_client.command("remove_member", organization=house, account=ben)
    with pytest.raises(Forbidden):
        ben_client.command("remove_member", organization=house, account=ben)
    with pytest.raises(NotFound, match="no member"):
        ada_client.command("remove_member", organization=house, account=ben)


def test_an_external_id_is_one_user_s_and_an_administrator_s_to_give(server: RunningServer) -> None:
    (ada, ada_client), (ben, _) = server.account("ada"), server.account("ben")
    external = server.new_name("external")
    with pytest.raises(Forbidden):
        ada_client.command("update_account", account=ada, details={"external_id": external})
    server.owner.command("update_account", account=ada, details={"external_id": external})
    with pytest.raises(Refused, match="another user has"):
        server.owner.command("update_account", account=ben, details={"external_id": external})
    ada_client.command("update_account", account=ada, details={"fullname": "Ada"})
    server.owner.command("update_account", account=ada, details={"external_id": ""})
    server.owner.command("update_account", account=ben, details={"external_id": external})


@dataclass(frozen=True)
class House:
    """An organisation with a private algorithm that is built, and everybody who may stand to it."""

    server: RunningServer
    name: str
    algorithm: str
    commit: str
    people: dict[str, tuple[str, Client]]

    def attempt(self, action: Callable[[str, Client], Any], who: str) -> bool:
        """Whether the action is allowed to them; refused is by right, not by fault."""
        try:
            action(*self.people[who])
        except (Forbidden, NotFound):
            return False
        return True


@pytest.fixture(scope="module")
def house(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> House:
    people = {who: server.account(who.split()[0]) for who in ("org admin", "org member", "stranger")}
    people["cluster admin"] = ("owner", server.owner)
    name = server.organization(people["org admin"][1], "table")
    people["org admin"][1].command("add_member", organization=name, account=people["org member"][0], role="member")
    folder = tmp_path_factory.mktemp("table")
    algorithm, commit = server.build(folder, name, people["org admin"][1])
    return House(server, name, algorithm, commit, people)


def _actions(house: House) -> dict[str, Callable[[str, Client], Any]]:
    server, new = house.server, house.server.new_name

    def check(visibility: str) -> Callable[[str, Client], Any]:
        return lambda name, client: client.check(house.algorithm, house.commit, visibility=visibility)

    return {
        "create organization": lambda name, client: client.command("create_organization", name=new("org")),
        "invite user to org": lambda name, client: client.command(
            "add_member", organization=house.name, account=server.account("invited")[0], role="member"
        ),
        "standard API key": lambda name, client: client.command(
            "create_key", version=2, account=name, scope={"data": "read"}
        ),
        "key of the organisation": lambda name, client: client.command(
            "create_key", version=2, account=house.name, scope={}
        ),
        "create user": lambda name, client: client.command("create_account", name=new("user")),
        "create org-owned algorithm": lambda name, client: client.command(
            "create_algorithm", algorithm=f"{house.name}/{new('algo')}"
        ),
        "create user-owned algorithm": lambda name, client: client.command(
            "create_algorithm", algorithm=f"{name}/{new('algo')}"
        ),
        "build": lambda name, client: client.command(
            "compile_algorithm", algorithm=house.algorithm, commit=house.commit
        ),
        "publish publicly": check("public"),
        "publish privately": check("private"),
        "view build logs": lambda name, client: client.build_log(house.algorithm, house.commit),
        "invoke": lambda name, client: client.call(f"{house.algorithm}/{house.commit}", "x"),
        "change the organisation": lambda name, client: client.command(
            "update_organization", organization=house.name, details={"org_label": "x"}
        ),
        "see its members": lambda name, client: client.organization(house.name),
    }


#: action: cluster admin, org admin, org member, stranger (a cluster user with no part in the organisation)
TABLE = {
    "create organization": "yes yes yes yes",
    "invite user to org": "no yes no no",
    "standard API key": "yes yes yes yes",
    "key of the organisation": "yes yes no no",
    "create user": "yes no no no",
    "create org-owned algorithm": "no yes yes no",
    "create user-owned algorithm": "yes yes yes yes",
    "build": "no yes yes no",
    "publish publicly": "no yes no no",
    "publish privately": "no yes yes no",
    "view build logs": "no yes yes no",
    "invoke": "no yes yes no",
    "change the organisation": "yes yes no no",
    "see its members": "yes yes yes no",
}
WHO = ("cluster admin", "org admin", "org member", "stranger")


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("action", TABLE)
def test_each_role_may_do_what_the_table_says(house: House, action: str, who: str) -> None:
    assert house.attempt(_actions(house)[action], who) == (TABLE[action].split()[WHO.index(who)] == "yes")
