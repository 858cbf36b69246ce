"""Requests through the gateway: what passes, what does not, and what is said of the state of a version."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.gateway.conftest import Served
from tests.lifecycles.tables import marks
from troth.errors import Forbidden, Malformed, NotFound


@pytest.mark.clause("PDB-26")
@pytest.mark.clause("PDB-34")
@pytest.mark.parametrize(
    ("version", "found"), [("v4", "deprecated"), ("v5", None), ("v6", "experimental")], ids=["v4", "v5", "v6"]
)
@pytest.mark.parametrize("path", ["", "/", "/items", "/page", "/away", "/garbage"])
def test_every_reply_says_in_which_state_its_version_is(
    served: Served, version: str, found: str | None, path: str
) -> None:
    reply = served.ask("GET", f"/{version}{path}", follow_redirects=False)
    assert reply.headers.get("troth-api-state") == found
    # what is not deprecated may still have single pages that its own server calls so
    assert ("deprecation" in reply.headers) == (version == "v4" or path == "/page")
    if version == "v4":
        assert reply.headers["troth-retires-in"] == "8.0.0"
        assert reply.headers["sunset"] == "Thu, 31 Jan 2999 00:00:00 GMT"
        assert reply.headers["link"] == f'</gateway/{served.api}/v5>; rel="successor-version"'


@pytest.mark.clause("PDB-38")
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["", "/", "/items", "/a/b/c?d=e"])
def test_a_retired_version_is_gone_and_its_upstream_not_asked(served: Served, method: str, path: str) -> None:
    before = len(served.upstream.heard)
    reply = served.ask(method, f"/v3{path}")
    assert reply.status_code == 410
    if method != "HEAD":
        assert reply.json()["successor"] == f"/gateway/{served.api}/v5"
        assert reply.json()["clauses"] == ["PDB-38"]
    assert len(served.upstream.heard) == before


def test_a_request_passes_with_path_query_headers_and_body(served: Served) -> None:
    reply = served.ask(
        "POST",
        "/v5/items/a%20b%2Fc?q=1&q=%C3%A4",
        key=served.client.key,
        headers={"Authorization": "Basic dTpw", "X-Own": "1", "Cookie": "a=b", "X-Forwarded-For": "6.6.6.6"},
        content=b"hello",
    )
    assert reply.json() == {"method": "POST", "target": "/base/v5/items/a%20b%2Fc?q=1&q=%C3%A4", "bytes": 5}
    heard = served.upstream.heard[-1]
    assert heard.body == b"hello"
    assert heard.header("authorization") == ["Basic dTpw"]
    assert heard.header("x-own") == ["1"]
    assert heard.header("host") == [urlsplit(served.upstream.address).netloc]
    assert heard.header("x-forwarded-for") == ["127.0.0.1"]
    assert heard.header("x-forwarded-prefix") == [f"/gateway/{served.api}"]
    assert heard.header("cookie") == heard.header("troth-key") == []
    assert served.client.key not in str(heard.headers)


@pytest.mark.parametrize("form", ["Bearer {}", "Simple {}", "{}", "bearer  {}"])
def test_a_key_of_this_server_reaches_no_upstream(served: Served, form: str) -> None:
    for key in (served.client.key, served.server.owner_key):
        for sent in ("", served.client.key):
            headers = {"Authorization": form.format(key)}
            assert served.ask("GET", "/v5/items", key=sent, headers=headers).status_code == 200
            heard = served.upstream.heard[-1]
            assert heard.header("authorization") == []
            assert key not in str(heard)


@pytest.mark.parametrize("value", ["Basic dTpw", "Bearer of-another-server", "Digest username=a", "nonsense"])
def test_what_is_no_key_of_this_server_is_the_upstreams_affair(served: Served, value: str) -> None:
    assert served.ask("GET", "/v5/items", headers={"Authorization": value}).status_code == 200
    assert served.upstream.heard[-1].header("authorization") == [value]


def test_pages_of_strangers_act_for_nobody(served: Served) -> None:
    reply = served.ask("GET", "/v4/page")
    assert reply.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    for name in ("set-cookie", "strict-transport-security", "troth-version", "x-private", "service-worker-allowed"):
        assert name not in reply.headers
    assert reply.headers["x-kept"] == "1"
    assert reply.headers.get_list("deprecation") != ["@1"]


def test_a_redirect_is_the_clients_affair(served: Served) -> None:
    reply = served.ask("GET", "/v5/away", follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (302, "http://127.0.0.1:1/elsewhere")
    reply = served.ask("GET", "/v5/moved", follow_redirects=False)
    assert reply.headers["location"] == f"/gateway/{served.api}/v4/items"


@pytest.mark.parametrize(
    "path",
    [
        "/v5/../v6/items", "/v5/%2e%2e/items", "/v5/.%2E/x", "/v5/%252e%252e/x", "/v5/a/..", "/v5/..;x/y", "/v5/./x",
        "/v5/a%5c..%5cb", "/v5/a%00", "/v5/%2e%2e%2fx", "/v5/a%2f..%2f..%2fb",
    ],
)  # fmt: skip
def test_no_path_leads_above_its_version(served: Served, path: str) -> None:
    before = len(served.upstream.heard)
    address = urlsplit(served.server.address)
    with socket.create_connection((address.hostname or "", address.port or 0), 20) as connection:
        connection.sendall(f"GET /gateway/{served.api}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        reply = connection.makefile("rb").read()
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert len(served.upstream.heard) == before


@pytest.mark.parametrize("path", ["/v7/items", "/v04/items", "/4/items", "/V4", "/v5.0/x", "/"])
def test_what_is_no_version_is_not_found(served: Served, path: str) -> None:
    assert served.ask("GET", path).status_code == 404


def test_bodies_stream_both_ways(served: Served) -> None:
    served.upstream.go_on.clear()
    address = f"{served.server.address}/gateway/{served.api}/v5/stream"
    with served.http.stream("GET", address) as reply:
        pieces = reply.iter_bytes()
        assert next(pieces) == b"first"  # while the upstream still waits
        served.upstream.go_on.set()
        assert b"".join(pieces) == b"second"

    def body() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    reply = served.ask("PUT", "/v5/items", content=body())
    assert reply.json()["bytes"] == 3_000_000
    assert served.upstream.heard[-1].header("transfer-encoding") == ["chunked"]


def test_head_and_empty_answers_stay_as_they_are(served: Served) -> None:
    reply = served.ask("HEAD", "/v5/items")
    assert (reply.status_code, reply.content) == (200, b"")
    assert int(reply.headers["content-length"]) > 0


def test_an_answer_that_nothing_changed_is_passed_on(served: Served) -> None:
    """Over one connection, which goes on behind it."""
    address = urlsplit(served.server.address)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=30)) as connection:
        for path, status in (("unchanged", 304), ("items", 200), ("unchanged", 304), ("items", 200)):
            connection.request("GET", f"/gateway/{served.api}/v5/{path}", headers={"If-None-Match": '"1"'})
            reply = connection.getresponse()
            assert (reply.status, bool(reply.read())) == (status, status == 200)
            assert reply.headers["etag"] == ('"1"' if status == 304 else None)


@pytest.mark.parametrize("query", [b"q=\xc3\xa4", b"q=\xe4", b"q=\xff&\x80"])
def test_bytes_that_no_address_has_are_no_failure(served: Served, query: bytes) -> None:
    address = urlsplit(served.server.address)
    head = (
        f"GET /gateway/{served.api}/v5/items?".encode() + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), 30) as connection:
        connection.sendall(head)
        reply = connection.makefile("rb").read()
    assert reply.split(b" ", 2)[1] in (b"200", b"400"), reply[:300]


def test_a_query_is_passed_on_or_refused_however_long_it_is(served: Served) -> None:
    address = urlsplit(served.server.address)
    for length, statuses in ((1000, {200}), (60_000, {200}), (65_000, {200, 400}), (70_000, {400, 414, 431})):
        before = len(served.upstream.heard)
        query = "q=" + "x" * length
        head = f"GET /gateway/{served.api}/v5/items?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        with socket.create_connection((address.hostname or "", address.port or 0), 30) as connection:
            connection.sendall(head.encode())
            reply = connection.makefile("rb").read()
        status = int(reply.split(b" ", 2)[1])
        assert status in statuses, (length, reply[:300])
        heard = [one.target for one in served.upstream.heard[before:]]
        assert heard == ([f"/base/v5/items?{query}"] if status == 200 else [])
    assert served.ask("GET", "/v5/items").status_code == 200


def test_a_body_larger_than_its_limit_is_refused(served: Served) -> None:
    served.set_upstream(api_version="v6", body_bytes=1000)
    assert served.ask("POST", "/v6/items", content=b"x" * 1000).status_code == 200
    before = len(served.upstream.heard)
    assert served.ask("POST", "/v6/items", content=b"x" * 1001).status_code == 413
    assert len(served.upstream.heard) == before

    def body() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    assert served.ask("POST", "/v6/items", content=body()).status_code == 413
    served.client.command("set_upstream", api=served.api, api_version="v6", url=None)


@pytest.mark.parametrize(("path", "status"), [("garbage", 502), ("slow", 504)])
def test_an_upstream_that_does_not_answer_is_told(served: Served, path: str, status: int) -> None:
    served.upstream.go_on.clear()
    served.set_upstream(api_version="v6", seconds=0.3)
    reply = served.ask("GET", f"/v6/{path}")
    assert reply.status_code == status
    assert reply.json()["code"] == {502: "upstream-failed", 504: "upstream-timeout"}[status]
    assert str(served.upstream.port) not in reply.text
    served.upstream.go_on.set()
    served.client.command("set_upstream", api=served.api, api_version="v6", url=None)


@pytest.mark.parametrize("path", ["short", "long"])
def test_a_body_that_is_not_as_long_as_it_says_is_not_taken_for_whole(served: Served, path: str) -> None:
    try:
        reply = served.ask("GET", f"/v5/{path}")
        assert path == "long"
        assert reply.content == b"01234"  # what is behind it is nobody's
    except httpx2.RemoteProtocolError:
        pass
    assert served.ask("GET", "/v5/items").status_code == 200


def test_a_client_that_leaves_ends_an_endless_answer(served: Served) -> None:
    served.upstream.go_on.clear()
    heard = len(served.upstream.heard)
    address = f"{served.server.address}/gateway/{served.api}/v5/endless"
    with httpx2.Client(trust_env=False, timeout=30) as client, client.stream("GET", address) as reply:
        assert next(reply.iter_bytes())
    assert served.upstream.heard[heard].target == "/base/v5/endless"
    # the gateway's connection ends with it, so the upstream cannot write any more; another request finds its way
    assert served.ask("GET", "/v5/items").status_code == 200
    served.upstream.go_on.set()


@pytest.mark.parametrize("body", [None, b"x" * 100], ids=["no body", "body"])
@pytest.mark.parametrize("path", ["silent", "begun"])
def test_a_client_that_leaves_ends_what_an_upstream_keeps_silent_about(
    served: Served, path: str, body: bytes | None
) -> None:
    """Else both connections stay as long as an upstream may take, and a server that stops waits for them."""
    served.set_upstream(api_version="v6", seconds=600)
    served.upstream.silent.clear()
    served.upstream.left.clear()
    address = urlsplit(served.server.address)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=30)) as connection:
        connection.request("POST", f"/gateway/{served.api}/v6/{path}", body)
        if path == "begun":
            assert connection.getresponse().read(5) == b"first"
        assert served.upstream.silent.wait(60)
    assert served.upstream.left.wait(60)
    served.client.command("set_upstream", api=served.api, api_version="v6", url=None)


def test_an_upstream_that_nobody_set_or_that_is_away_is_told(served: Served) -> None:
    api = f"{served.owner}/{served.server.new_name('lonely')}"
    served.client.command("create_api", api=api, public=True)
    served.client.command("create_api_version", api=api, api_version="v1", release="1.0.0")
    address = f"{served.server.address}/gateway/{api}/v1/items"
    assert served.http.get(address).status_code == 503
    served.client.command("set_upstream", api=api, url="http://127.0.0.1:1", connect_seconds=1)
    reply = served.http.get(address)
    assert (reply.status_code, reply.headers["troth-api-state"]) == (502, "experimental")
    served.client.command("set_upstream", api=api, url="http://no.such.name.invalid")
    assert served.http.get(address).status_code == 502


def test_what_is_private_is_as_if_there_were_nothing(served: Served) -> None:
    name = served.server.new_name("hidden")
    hidden, nothing = f"{served.owner}/{name}", f"{served.owner}/{'x' * len(name)}"
    served.client.command("create_api", api=hidden)
    served.client.command("create_api_version", api=hidden, api_version="v1", release="1.0.0")
    served.client.command("set_upstream", api=hidden, url=served.upstream.address)
    _, stranger = served.server.account("eve")
    limited = served.client.command(
        "create_key", version=2, account=served.owner, scope={"algorithms": [f"algo://{served.owner}/other/*"]}
    )["key"]
    for key in ("", stranger.key, limited):
        for path in ("/v1/items", "/v1", "/v2", "", "/v1/../x"):
            answers = []
            for api in (hidden, nothing):
                headers = {"Troth-Key": key} if key else {}
                reply = served.http.get(f"{served.server.address}/gateway/{api}{path}", headers=headers)
                told = {name: value for name, value in reply.headers.items() if name != "date"}
                answers.append((reply.status_code, told, reply.text.replace(api, "")))
            assert answers[0] == answers[1]
    for key in (served.client.key, served.server.owner_key):
        reply = served.http.get(f"{served.server.address}/gateway/{hidden}/v1/items", headers={"Troth-Key": key})
        assert reply.status_code == 200


def test_a_key_that_is_none_is_refused_whatever_is_asked_for(served: Served) -> None:
    assert served.ask("GET", "/v5/items", key="nonsense").status_code == 401
    address = f"{served.server.address}/gateway/nobody/nothing/v1"
    assert served.http.get(address, headers={"Troth-Key": "nonsense"}).status_code == 401


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example", "shop.example", "http://", "http://u:p@shop.example", "http://shop.example/?a=b",
        "http://shop.example/#x", "http://shop.example/a/../b", "http://shop.example/a b", "http://shöp.example",
        "http://shop.example:99999", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(served: Served, url: str) -> None:
    with pytest.raises(Malformed):
        served.client.command("set_upstream", api=served.api, url=url)


def test_only_who_owns_an_api_says_where_it_runs(served: Served) -> None:
    _, stranger = served.server.account("eve")
    for client in (stranger, served.server.owner):
        with pytest.raises(Forbidden):
            client.command("set_upstream", api=served.api, url="http://127.0.0.1:1")
    with pytest.raises(Forbidden):
        stranger._get(f"/api/v1/apis/{served.api}/upstreams")
    with pytest.raises(NotFound):
        served.client.command("set_upstream", api=served.api, api_version="v9", url="http://127.0.0.1:1")
    found = served.client._get(f"/api/v1/apis/{served.api}/upstreams")["upstreams"]
    assert [(one["url"], one["well"]) for one in found] == [(f"{served.upstream.address}/base", None)]
    served.set_upstream(api_version="v6", health_path="/health")
    assert served.ask("GET", "/v6/items").status_code == 200
    found = served.client.api_upstreams(served.api)["upstreams"]
    assert [(one["version"], one["well"]) for one in found] == [(None, None), ("v6", True)]
    served.client.command("set_upstream", api=served.api, api_version="v6", url=None)


def test_marks_are_those_of_the_table(served: Served) -> None:
    table = {row["number"]: row["state"] for row in served.client.api_states(served.api)["versions"]}
    assert table == {3: "retired", 4: "deprecated", 5: "current", 6: "experimental"}
    assert marks(served.ask("GET", "/v5/items").headers) == {}
