"""`/v1/algorithms/...` in raw HTTP: shapes, numbers of errors, names by uuid, pages, and what others may see."""

from __future__ import annotations

import json
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doors.http import (
    BODY,
    MOMENT,
    PRIVATE,
    PUBLIC,
    SETTINGS,
    UUID,
    Http,
    done,
    numbers,
    refused,
    without_ids,
    written,
)
from tests.server import ECHO, RunningServer

_NO_BUILD = "00000000-0000-4000-8000-000000000000"
GETS = ["", "/versions", "/versions/0.1.0", f"/versions/{'a' * 40}", "/builds", f"/builds/{_NO_BUILD}",
        f"/builds/{_NO_BUILD}/logs", "/scm/status", "/errors"]  # fmt: skip
POSTS = ["/compile", "/versions", "/version"]


@pytest.mark.digest("7.1 scm", "7.1 resource_type", "7.1 compilation", "2.3 no_error")
def test_the_object_of_an_algorithm(ada: Http) -> None:
    details = {"label": "A label", "summary": "A <b>summary</b>", "tagline": "a line"}
    settings = {**SETTINGS, "language": "python3-1", "environment": "cpu", "royalty_microcredits": 3}
    found = done(ada.post(ada.name, {"name": "hello", "details": details, "settings": settings, "whatever": 1}))
    assert re.fullmatch(UUID, found.pop("id"))
    assert found == {
        "name": "hello",
        "details": details,
        "settings": {**settings, "algorithm_callability": "private", "insights_enabled": False},
        "source": {"scm": {"id": "internal", "provider": "internal", "default": True, "enabled": True}},
        "self_link": f"{ada.server.address}/v1/algorithms/{ada.name}/hello",
        "resource_type": "algorithm",
    }


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"name": None}, 6001, "`$.name`"),
        ({"name": "0x"}, 6001, "beginning with a letter"),
        ({"name": "a/b"}, 6001, "is not a name"),
        ({"details": {}}, 6001, "`label` - at `$.details`"),
        ({"details": {"label": 7}}, 6001, "`$.details.label`"),
        ({"details": {"label": "\0"}}, 6001, "details/label"),
        ({"settings": {}}, 6001, "`source_visibility` - at `$.settings`"),
        ({"settings": {**SETTINGS, "source_visibility": "ajar"}}, 6001, "`$.settings.source_visibility`"),
        ({"settings": {**SETTINGS, "pipeline_enabled": "true"}}, 6001, "`$.settings.pipeline_enabled`"),
        ({"settings": {**SETTINGS, "royalty_microcredits": -1}}, 6001, "`$.settings.royalty_microcredits`"),
        ({"settings": {**SETTINGS, "language": "java11"}}, 4001, "java11"),
        ({"settings": {**SETTINGS, "language": "python2-langpack"}}, 4002, "Python 2"),
        ({"settings": {**SETTINGS, "environment": "gpu"}}, 4004, "gpu"),
        ({"settings": {**SETTINGS, "package_set": "scala-2"}}, 1003, "scala-2"),
        ({"settings": {**SETTINGS, "algorithm_environment": "1f8"}}, 6001, "settings.algorithm_environment"),
        ({"source": {"scm": "github"}}, 4009, "github"),
    ],
)  # fmt: skip
def test_algorithms_that_cannot_be_created(ada: Http, change: dict[str, Any], code: int, words: str) -> None:
    assert words in refused(ada.post(ada.name, {**BODY, **change}), 400, code)
    assert ada.get(f"{ada.name}/x").status_code == 404


@pytest.mark.parametrize(
    "language", ["python", "python3", "python3-1", "Python3", "python37", "anaconda3", "anaconda3-base", None]
)
def test_languages_that_run_python(ada: Http, language: str | None) -> None:
    settings = ada.found(ada.created(language=language, environment=None))["settings"]
    assert (settings["language"], settings["environment"]) == (language or "python3", "cpu")


def test_who_may_create(ada: Http, sam: Http, server: RunningServer) -> None:
    done(ada.post(ada.name, BODY))
    assert "already" in refused(ada.post(ada.name, {**BODY, "name": "X"}), 400, 1002)
    existing, nobody = refused(sam.post(ada.name, BODY), 403, 2001), refused(sam.post("nobody", BODY), 403, 2001)
    assert existing == nobody.replace("nobody", ada.name)
    organization = server.organization(server.client(ada.key))
    refused(sam.post(organization, BODY), 403, 2001)
    server.client(ada.key).command("add_member", organization=organization, account=sam.name, role="member")
    assert done(sam.post(organization, BODY))["name"] == "x"


@pytest.mark.parametrize("path", ["{0}", "{0}/x/versions"])
def test_bodies_that_cannot_be_read(ada: Http, path: str) -> None:
    done(ada.post(ada.name, BODY))
    address = path.format(ada.name)
    for body in (b"{", b"\xff", b"label=settings", b'{"name": "\\ud800"}', b'{"x":' + b"[" * 100_000):
        refused(ada.post(address, body), 400, 2013)
    for body in (b"[]", b"null", b'"text"', b'{"details": 1}'):
        refused(ada.post(address, body), 400, 6001)
    refused(ada.post(address, b'{"x": "' + b"x" * (1 << 20) + b'"}'), 413, 6001)
    chunked = ada.client.post(f"/v1/algorithms/{address}", content=iter([b'{"details"', b": 1}"]))
    assert "Content-Length" not in chunked.request.headers
    assert "`$.details`" in refused(chunked, 400, 6001)


def test_compile_answers_when_the_build_is_done(ada: Http) -> None:
    algorithm = ada.created()
    found = done(ada.post(f"{algorithm}/compile"))
    commit = found["version_info"]["git_hash"]
    assert re.fullmatch("[0-9a-f]{40}", commit)
    assert found["version_info"] == {"git_hash": commit}
    assert found["compilation"]["successful"] is True
    assert found["compilation"]["output"].startswith("Beginning container customization")
    assert found["self_link"] == f"{ada.server.address}/v1/algorithms/{algorithm}/versions/{commit}"
    build = found["build"]
    assert set(build) == {"build_id", "commit_sha", "status", "started_at", "finished_at", "resource_type"}
    assert (build["commit_sha"], build["status"], build["resource_type"]) == (commit, "succeeded", "algorithm_build")
    assert all(re.fullmatch(MOMENT, build[name]) for name in ("started_at", "finished_at"))
    assert done(ada.post(f"{algorithm}/compile", {"whatever": 1})) == found
    assert ada.found(f"{algorithm}/versions/{commit}") == found
    assert ada.found(f"{algorithm}/versions/{commit.upper()}") == found


@pytest.mark.clause("ALG-22")
def test_a_failed_build_is_an_answer_and_not_published(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    project = written(tmp_path, algorithm, "import nowhere_to_be_found\n")
    ada.server.client(ada.key).compile(project)
    found = done(ada.post(f"{algorithm}/compile"))
    assert found["compilation"]["successful"] is False
    assert "nowhere_to_be_found" in found["compilation"]["output"]
    commit = found["version_info"]["git_hash"]
    assert ada.found(f"{algorithm}/versions/{commit}")["compilation"]["successful"] is False
    assert ada.found(f"{algorithm}/versions")["results"] == []
    assert "nothing was compiled" in refused(ada.post(f"{algorithm}/versions", {}), 400, 1004)
    told = refused(ada.post(f"{algorithm}/versions", {"version_info": {"git_hash": commit}}), 400, 6001)
    assert "(ALG-22)" in told
    told = refused(ada.post(f"{algorithm}/versions", {"version_info": {"git_hash": "a" * 40}}), 400, 6001)
    assert "no build has that hash" in told


def test_the_log_of_a_build_under_way(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    project = written(tmp_path, algorithm, "import time\ntime.sleep(2)\n" + ECHO)
    behind = threading.Thread(target=ada.server.client(ada.key).compile, args=(project,))
    behind.start()
    try:
        while not (builds := ada.found(f"{algorithm}/builds")["results"]):
            pass
        (build,) = builds
        assert (build["status"], "finished_at" in build) == ("in-progress", False)
        address = f"{algorithm}/builds/{build['build_id']}"
        assert "in progress" in refused(ada.get(f"{address}/logs"), 404, 1004)
        assert ada.found(address) == build
    finally:
        behind.join()
    assert ada.found(address)["status"] == "succeeded"
    assert set(ada.found(f"{address}/logs")) == {"logs"}
    for unknown in ("nope", str(uuid.uuid4())):
        refused(ada.get(f"{algorithm}/builds/{unknown}"), 404, 1004)
        refused(ada.get(f"{algorithm}/builds/{unknown}/logs"), 404, 1004)


@pytest.mark.parametrize("body", [None, b"", {}, {"details": None, "settings": None, "version_info": None}])
def test_a_publication_that_says_nothing(ada: Http, tmp_path: Path, body: Any) -> None:
    algorithm = ada.created()
    commit = ada.compiled(algorithm, tmp_path)
    found = done(ada.post(f"{algorithm}/versions", body))
    identity = found["version_info"]["version_uuid"]
    assert re.fullmatch(UUID, identity)
    assert found["version_info"] == {"git_hash": commit, "semantic_version": "0.1.0", "version_uuid": identity}
    assert found["build"]["version_info"] == {"semantic_version": "0.1.0"}
    assert found["settings"]["algorithm_callability"] == "private"
    assert ada.found(algorithm) == found


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"version_type": "huge"}, "version_info.version_type cannot be 'huge'"),
        ({"version_type": "default"}, "version_info.version_type"),
        ({"type": "huge"}, "version_info.type"),
        ({"version_type": 1}, "`$.version_info.version_type`"),
        ({"version_type": "minor", "semantic_version": "1.0.0"}, "names both"),
        ({"semantic_version": "1.0"}, "(ALG-01)"),
        ({"semantic_version": "v1.0.0"}, "(ALG-01)"),
        ({"semantic_version": "3.0.0"}, "(PDB-04)"),
        ({"git_hash": "abc"}, "version_info.git_hash"),
        ({"release_notes": 7}, "`$.version_info.release_notes`"),
        ({"release_notes": "\0"}, "notes"),
    ],
)
def test_publications_that_are_refused(ada: Http, tmp_path: Path, info: dict[str, Any], words: str) -> None:
    algorithm = ada.created()
    ada.published(algorithm, tmp_path)
    ada.compiled(algorithm, tmp_path, ECHO + "#")
    assert words in refused(ada.post(f"{algorithm}/versions", {"version_info": info}), 400, 6001)
    assert numbers(ada.found(f"{algorithm}/versions")) == ["0.1.0", None]


@pytest.mark.clause("ALG-08")
@pytest.mark.clause("ALG-10")
def test_a_contradiction_of_visibility_is_refused_with_its_clause(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    ada.published(algorithm, tmp_path, PUBLIC)
    ada.compiled(algorithm, tmp_path)
    minor = refused(ada.post(f"{algorithm}/versions", PRIVATE), 400, 6001)
    assert "0.2.0" in minor
    assert "(ALG-08): ALG-08: " in minor
    assert "help: " in minor
    revision = {**PRIVATE, "version_info": {"version_type": "revision"}}
    assert "(ALG-10): ALG-10: " in refused(ada.post(f"{algorithm}/version", revision), 400, 6001)
    inherited = done(ada.post(f"{algorithm}/version", {"version_info": {"version_type": "patch"}}))
    assert inherited["version_info"]["semantic_version"] == "0.1.1"
    assert inherited["settings"]["algorithm_callability"] == "public"


@pytest.mark.clause("ALG-02")
def test_a_number_is_used_once(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    ada.published(algorithm, tmp_path)
    ada.compiled(algorithm, tmp_path)
    told = refused(ada.post(f"{algorithm}/versions", {"version_info": {"semantic_version": "0.1.0"}}), 400, 6001)
    assert "(ALG-02): ALG-02: " in told


def test_what_the_source_declares(ada: Http, tmp_path: Path) -> None:
    declared, asked = ada.created(), ada.created()
    permissions = {"visibility": "public", "source_visibility": "open"}
    ada.compiled(declared, tmp_path, permissions=permissions)
    told = refused(ada.post(f"{declared}/versions", {"settings": {"source_visibility": "closed"}}), 400, 6001)
    assert "settings.source_visibility cannot be closed: the build has open" in told
    found = done(ada.post(f"{declared}/versions", {"settings": {"source_visibility": "open"}}))["settings"]
    assert (found["algorithm_callability"], found["source_visibility"]) == ("public", "open")
    ada.compiled(asked, tmp_path, permissions=permissions)
    assert done(ada.post(f"{asked}/versions", PRIVATE))["settings"]["algorithm_callability"] == "private"


def test_settings_of_the_algorithm_hold_for_sources_that_declare_nothing(ada: Http) -> None:
    algorithm = ada.created(source_visibility="open", pipeline_enabled=True, license="mit")
    done(ada.post(f"{algorithm}/compile"))
    found = done(ada.post(f"{algorithm}/versions", {"settings": {"pipeline_enabled": True}}))["settings"]
    assert (found["source_visibility"], found["pipeline_enabled"], found["license"]) == ("open", True, "mit")


def test_a_build_is_published_once_however_often_it_is_asked(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    commit = ada.compiled(algorithm, tmp_path)
    bodies = [{}, {"version_info": {"git_hash": commit}}, {"version_info": {"version_type": "major"}}, PUBLIC] * 2
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda body: ada.post(f"{algorithm}/versions", body), bodies))
    assert sorted(reply.status_code for reply in replies) == [200] + [400] * 7
    for reply in replies:
        if reply.status_code == 400:
            assert "is published already, as " in refused(reply, 400, 1007)
    assert len(ada.found(f"{algorithm}/versions")["results"]) == 1


def test_everything_by_uuid_as_by_name(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    identity = ada.found(algorithm)["id"]
    built = done(ada.post(f"{identity}/compile"))
    published = done(ada.post(f"{identity}/version", PUBLIC))
    commit, build = built["version_info"]["git_hash"], built["build"]["build_id"]
    paths = ["", "/versions", f"/versions/{commit}", "/versions/0.1.0", "/builds", f"/builds/{build}",
             f"/builds/{build}/logs", "/scm/status", "/errors"]  # fmt: skip
    for path in paths:
        by_name = ada.get(algorithm + path)
        assert by_name.status_code == 200
        for name in (algorithm, identity, identity.upper()):
            for slashes in ("", "/", "//"):
                reply = ada.get(name + path + slashes)
                assert (reply.status_code, reply.content) == (200, by_name.content), reply.text
    assert ada.found(f"{algorithm}/versions")["results"][0]["version_info"] == published["version_info"]
    doubled = httpx2.get(f"{ada.server.address}//v1/algorithms/{algorithm}/", headers={"Authorization": ada.key})
    assert doubled.json() == ada.found(algorithm)


@pytest.mark.digest("2.4 head", "3.2 head")
def test_head_is_get_without_a_body(ada: Http) -> None:
    algorithm = ada.created()
    for path in (algorithm, f"{algorithm}/versions/", f"{algorithm}/errors"):
        reply = ada.client.head(f"/v1/algorithms/{path}")
        assert (reply.status_code, reply.content) == (200, b"")
        assert "x-error-message" not in reply.headers
    for path, status, words in [
        ("algorithms/nobody/nothing", 404, "No such algorithm"),
        (f"algorithms/{algorithm}/versions?limit=%0Aé\N{SNOWMAN}", 400, "limit cannot be"),
        (f"algorithms/{algorithm}/nothing%0Ahere", 404, "there is nothing at"),
        (f"algorithms/{algorithm}/compile", 405, "HEAD is not for"),
    ]:
        reply = ada.client.head(f"/v1/{path}")
        assert (reply.status_code, reply.content) == (status, b"")
        assert words in reply.headers["x-error-message"]
        assert reply.headers["x-error-message"].isprintable()


def test_what_there_is_not(ada: Http) -> None:
    algorithm = ada.created()
    for path in ("nothing", f"algorithms/{algorithm}/nothing", "algorithms/a/b/c/d/e"):
        assert "there is nothing at" in refused(ada.client.get(f"/v1/{path}"), 404, 2015)
    reply = ada.client.patch(f"/v1/algorithms/{algorithm}")
    assert "PATCH is not for" in refused(reply, 405, 2015)
    assert "GET" in reply.headers["allow"]
    refused(ada.get(f"{algorithm}/compile"), 405, 2015)
    refused(ada.get(f"{algorithm}/versions/1.2.3"), 404, 1000)


def test_languages_and_environments(ada: Http) -> None:
    address = "/v1/algorithm-environments/edge/languages"
    languages = ada.client.get(address).json()
    assert [language["name"] for language in languages] == ["anaconda3", "python3"]
    assert all(isinstance(json.loads(language["configuration"]), dict) for language in languages)
    (environment,) = done(ada.client.get(f"{address}/python3/environments/"))["environments"]
    assert set(environment) == {"id", "environment_specification_id", "display_name", "description", "created_at",
                                "language", "machine_type"}  # fmt: skip
    assert re.fullmatch(MOMENT, environment["created_at"])
    assert done(ada.client.get(f"{address}/python3/environments"))["environments"] == [environment]
    refused(ada.client.get(f"{address}/rust/environments"), 400, 4001)
    refused(httpx2.get(ada.server.address + address), 401, 2002)


def test_pages_of_versions(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    for mark in range(4):
        ada.published(algorithm, tmp_path, mark=f"v{mark}")
    builds = [ada.compiled(algorithm, tmp_path, ECHO + f"#{mark}") for mark in range(3)]
    everything = ada.found(f"{algorithm}/versions")
    assert (everything["marker"], everything["next_link"]) == (None, None)
    assert numbers(everything) == ["0.4.0", "0.3.0", "0.2.0", "0.1.0", None, None, None]
    assert [v["version_info"]["git_hash"] for v in everything["results"][4:]] == builds[::-1]
    for limit in (1, 2, 3, 4, 6, 7, 100):
        page, found = ada.found(f"{algorithm}/versions", limit=limit), []
        while page["next_link"]:
            assert len(page["results"]) == limit
            found += page["results"]
            page = done(ada.client.get(page["next_link"]))
        assert found + page["results"] == everything["results"]


def test_pages_neither_repeat_nor_hide_what_others_publish_meanwhile(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    for mark in range(3):
        ada.published(algorithm, tmp_path, mark=f"v{mark}")
    first = ada.found(f"{algorithm}/versions", limit=2, published="true", callable="False")
    assert numbers(first) == ["0.3.0", "0.2.0"]
    assert "published=true" in first["next_link"]
    assert "callable=False" in first["next_link"]
    ada.published(algorithm, tmp_path)
    assert numbers(done(ada.client.get(first["next_link"]))) == ["0.1.0"]
    marker = ada.found(f"{algorithm}/builds", limit=3)["marker"]
    ada.compiled(algorithm, tmp_path)
    assert len(ada.found(f"{algorithm}/builds", marker=marker)["results"]) == 1


def test_filters_of_versions(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    ada.published(algorithm, tmp_path)
    ada.published(algorithm, tmp_path, {**PUBLIC, "version_info": {"version_type": "major"}})
    ada.compiled(algorithm, tmp_path)
    for query, expected in [
        ({}, ["1.0.0", "0.1.0", None]),
        ({"published": "true"}, ["1.0.0", "0.1.0"]),
        ({"published": "False"}, [None]),
        ({"callable": "TRUE"}, ["1.0.0"]),
        ({"callable": "false"}, ["0.1.0", None]),
        ({"published": "true", "callable": "false"}, ["0.1.0"]),
        ({"published": "false", "callable": "true"}, []),
        ({"published": "", "callable": "", "limit": "", "marker": "", "x": "y"}, ["1.0.0", "0.1.0", None]),
    ]:
        assert numbers(ada.found(f"{algorithm}/versions", **query)) == expected
    for name in ("published", "callable"):
        assert name in refused(ada.get(f"{algorithm}/versions", params={name: "yes"}), 400, 6001)


@pytest.mark.parametrize("suffix", ["versions", "builds"])
def test_limits_and_markers_that_are_none(ada: Http, suffix: str) -> None:
    address = f"{ada.created()}/{suffix}"
    for limit in ("0", "-1", "101", "1.5", "abc", "1" * 30, "\N{SUPERSCRIPT TWO}"):
        assert "from 1 to 100" in refused(ada.get(address, params={"limit": limit}), 400, 5003)
    for limit in ("1", "56", "100"):
        assert ada.found(address, limit=limit) == {"marker": None, "next_link": None, "results": []}
    for marker in (
        "x",
        "é",
        "bnVsbA",
        "W10",
        "WzEsMl0",
        "WzEsMiwtM10",
        "WyJhIiwiYiJd",
        "W3RydWUsMSwxXQ",
        "A" * 300,
        "[" * 90,
    ):
        assert "marker" in refused(ada.get(address, params={"marker": marker}), 400, 5002)


def test_the_address_in_links_is_the_client_s(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    ada.published(algorithm, tmp_path)
    ada.published(algorithm, tmp_path)
    for host, expected in [
        ("troth.example:8443", "http://troth.example:8443/"),
        ("[::1]:80", "http://[::1]:80/"),
        ("evil.example/path", ada.server.address),
        ('"><script>', ada.server.address),
        ("user@evil.example", ada.server.address),
        ("[", ada.server.address),
    ]:
        found = done(ada.get(f"{algorithm}/versions?limit=1", headers={"Host": host}))
        assert found["next_link"].startswith(expected)
        assert found["results"][0]["self_link"].startswith(expected)


@pytest.mark.clause("ALG-25")
def test_strangers_hear_the_same_of_private_algorithms_and_of_none(ada: Http, sam: Http) -> None:
    algorithm = ada.created()
    identity = done(ada.post(f"{algorithm}/compile"))["id"]
    done(ada.post(f"{algorithm}/versions", {}))
    nothing, unknown = f"{ada.name}/nothing", str(uuid.uuid4())
    for name in (algorithm, identity, nothing, unknown, "nobody/nothing", "no-body/no.thing", "a/%00"):
        for path in GETS:
            reply = sam.get(name + path)
            assert (reply.status_code, reply.content) == (404, b'{"error":"No such algorithm"}')
        for path in POSTS:
            assert refused(sam.post(name + path, {}), 404, 1000) == "No such algorithm"
    for private, none in ((algorithm, nothing), (identity, unknown)):
        headers = [sorted(set(sam.get(name).headers) - {"date"}) for name in (private, none)]
        assert headers[0] == headers[1]
        assert without_ids(sam.post(f"{private}/compile")) == without_ids(sam.post(f"{none}/compile"))
        assert without_ids(sam.client.put(f"/v1/algorithms/{private}")) == without_ids(
            sam.client.put(f"/v1/algorithms/{none}")
        )
    assert ada.get(nothing).content == b'{"error":"No such algorithm"}'


@pytest.mark.clause("ALG-25")
def test_what_strangers_see_of_a_public_algorithm(ada: Http, sam: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    private = ada.published(algorithm, tmp_path)
    public = ada.published(algorithm, tmp_path, {**PUBLIC, "version_info": {"version_type": "major"}})
    ada.published(algorithm, tmp_path, {**PRIVATE, "version_info": {"version_type": "major"}})
    commit = public["version_info"]["git_hash"]
    found = sam.found(algorithm)
    assert ada.found(algorithm)["version_info"] == {**found["version_info"], "git_hash": commit}
    assert found["version_info"] == {
        "semantic_version": "1.0.0", "version_uuid": public["version_info"]["version_uuid"]
    }  # fmt: skip
    assert found["compilation"] == {"successful": True}
    assert set(found["build"]) == {"build_id", "status", "started_at", "finished_at", "resource_type", "version_info"}
    assert sam.found(found["self_link"].partition("/v1/algorithms/")[2]) == found
    page = sam.found(f"{algorithm}/versions")
    assert numbers(page) == ["1.0.0"]
    for text in (json.dumps(found), json.dumps(page)):
        assert re.search("[0-9a-f]{40}", text) is None
    assert numbers(sam.found(f"{algorithm}/versions", published="true", callable="true")) == ["1.0.0"]
    for query in ({"callable": "false"}, {"published": "false"}):
        assert numbers(sam.found(f"{algorithm}/versions", **query)) == []
    hidden = [commit, private["version_info"]["git_hash"], "a" * 40, "0.1.0", "2.0.0", "9.9.9"]
    replies = [sam.get(f"{algorithm}/versions/{which}") for which in hidden]
    for which, reply in zip(hidden, replies, strict=True):
        assert refused(reply, 404, 1000).replace(which, "9.9.9") == replies[-1].json()["message"]
    build = public["build"]["build_id"]
    for path in ("builds", f"builds/{build}", f"builds/{build}/logs", "builds/nope", "scm/status", "errors"):
        assert "members of its owner" in refused(sam.get(f"{algorithm}/{path}"), 403, 2001)
    for path in POSTS:
        refused(sam.post(f"{algorithm}/{path[1:]}", {}), 403, 2001)
    refused(sam.client.put(f"/v1/algorithms/{algorithm}", json={}), 403, 2001)


@pytest.mark.clause("ALG-26")
def test_membership_decides_at_the_time_of_the_question(ada: Http, sam: Http, server: RunningServer) -> None:
    admin = server.client(ada.key)
    organization = server.organization(admin)
    algorithm = f"{organization}/x"
    identity = done(ada.post(organization, BODY))["id"]
    for name in (algorithm, identity):
        assert sam.get(name).status_code == 404
    admin.command("add_member", organization=organization, account=sam.name, role="member")
    assert sam.found(identity)["id"] == identity
    assert done(sam.post(f"{algorithm}/compile"))["compilation"]["successful"]
    admin.command("remove_member", organization=organization, account=sam.name)
    for name in (algorithm, identity):
        assert sam.get(f"{name}/builds").content == b'{"error":"No such algorithm"}'
    refused(sam.post(f"{identity}/versions", {}), 404, 1000)


@pytest.mark.digest("2.1 bare", "2.1 simple", "2.1 bearer")
def test_every_form_of_authorization(ada: Http) -> None:
    algorithm = ada.created()
    address = f"{ada.server.address}/v1/algorithms/{algorithm}"
    for prefix in ("", "Simple ", "simple ", "Bearer "):
        assert httpx2.get(address, headers={"Authorization": prefix + ada.key}).status_code == 200
    wrong: list[dict[str, str]] = [{}, {"Authorization": ""}, {"Authorization": "Simple simNone"}]
    for headers in wrong:
        assert refused(httpx2.get(address, headers=headers), 401, 2002) == "authorization required"
        assert refused(httpx2.post(f"{address}/versions", headers=headers), 401, 2002) == "authorization required"
        assert httpx2.head(address, headers=headers).headers["x-error-message"] == "authorization required"


@pytest.mark.digest("3.2 top")
def test_the_python_client_hears_why_it_is_refused(ada: Http) -> None:
    """It throws away what comes with 4xx to a post, so to it alone refusals come with 200, as those of calls do."""
    algorithm = ada.created()
    address = f"{ada.server.address}/v1/algorithms/{algorithm}/versions"
    python = {"User-Agent": "python-requests/2.32.0", "Authorization": ada.key}
    reply = httpx2.post(address, headers=python)
    assert (reply.status_code, reply.json()["error"]["code"]) == (200, 1004)
    assert httpx2.put(address.removesuffix("/versions"), headers=python).json()["error"]["code"] == 2013
    refused(httpx2.post(address, headers={**python, "Authorization": f"Simple {ada.key}"}), 400, 1004)
    refused(httpx2.post(address, headers={**python, "User-Agent": "curl/8"}), 400, 1004)
    refused(httpx2.get(f"{address}?limit=0", headers=python), 400, 5003)
    unfinished = httpx2.post(address.replace("/versions", "/collections/x"), headers=python, json={})
    assert unfinished.json()["error"]["code"] == 5005
