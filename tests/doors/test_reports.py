"""Reports of usage, keys of members, pages of other hosts, and what is refused with its number (algorithmia-api, 11 and 15)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doors.http import PUBLIC, Http, done, refused
from tests.server import RunningServer

_PERIOD = {"start_date": "2026-01-01", "end_date": "2099-12-31"}
PAGE = {"Origin": "https://app.example.org"}


def report(http: Http, below: str = "", **query: Any) -> dict[str, Any]:
    return done(http.client.get(f"/v1/admin/usage{below}", params={**_PERIOD, **query}))


def called(http: Http, algorithm: str, given: str, times: int) -> None:
    for _ in range(times):
        http.client.post(f"/v1/algo/{algorithm}", content=given, headers={"Content-Type": "text/plain"}, timeout=60)


def test_reports_of_usage(ada: Http, sam: Http, root: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    ada.compiled(algorithm, tmp_path, "def apply(input):\n    return 1 / int(input)\n")
    done(ada.post(f"{algorithm}/versions", PUBLIC))
    called(ada, algorithm, "1", 3)
    called(sam, algorithm, "1", 1)
    called(sam, algorithm, "0", 2)
    owner, name = algorithm.split("/")
    (row,) = report(root, user=ada.name)["results"]
    seconds = row.pop("duration_seconds")
    assert seconds >= 0
    named = {"algorithm_owner": owner, "algorithm_name": name, "algorithm_version": "0.1.0"}
    assert row == {**named, "username": ada.name, "calls": 3, "errors": 0}
    by_algorithm = [row for row in pages(root, "/algorithms") if row["algorithm_name"] == name]
    assert [(row["algorithm_owner"], row["calls"], row["errors"]) for row in by_algorithm] == [(owner, 6, 2)]
    by_user = {row["username"]: (row["calls"], row["errors"]) for row in pages(root, "/users")}
    assert (by_user[ada.name], by_user[sam.name]) == ((3, 0), (3, 2))
    # other tests called too, and each page has as many as were asked for
    assert pages(root, "", page_size=37) == pages(root, "", page_size=100)
    assert len(report(root, page_size=1)["results"]) == 1
    assert report(root, start_date="2001-01-01", end_date="2001-01-31") == {"results": [], "next_marker": None}


def pages(http: Http, below: str, **query: Any) -> list[dict[str, Any]]:
    """Every row of a report, page by page."""
    found, marker = [], ""
    while True:
        page = report(http, below, **query, **({"marker": marker} if marker else {}))
        found += page["results"]
        if (marker := page["next_marker"]) is None:
            assert len({json.dumps(row) for row in found}) == len(found)
            return found


def test_reports_that_are_none(ada: Http, root: Http) -> None:
    for below in ("", "/algorithms", "/users"):
        path = f"/v1/admin/usage{below}"
        refused(ada.client.get(path, params=_PERIOD), 403, 2001)
        for missing in ({}, {"start_date": "2026-01-01"}, {"end_date": "2026-01-01"}):
            refused(root.client.get(path, params=missing), 400, 4010)
        for query, code in (({"marker": "forged"}, 5002), ({"page_size": "0"}, 5003), ({"page_size": "101"}, 5003),
                            ({"marker": "WyJhIiwiYiIsImMiLCJkIiwiZSJd"}, 5002), ({"start_date": "soon"}, 6001),
                            ({"end_date": "9999-12-31"}, None), ({"user": "a\0b"}, 6001)):  # fmt: skip
            reply = root.client.get(path, params={**_PERIOD, **query})
            assert (reply.json().get("code"), reply.status_code < 500) == (code, True)


def test_a_key_of_a_member_for_the_organisation(ada: Http, sam: Http, server: RunningServer, tmp_path: Path) -> None:
    """It is the member's, reaches the organisation's algorithms only, and nothing once the membership has ended (ALG-26)."""
    name = server.organization(server.client(ada.key))
    assert ada.client.put(f"/v1/organizations/{name}/members/{sam.name}").status_code == 200
    theirs, own = f"{name}/{server.new_name('algo')}", sam.created()
    done(ada.client.post(f"/v1/algorithms/{name}", json={"name": theirs.split("/")[1], "details": {"label": "x"}, "settings": {
        "source_visibility": "closed", "license": "apl", "network_access": "isolated", "pipeline_enabled": False}}))  # fmt: skip
    commits = {theirs: ada.compiled(theirs, tmp_path), own: sam.compiled(own, tmp_path)}
    path = f"/v1/organizations/{name}/members/{sam.name}/keys"
    made = done(sam.client.post(path, json={"key_label": "work", "permissions": {"algo_acl": ["algo://*"]}}))
    assert (made["owner_name"], made["username"], made["permissions"]["algo_acl"]) == (
        name,
        sam.name,
        [f"algo://{name}/*"],
    )

    def answer(algorithm: str) -> dict[str, Any]:
        reply = httpx2.post(f"{server.address}/v1/algo/{algorithm}/{commits[algorithm]}", json=1, timeout=60,
                            headers={"Authorization": made["api_key"]})  # fmt: skip
        found: dict[str, Any] = reply.json()
        return found

    assert answer(theirs)["result"] == 1
    assert "not found" in answer(own)["error"]["message"]
    refused(sam.client.post(path, json={"permissions": {"algo_acl": ["algo://other/*"]}}), 400, 6001)
    refused(ada.client.post(path, json={}), 403, 2001)  # an admin of it makes no key that acts as somebody else
    refused(ada.client.post(path.replace(sam.name, "nobody"), json={}), 404, 3000)
    assert ada.client.delete(f"/v1/organizations/{name}/members/{sam.name}").status_code == 204
    assert "not found" in answer(theirs)["error"]["message"]
    refused(sam.client.post(path, json={}), 404, 3100)


def test_pages_of_the_host_that_a_key_names(ada: Http, server: RunningServer) -> None:
    """They ask for data and everything else as for calls, and read what comes; others read nothing."""
    done(ada.client.post("/v1/data/.my", json={"name": "shown"}))
    body = {"permissions": {"allow_data": True, "allow_data_write": True, "allow_web_algo": True, "algo_acl": ["algo://*"],
                            "referer_host": "app.example.org"}}  # fmt: skip
    key = {"Authorization": done(ada.client.post(f"/v1/users/{ada.name}/keys", json=body))["api_key"]}
    with httpx2.Client(base_url=server.address, timeout=60) as browser:
        for path, method in (
            ("/v1/data/.my/shown/a", "PUT"),
            (f"/v1/users/{ada.name}", "GET"),
            ("/v1/data/.my/shown", "PATCH"),
        ):
            asking = {
                **PAGE,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization",
            }
            allowed = browser.request("OPTIONS", path, headers=asking)
            assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, PAGE["Origin"])
            assert method in allowed.headers["access-control-allow-methods"]
        replies = [browser.put("/v1/data/.my/shown/a", content=b"x", headers={**PAGE, **key}),
                   browser.get("/v1/data/.my/shown/a", headers={**PAGE, **key, "Range": "bytes=0-0"}),
                   browser.get(f"/v1/users/{ada.name}", headers={**PAGE, **key}),
                   browser.get("/v1/data/.my/never", headers={**PAGE, **key})]  # fmt: skip
        assert [reply.status_code for reply in replies] == [200, 206, 200, 404]
        for reply in replies:
            assert reply.headers["access-control-allow-origin"] == PAGE["Origin"]
            assert "origin" in reply.headers["vary"].split(", ")
        assert "content-range" in replies[1].headers["access-control-expose-headers"]
        for reply in (browser.get("/v1/data/.my/shown/a", headers={"Origin": "https://evil.com", **key}),
                      browser.get("/v1/data/.my/shown/a", headers={**PAGE, "Authorization": ada.key}),
                      browser.get("/v1/data/.my/shown/a", headers=PAGE)):  # fmt: skip
            assert "access-control-allow-origin" not in reply.headers
        assert browser.request("OPTIONS", "/v1/data/.my", headers=PAGE).status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/organizations/any/utility-algorithms", 400, 5005),
        ("GET", "/v1/users/any/event-listeners", 400, 5005),
        ("POST", "/v1/users/any/event-listeners", 400, 5005),
        ("DELETE", "/v1/users/any/event-listeners/1", 400, 5005),
        ("GET", "/v1/config/frontend", 404, 5004),
        ("GET", "/v1/config/frontend/title", 404, 5004),
        ("GET", "/v1/config/logo", 404, 5004),
        ("GET", "/v1/config/favicon", 404, 5004),
    ],
)
def test_what_there_is_not_is_said(ada: Http, method: str, path: str, status: int, code: int) -> None:
    assert "there" in refused(ada.client.request(method, path), status, code)
