"""Every number of the code table (algorithmia-api, 3.4): provoked, or told why nothing here can bring it about."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import pytest

from tests.doors.http import BODY, SETTINGS, Http, done, refused
from tests.server import running_server

Provoked: TypeAlias = Callable[[Http, Http], httpx2.Response]
_NOBODY = "00000000-0000-4000-8000-000000000000"

_PACKAGES = "there are no packages and package sets: dependencies come from the source"
_FORMS = "there are no pages to sign up at, and no pictures"
#: Numbers that nothing here brings about, with the reason.
NEVER: dict[int, str] = {
    1001: "1000 is said of names and ids alike",
    1005: _PACKAGES,
    1006: _PACKAGES,
    1008: "an SCM that does not answer is 4084",
    1009: "1000 is said of names and ids alike",
    2011: _PACKAGES,
    2012: "the status of a build is not set by clients",
    2014: "there are no images to build in",
    2016: _PACKAGES,
    2017: _PACKAGES,
    2018: "owners are named in paths",
    3009: _FORMS,
    3010: _PACKAGES,
    3105: _FORMS,
    3106: _FORMS,
    3107: _FORMS,
    4003: _PACKAGES,
    4005: _PACKAGES,
    4006: _PACKAGES,
    4007: _PACKAGES,
    7000: "receipts are at /api/v1/receipts",
}
#: Numbers whose tests need more than one request, with the test.
ELSEWHERE: dict[int, str] = {
    1007: "test_management.py: a build is published once",
    4070: "test_scm.py: webhooks that are signed, and are no JSON",
    4080: "test_scm.py: who linked a repository and is no member any more",
    4041: "test_scm.py: the default place",
    4042: "test_scm.py: a disabled place",
    4043: "test_scm.py: a place in use",
    4044: "test_scm.py: a place that is there",
    4084: "test_scm.py: repositories that do not answer",
    5001: "below: a repository that is gone from the disk",
}
#: Numbers on people: tests/doors/test_people.py and others provoke them.
PEOPLE = {3000, 3001, 3003, 3004, 3005, 3007, 3008, 3100, 3101, 3102, 3103, 3104}


def _created(http: Http, **change: Any) -> httpx2.Response:
    settings = {**SETTINGS, **change.pop("settings", {})}
    return http.post(http.name, {**BODY, "name": "codes", **change, "settings": settings})


PROVOKED: dict[int, Provoked] = {
    1000: lambda ada, root: ada.post(f"{ada.name}/never/compile"),
    1002: lambda ada, root: [_created(ada, name="twice") for _ in range(2)][1],
    1003: lambda ada, root: _created(ada, settings={"package_set": "scala-2"}),
    1004: lambda ada, root: ada.post(f"{ada.created()}/versions", {}),
    2001: lambda ada, root: ada.post(root.name, BODY),
    2002: lambda ada, root: httpx2.get(f"{ada.server.address}/v1/scms", headers={"Authorization": "simWrong"}),
    2013: lambda ada, root: ada.post(ada.name, b"{"),
    2015: lambda ada, root: ada.client.get("/v1/nothing"),
    4001: lambda ada, root: _created(ada, settings={"language": "rust"}),
    4002: lambda ada, root: _created(ada, settings={"language": "python2"}),
    4004: lambda ada, root: _created(ada, settings={"environment": "gpu"}),
    4008: lambda ada, root: ada.client.post("/v1/scms/internal/oauth/revoke"),
    4009: lambda ada, root: ada.client.get("/v1/scms/never"),
    4010: lambda ada, root: root.client.get("/v1/admin/usage?start_date=2026-01-01"),
    4011: lambda ada, root: ada.client.put(f"/v1/algorithms/{ada.created()}", json={"source": {"scm": "x"}}),
    4012: lambda ada, root: ada.get(f"{ada.created()}/scm/webhook"),
    4020: lambda ada, root: root.client.post("/v1/admin/scms", json={"provider": "git", "urls": {"web": "/"}}),
    4021: lambda ada, root: root.client.patch("/v1/admin/scms/internal", json={}),
    4040: lambda ada, root: root.client.delete("/v1/admin/scms/internal"),
    4045: lambda ada, root: root.client.patch("/v1/admin/scms/internal", json={"enabled": False}),
    4050: lambda ada, root: ada.client.post("/v1/scms/internal/oauth/start"),
    4051: lambda ada, root: ada.client.post("/v1/scms/internal/oauth/finish"),
    5002: lambda ada, root: ada.get(f"{ada.created()}/builds?marker=forged"),
    5003: lambda ada, root: ada.get(f"{ada.created()}/builds?limit=0"),
    5004: lambda ada, root: ada.client.get("/v1/config/frontend/title"),
    5005: lambda ada, root: ada.post(f"{ada.created()}/collections/x"),
    6001: lambda ada, root: ada.post(ada.name, []),
}

TABLE = """
1000 1001 1002 1003 1004 1005 1006 1007 1008 1009 2001 2002 2011 2012 2013 2014 2015 2016 2017 2018 3000 3001 3003 3004 3005
3007 3008 3009 3010 3100 3101 3102 3103 3104 3105 3107 3106 4001 4002 4003 4004 4005 4006 4007 4008 4009 4010 4011 4012 4020
4021 4040 4041 4042 4043 4044 4045 4050 4051 4070 4080 4084 5001 5002 5003 5004 5005 6001 7000
"""


def test_every_number_is_accounted_for() -> None:
    parts = [set(PROVOKED), set(ELSEWHERE), set(NEVER), PEOPLE]
    assert sorted(map(int, TABLE.split())) == sorted(number for part in parts for number in part)


@pytest.mark.parametrize("number", sorted(PROVOKED))
def test_a_number_is_provoked(ada: Http, root: Http, number: int) -> None:
    reply = PROVOKED[number](ada, root)
    refused(reply, reply.status_code, number)
    assert 400 <= reply.status_code < 500


def test_an_internal_error(tmp_path: Path) -> None:
    """It is told with an id that the log has, and nothing of what it was."""
    with running_server(tmp_path / "home") as server, httpx2.Client(base_url=server.address, timeout=60) as client:
        owner = Http(server, client, "owner")
        algorithm = owner.created()
        identity = owner.found(algorithm)["id"]
        shutil.rmtree(server.server.repositories.path(identity))
        words = refused(owner.get(f"{algorithm}/log"), 500, 5001)
        assert str(tmp_path) not in words
        assert done(owner.get(algorithm))["id"] == identity
