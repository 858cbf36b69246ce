"""What becomes of algorithms: updates, commits, failed calls, deletion, and the same name taken again (architecture, 8.5)."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import httpx2
import pytest

from tests.doors.http import PRIVATE, PUBLIC, Http, done, numbers, refused, without_ids
from tests.server import RunningServer, running_server


def call(http: Http, reference: str, given: str = "x") -> dict[str, object]:
    reply = http.client.post(f"/v1/algo/{reference}", content=given.encode(), headers={"Content-Type": "text/plain"})
    assert reply.status_code == 200
    found: dict[str, object] = reply.json()
    return found


def answers(http: Http, *references: str) -> list[object]:
    """What each of them answers to x; None for an error."""
    return [call(http, reference).get("result") for reference in references]


# --- updates


def test_an_update_says_other_things_of_an_algorithm(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    before = ada.found(algorithm)
    version = ada.published(algorithm, tmp_path)
    address = f"/v1/algorithms/{algorithm}"
    change = {"details": {"label": "Other", "tagline": "new"}, "settings": {"license": "mit", "network_access": "full"}}
    found = done(ada.client.put(address, json=change))
    assert found["details"] == {**version["details"], "label": "Other", "tagline": "new"}
    assert found["settings"]["license"] == "mit"
    assert found["id"] == before["id"]
    # a version is as it was published
    kept = ada.found(f"{algorithm}/versions/0.1.0")
    assert kept["settings"]["network_access"] == version["settings"]["network_access"] == "isolated"
    assert ada.published(algorithm, tmp_path, {"version_info": {"version_type": "major"}})["settings"][
        "network_access"
    ] == ("full")
    assert done(ada.client.put(f"/v1/algorithms/{before['id']}", json={}))["details"]["label"] == "Other"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"data": {"details": "label"}}, 2013),
        ({}, 2013),
        ({"content": b"{"}, 2013),
        ({"json": []}, 6001),
        ({"json": {"details": "label"}}, 6001),
        ({"json": {"settings": {"source_visibility": "ajar"}}}, 6001),
        ({"json": {"settings": {"language": "rust"}}}, 4001),
        ({"json": {"settings": {"environment": "gpu"}}}, 4004),
    ],
)
def test_updates_that_change_nothing(ada: Http, body: dict[str, object], code: int) -> None:
    algorithm = ada.created()
    before = ada.found(algorithm)
    refused(ada.client.put(f"/v1/algorithms/{algorithm}", **body), 400, code)  # type: ignore[arg-type]
    assert ada.found(algorithm) == before


# --- commits and failed calls


def test_commits(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    first = done(ada.get(f"{algorithm}/log"))["commits"]
    assert [(one["author"], one["short_message"]) for one in first] == [(ada.name, "Template")]
    commit = ada.compiled(algorithm, tmp_path)
    found = done(ada.get(f"{algorithm}/log", params={"since": "2000-01-01", "until": "2100-01-01T00:00:00Z"}))
    assert [one["id"] for one in found["commits"]] == [commit, first[0]["id"]]
    assert set(found["commits"][0]) == {"id", "short_message", "message", "author"}
    for bounds in ({"since": "2100-01-01"}, {"until": "100"}):
        assert done(ada.get(f"{algorithm}/log", params=bounds)) == {"commits": []}
    for text in ("yesterday", "--output=x", "2020-01-01;rm", "\N{SNOWMAN}"):
        assert "since cannot be" in refused(ada.get(f"{algorithm}/log", params={"since": text}), 400, 6001)


FAILING = """
def apply(input):
    if input == "raise":
        error = ValueError("no such city"); error.error_type = "InputError"; raise error
    return input
"""


@pytest.mark.digest("6 errors")
def test_failed_calls_are_kept_without_what_was_given(ada: Http, sam: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    ada.compiled(algorithm, tmp_path, FAILING)
    done(ada.post(f"{algorithm}/versions", PUBLIC))
    identity = ada.found(algorithm)["id"]
    assert ada.get(f"{identity}/errors").json() == []
    reply = sam.client.post(
        f"/v1/algo/{algorithm}/0.1", content=b'"raise"', headers={"Content-Type": "application/json"}
    )
    assert answers(sam, algorithm) == ["x"]
    (found,) = ada.get(f"{identity}/errors").json()
    assert found["request_id"] == reply.json()["metadata"]["request_id"]
    assert (found["username"], found["algoname"], found["algoversion"]) == (sam.name, algorithm.split("/")[1], "0.1.0")
    assert (found["error"], found["error_type"], found["input"]) == ("no such city", "InputError", "")
    assert isinstance(found["created_at"], int)
    assert ada.get(f"{algorithm}/errors").json() == [found]
    refused(sam.get(f"{algorithm}/errors"), 403, 2001)
    assert sam.get("00000000-0000-4000-8000-000000000000/errors").json() == {"error": "No such algorithm"}


def test_failed_calls_are_kept_for_the_next_server(tmp_path: Path) -> None:
    for number in (1, 2):
        with running_server(tmp_path / "home") as server, httpx2.Client(base_url=server.address, timeout=60) as client:
            owner = Http(server, client, "owner")
            if number == 1:
                reference, commit = server.build(tmp_path, "owner", server.owner, code=FAILING)
                client.post(f"/v1/algo/{reference}/{commit}", json="raise")
            found = owner.get(f"{reference}/errors").json()
            assert [one["error"] for one in found] == ["no such city"]


@pytest.mark.digest("12.2 template")
def test_the_template_needs_no_key(ada: Http, server: RunningServer, tmp_path: Path) -> None:
    languages = "/v1/algorithm-environments/edge/languages/python3/environments"
    (environment,) = done(ada.client.get(languages))["environments"]
    specification = environment["environment_specification_id"]
    address = f"{server.address}/v1/algorithm-environments/edge/environment-specifications"
    reply = httpx2.get(f"{address}/{specification}/template")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/gzip")
    with tarfile.open(fileobj=io.BytesIO(reply.content)) as archive:
        assert archive.getnames() == ["troth.toml", "src/algorithm.py"]
        archive.extractall(tmp_path, filter="data")
    assert "hello" in (tmp_path / "src/algorithm.py").read_text()
    refused(httpx2.get(f"{address}/nope/template"), 404, 6001)


# --- deletion


@pytest.mark.digest("6 delete")
@pytest.mark.clause("ALG-02")
def test_a_deleted_algorithm_is_hidden_and_its_complete_numbers_run(ada: Http, sam: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    name = algorithm.split("/")[1]
    private = ada.published(algorithm, tmp_path, {**PRIVATE})
    commit = private["version_info"]["git_hash"]
    unknown = [without_ids(ada.get(f"{ada.name}/never{ending}")) for ending in ("", "/builds", "/versions")]
    reply = ada.client.delete(f"/v1/algorithms/{algorithm}")
    assert (reply.status_code, reply.content, reply.reason_phrase) == (204, b"", "No Content")
    assert "content-type" not in reply.headers
    for path, expected in zip(("", "/builds", "/versions"), unknown, strict=True):
        assert without_ids(ada.get(f"{algorithm}{path}")) == expected
    refused(ada.client.delete(f"/v1/algorithms/{algorithm}"), 404, 1000)
    refused(ada.post(f"{algorithm}/compile"), 404, 1000)
    # who named an exact version keeps it (ALG-13); who said "whatever is newest" has nothing to get
    assert answers(ada, f"{algorithm}/0.1.0", f"{algorithm}/{commit}") == ["x", "x"]
    assert (
        answers(ada, algorithm, f"{algorithm}/0.1", f"{algorithm}/latest", f"{algorithm}/latestPrivate") == [None] * 4
    )
    assert answers(sam, f"{algorithm}/0.1.0") == [None]

    again = done(ada.post(ada.name, {"name": name, "details": {"label": "X"}, "settings": private_settings()}))
    assert (again["id"], "version_info" in again) == (private["id"], False)
    assert ada.found(f"{algorithm}/versions")["results"] == []
    assert ada.found(f"{algorithm}/builds")["results"] == []
    refused(ada.post(f"{algorithm}/versions", {}), 400, 1004)
    built = done(ada.post(f"{algorithm}/compile"))
    assert built["version_info"]["git_hash"] != commit
    fresh = done(ada.post(f"{algorithm}/versions", {}))
    assert fresh["version_info"]["semantic_version"] == "0.2.0"  # above the highest ever used
    assert answers(ada, f"{algorithm}/0.2.0", f"{algorithm}/latestPrivate", f"{algorithm}/0.1.0") == [
        "hello x", "hello x", "x"
    ]  # fmt: skip
    assert numbers(ada.found(f"{algorithm}/versions")) == ["0.2.0"]


def private_settings() -> dict[str, object]:
    return {"source_visibility": "closed", "license": "apl", "network_access": "isolated", "pipeline_enabled": False}


def test_a_new_life_floats_to_what_was_published_in_it(root: Http, sam: Http, tmp_path: Path) -> None:
    algorithm = root.created()
    assert root.published(algorithm, tmp_path, PUBLIC)["version_info"]["semantic_version"] == "0.1.0"
    assert answers(sam, algorithm, f"{algorithm}/0.1", f"{algorithm}/0.1.0") == ["x", "x", "x"]
    assert root.client.delete(f"/v1/algorithms/{algorithm}").status_code == 204
    assert answers(sam, algorithm, f"{algorithm}/0.1", f"{algorithm}/0.*", f"{algorithm}/0.1.0") == [
        None,
        None,
        None,
        "x",
    ]
    body = {"name": algorithm.split("/")[1], "details": {"label": "X"}, "settings": private_settings()}
    done(root.post(root.name, body))
    assert sam.get(algorithm).json() == {"error": "No such algorithm"}
    assert answers(sam, algorithm, f"{algorithm}/0.1.0") == [None, "x"]
    done(root.post(f"{algorithm}/compile"))
    done(root.post(f"{algorithm}/versions", {"settings": {"algorithm_callability": "public"}}))
    assert answers(sam, algorithm, f"{algorithm}/0.1", f"{algorithm}/0.1.0", f"{algorithm}/0.2") == [
        "hello x", None, "x", "hello x"
    ]  # fmt: skip
    why = root.server.client(root.key).resolve(f"{algorithm}/0.1")
    assert not why["resolved"]
    assert root.server.client(root.key).resolve(f"{algorithm}/0.1.0")["version"] == "0.1.0"


def test_the_name_of_a_deleted_algorithm_is_its_owners(ada: Http, sam: Http) -> None:
    algorithm = ada.created()
    name = algorithm.split("/")[1]
    assert ada.client.delete(f"/v1/algorithms/{algorithm}/").status_code == 204
    body = {"name": name.upper(), "details": {"label": "X"}, "settings": private_settings()}
    refused(ada.post(ada.name, body), 400, 1002)
    refused(sam.post(ada.name, {**body, "name": name}), 403, 2001)
    for _ in range(3):  # as often as wanted, also within one second
        done(ada.post(ada.name, {**body, "name": name}))
        built = done(ada.post(f"{algorithm}/compile"))
        assert answers(ada, f"{algorithm}/{built['version_info']['git_hash']}") == ["hello x"]
        assert ada.client.delete(f"/v1/algorithms/{algorithm}").status_code == 204


@pytest.mark.parametrize(("who", "status"), [("owner", 403), ("admin of the server", 204), ("a stranger", 403)])
def test_who_deletes_what_everybody_may_call(
    ada: Http, sam: Http, root: Http, tmp_path: Path, who: str, status: int
) -> None:
    algorithm = ada.created()
    ada.published(algorithm, tmp_path, PUBLIC)
    http = {"owner": ada, "admin of the server": root, "a stranger": sam}[who]
    reply = http.client.delete(f"/v1/algorithms/{algorithm}")
    assert reply.status_code == status
    assert ada.get(algorithm).status_code == (404 if status == 204 else 200)


def test_who_deletes_what_is_private(ada: Http, sam: Http, root: Http, server: RunningServer) -> None:
    organization = server.organization(server.client(ada.key))
    for member in (ada, sam):
        if member is sam:
            server.client(ada.key).command("add_member", organization=organization, account=sam.name, role="member")
        name = server.new_name("algo")
        body = {"name": name, "details": {"label": "X"}, "settings": private_settings()}
        done(ada.post(organization, body))
        algorithm = f"{organization}/{name}"
        for stranger in (root, sam) if member is ada else (root,):  # not even an administrator may know of it
            assert without_ids(stranger.client.delete(f"/v1/algorithms/{algorithm}")) == without_ids(
                stranger.client.delete(f"/v1/algorithms/{organization}/never")
            )
        assert member.client.delete(f"/v1/algorithms/{algorithm}").status_code == 204


def test_git_does_not_know_a_deleted_algorithm(ada: Http, tmp_path: Path) -> None:
    algorithm = ada.created()
    address = f"{ada.server.address}/git/{algorithm}.git/info/refs?service=git-upload-pack"
    assert httpx2.get(address, auth=(ada.name, ada.key)).status_code == 200
    ada.client.delete(f"/v1/algorithms/{algorithm}")
    assert httpx2.get(address, auth=(ada.name, ada.key)).status_code == 404


def test_a_deleted_algorithm_is_deleted_for_the_next_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_server(home) as server, httpx2.Client(base_url=server.address, timeout=60) as client:
        owner = Http(server, client, "owner")
        algorithm = owner.created()
        owner.published(algorithm, tmp_path, PUBLIC)
        assert client.delete(f"/v1/algorithms/{algorithm}").status_code == 204
    with running_server(home) as server, httpx2.Client(base_url=server.address, timeout=60) as client:
        owner = Http(server, client, "owner")
        assert answers(owner, algorithm, f"{algorithm}/0.1.0") == [None, "x"]
        assert owner.get(algorithm).status_code == 404
        assert json.loads(json.dumps(server.owner.garbage())) == []  # nothing of it is garbage
