"""Management by curl, as the documentation and the rewrite of the Node client ask for it (algorithmia-api, sections 6 to 12)."""

from __future__ import annotations

import io
import json
import re
import tarfile
import uuid
from typing import Any

import pytest

from tests.clients.curl import Answer, Curl
from tests.server import RunningServer

JSON, TEXT = "Content-Type: application/json", "Content-Type: text/plain"
SETTINGS = {"source_visibility": "closed", "license": "apl", "network_access": "isolated", "pipeline_enabled": False,
            "language": "python3-1"}  # fmt: skip
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture(scope="module")
def root(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Curl:
    """The command with an administrator's key."""
    return Curl(server.address, tmp_path_factory.mktemp("curl"), f"Simple {server.owner_key}")


@pytest.fixture(scope="module")
def user(server: RunningServer) -> str:
    return server.account("curl")[0]


@pytest.fixture(scope="module")
def curl(server: RunningServer, root: Curl, user: str) -> Curl:
    """The command with the user's key."""
    return root.with_key(f"Simple {server.keys[user]}")


def sent(curl: Curl, method: str, path: str, body: Any = None) -> Answer:
    """The answer to a request with a JSON body, or without a body."""
    options = ["-H", JSON, "-d", json.dumps(body)] if body is not None else ["-d", ""] if method == "POST" else []
    return curl(path, "-X", method, *options)


def created(server: RunningServer, curl: Curl, user: str, **settings: Any) -> tuple[str, dict[str, Any]]:
    """The path of a new algorithm, and what was answered."""
    name = server.new_name("algo")
    body = {"name": name, "details": {"label": "Hello"}, "settings": {**SETTINGS, **settings}}
    return f"/v1/algorithms/{user}/{name}", sent(curl, "POST", f"/v1/algorithms/{user}", body).done


@pytest.mark.digest("6 create", "6 get", "6 compile", "6 version_post", "6 delete", "6.1 answer", "6.1 language", "6.1 template", "6.3 git_hash",
                    "6.3 finished", "7.1 name", "3.3 others")  # fmt: skip
def test_the_life_of_an_algorithm(server: RunningServer, curl: Curl, user: str) -> None:
    path, made = created(server, curl, user)
    reference = path.removeprefix("/v1/algorithms/")
    assert (made["name"], made["resource_type"]) == (reference.split("/")[1], "algorithm")
    assert made["settings"]["algorithm_callability"] == "private"
    assert made["settings"]["language"].startswith("python3")
    assert "version_info" not in made
    assert curl(path).done == made
    built = sent(curl, "POST", f"{path}/compile", {}).done
    commit = built["version_info"]["git_hash"]
    assert (built["compilation"]["successful"], re.fullmatch("[0-9a-f]{40}", commit) is not None) == (True, True)
    assert curl(f"/v1/algo/{reference}/{commit}/?output=raw", "-H", TEXT, "-d", "HAL").text == "hello HAL"
    assert sent(curl, "POST", f"{path}/compile").done["version_info"]["git_hash"] == commit  # no body, and nothing new
    version = sent(curl, "POST", f"{path}/version", {"version_info": {"version_type": "revision"}}).done
    assert version["version_info"]["semantic_version"] == "0.0.1"
    gone = curl(path, "-X", "DELETE")
    assert (gone.status in (200, 204), gone.body) == (True, b"")
    assert curl(path).status == 404


@pytest.mark.digest("6 by_id", "6 errors", "6 secrets", "12.3 provider", "12.3 secrets", "7.1 id")
def test_everything_by_id(server: RunningServer, curl: Curl, user: str) -> None:
    path, made = created(server, curl, user)
    assert str(uuid.UUID(made["id"])) == made["id"]
    by_id = f"/v1/algorithms/{made['id']}"
    sent(curl, "POST", f"{by_id}/compile", {})
    for below in ("", "/versions", "/builds", "/errors", "/secrets", "/scm/status"):
        assert curl(by_id + below).body == curl(path + below).body
    assert curl(f"{by_id}/errors").done == []
    provider = curl("/v1/secret-provider").done[0]["id"]
    secret = {"owner_type": "algorithm", "owner_id": made["id"], "short_name": "token", "provider_id": provider,
              "secret_key": "TOKEN", "secret_value": "very hidden", "description": "a token"}  # fmt: skip
    answer = sent(curl, "POST", f"{by_id}/secrets", secret)
    assert {key: answer.done[key] for key in secret if key != "secret_value"} == {
        key: value for key, value in secret.items() if key != "secret_value"
    }
    listed = curl(f"{by_id}/secrets")
    assert [one["secret_key"] for one in listed.done["secrets"]] == ["TOKEN"]
    assert b"very hidden" not in answer.body + listed.body


@pytest.mark.digest(
    "6.1 environment", "12.1 languages", "12.1 anaconda3", "12.1 environments", "12.1 unknown", "12.2 template"
)
def test_environments(server: RunningServer, curl: Curl, user: str) -> None:
    below = "/v1/algorithm-environments/edge/languages"
    languages = curl(below).done
    assert languages[0]["name"] == "anaconda3"
    assert all(isinstance(json.loads(language["configuration"]), dict) for language in languages)
    (environment,) = curl(f"{below}/python3/environments").done["environments"]
    assert environment["machine_type"] == "CPU"
    assert "error" in curl(f"{below}/cobol/environments").json
    _, made = created(server, curl, user, language=None, algorithm_environment=environment["id"])
    assert made["settings"]["algorithm_environment"] == environment["id"]
    for settings, code in (
        ({"package_set": "tensor"}, 1003),
        ({"language": "cobol"}, 4001),
        ({"environment": "gpu"}, 4004),
    ):
        body = {"name": server.new_name("algo"), "details": {"label": "x"}, "settings": {**SETTINGS, **settings}}
        refused = sent(curl, "POST", f"/v1/algorithms/{user}", body)
        assert refused.refused(400)
        assert refused.json["code"] == code
    address = f"/v1/algorithm-environments/edge/environment-specifications/{environment['environment_specification_id']}/template"
    packed = curl.with_key("")(address)
    with tarfile.open(fileobj=io.BytesIO(packed.body), mode="r:gz") as archive:
        assert "src/algorithm.py" in [name.removeprefix("./") for name in archive.getnames()]


@pytest.mark.digest("6 versions_post", "6 versions", "6 version", "6 builds", "6 build", "6 logs", "6 scm_status", "3.5 limit", "3.5 keys",
                    "7.1 semantic_version", "7.1 resource_type", "8 log")  # fmt: skip
def test_versions_and_builds(server: RunningServer, curl: Curl, user: str) -> None:
    path, _ = created(server, curl, user)
    commit = sent(curl, "POST", f"{path}/compile", {}).done["version_info"]["git_hash"]
    (build,) = curl(f"{path}/versions?published=false").done["results"]
    assert "semantic_version" not in build["version_info"]
    published = sent(curl, "POST", f"{path}/versions", {"version_info": {"version_type": "minor"}}).done
    assert (published["version_info"]["semantic_version"], published["resource_type"]) == ("0.1.0", "algorithm")
    assert published["self_link"].endswith(f"{path}/versions/{commit}")
    for number in (commit, "0.1.0"):
        assert curl(f"{path}/versions/{number}").done == published
    page = curl(f"{path}/builds?limit=56").done
    assert (page["marker"], page["next_link"], len(page["results"])) == (None, None, 1)
    (build,) = page["results"]
    assert (build["status"], build["commit_sha"]) == ("succeeded", commit)
    assert re.fullmatch(MOMENT, build["started_at"])
    assert curl(f"{path}/builds/{build['build_id']}").done == build
    assert curl(f"{path}/builds/{build['build_id']}/logs").done["logs"].startswith("Beginning container customization")
    assert curl(f"{path}/scm/status").done == {"scm_connection_status": "active"}
    assert curl(f"{path}/builds?limit=0").refused(400)
    assert curl(f"{path}/builds?marker=forged").json["code"] == 5002
    assert curl(f"{path}/log").done["commits"]


@pytest.mark.digest("6 update", "6.2 update", "7.1 scm", "7.1 callability")
def test_what_is_said_of_an_algorithm(server: RunningServer, curl: Curl, user: str) -> None:
    path, made = created(server, curl, user)
    changed = sent(curl, "PUT", path, {"details": {"label": "Other"}, "settings": {"license": "mit"}}).done
    assert (changed["details"]["label"], changed["settings"]["license"], changed["id"]) == ("Other", "mit", made["id"])
    # what the Python client sends: the names of the fields without their values
    names_only = curl(path, "-X", "PUT", "-d", "details=label&settings=license")
    assert names_only.refused(400)
    assert curl(path).done == changed
    assert changed["source"]["scm"]["id"] == "internal"
    assert changed["settings"]["algorithm_callability"] in ("public", "private")


@pytest.mark.digest("3.2 top", "3.2 wrapped", "3.2 no_such_algorithm", "3.2 not_empty", "12.5 no_such_algorithm")
def test_refusals(server: RunningServer, curl: Curl, user: str) -> None:
    path, _ = created(server, curl, user)
    exactly = b'{"error":"No such algorithm"}'
    for missing in (
        "/v1/algorithms/nobody/nothing",
        f"/v1/algorithms/{uuid.uuid4()}/errors",
        "/v1/algorithms/a/b/versions",
    ):
        answer = curl(missing)
        assert (answer.status, answer.body) == (404, exactly)
    for method, address, body in [
        ("POST", f"/v1/algorithms/{user}", {}), ("POST", f"{path}/versions", None), ("PUT", path, {"details": 7}),
        ("DELETE", "/v1/algorithms/nobody/nothing", None), ("PATCH", path, {}),
        ("POST", "/v1/nothing/here", {}), ("POST", "/v1/users", {"username": "x"}), ("GET", "/v1/users", None),
        ("PUT", "/v1/organizations/nobody/members/x", None), ("DELETE", "/v1/organizations/nobody", None),
    ]:  # fmt: skip
        answer = sent(curl, method, address, body)
        assert 400 <= answer.status < 500, (method, address, answer)
        assert answer.body
        assert answer.json["error"]["message"] == answer.json["message"]
        assert answer.refused(answer.status)


@pytest.mark.digest("11 create_user", "11 user_errors")
def test_users(server: RunningServer, root: Curl) -> None:
    name = server.new_name("made")
    body = {"username": name, "email": f"{name}@example.org", "passwordHash": "x", "shouldCreateHello": False}
    made = sent(root, "POST", "/v1/users", body).done
    assert (made["username"], made["resource_type"], made["self_link"].endswith(f"/v1/users/{name}")) == (
        name,
        "user",
        True,
    )
    assert root(f"/v1/users/{name}").done == made
    assert root(f"/v1/users/{made['id']}").done == made
    assert root(f"/v1/users/{name}/errors").done == []
    listed, marker = list[str](), ""
    while marker is not None:  # other tests made users too
        page = root(f"/v1/users?limit=100{marker and f'&marker={marker}'}").done
        listed += [one["username"] for one in page["results"]]
        marker = page["marker"]
    assert name in listed
    assert sent(root, "POST", "/v1/users", body).json["code"] == 3003
    gone = root(f"/v1/users/{name}", "-X", "DELETE")
    assert (gone.status in (200, 204), gone.body) == (True, b"")


@pytest.mark.digest("11 types", "11 create", "11 get", "11 put", "11 delete", "11 members", "11 errors", "3.3 put")
def test_organisations(server: RunningServer, root: Curl, user: str) -> None:
    kinds = root("/v1/organization/types").done
    assert [kind["name"] for kind in kinds] == ["basic", "legacy", "pro"]
    name = server.new_name("House")
    body = {
        "org_name": name,
        "org_label": "House",
        "org_contact_name": "a",
        "org_email": "a@example.org",
        "type_id": "",
    }
    made = sent(root, "POST", "/v1/organizations", body).done
    path = f"/v1/organizations/{name}"
    assert root(path).done == made
    changed = sent(root, "PUT", path, {**body, "org_label": "Other", "type_id": kinds[0]["id"]})
    assert (changed.status, changed.reason, changed.body) == (204, "No Content", b"")
    assert root(path).done["org_label"] == "Other"
    added = root(f"{path}/members/{user}", "-X", "PUT", "-H", "Content-Length: 0")
    assert (added.status, added.body) == (200, b"")
    roles = {one["username"]: one["role"] for one in root(f"{path}/members").done["results"]}
    assert roles == {"owner": "owner", user: "member"}
    assert root(f"{path}/errors").done == []
    removed = root(f"{path}/members/{user}", "-X", "DELETE")
    assert (removed.status in (200, 204), removed.body) == (True, b"")
    assert "last" in root(f"{path}/members/owner", "-X", "DELETE").refused(400)
    gone = root(path, "-X", "DELETE")
    assert (gone.status in (200, 204), gone.body) == (True, b"")
    assert root(path).json["code"] == 3100


@pytest.mark.digest("11 scms", "11 scm", "11 oauth")
def test_places_of_sources(curl: Curl) -> None:
    internal = next(one for one in curl("/v1/scms").done["results"] if one["id"] == "internal")
    assert internal["provider"] == "internal"
    assert curl("/v1/scms/internal").done["enabled"] is True
    assert curl("/v1/scms/internal/oauth/status").done["authorization_status"] == "unauthorized"
    assert curl("/v1/scms/internal/token/status", "-X", "POST", "-d", "").done["authorization_status"] == "unauthorized"
