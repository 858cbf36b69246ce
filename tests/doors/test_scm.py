"""Sources that others keep: places that the operator allowed, repositories there, and their signed webhooks."""

from __future__ import annotations

import functools
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doors.http import SETTINGS, Http, done, refused
from tests.faults.wire import wait_for
from tests.server import RunningServer, running_server

_IDENTITY = ["-c", "user.name=Grace", "-c", "user.email=grace@example.org"]
CODE = "def apply(input):\n    return {mark!r} + input\n"


@dataclass
class Elsewhere:
    """A folder with repositories of others, served by HTTP too."""

    folder: Path
    address: str

    def repository(self, name: str, mark: str = "first ") -> Path:
        """A repository with one commit, in a folder beside its working copy."""
        bare, copy = self.folder / "team" / f"{name}.git", self.folder / "copies" / name
        bare.parent.mkdir(exist_ok=True)
        _git("init", "--quiet", "--bare", "-b", "main", str(bare))
        _git("clone", "--quiet", str(bare), str(copy))
        self.push(name, mark)
        return bare

    def push(self, name: str, mark: str, *options: str) -> str:
        """One more commit with this code; its hash."""
        copy = self.folder / "copies" / name
        (copy / "src").mkdir(exist_ok=True)
        (copy / "src" / f"{name}.py").write_text(CODE.format(mark=mark))
        (copy / "algorithmia.conf").write_text(json.dumps({"username": "team", "algoname": name}))
        _git("add", "-A", at=copy)
        _git(*_IDENTITY, "commit", "--quiet", *(options or ("-m", mark)), at=copy)
        _git("push", "--quiet", "--force", "origin", "HEAD:main", at=copy)
        _git("update-server-info", at=self.folder / "team" / f"{name}.git")
        return _git("rev-parse", "HEAD", at=copy)


def _git(*arguments: str, at: Path | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=at, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    folder = tmp_path_factory.mktemp("elsewhere")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/moved"))
                self.end_headers()
            else:
                super().do_GET()

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield Elsewhere(folder, f"http://127.0.0.1:{listening.server_address[1]}")
    listening.shutdown()
    thread.join(30)
    listening.server_close()


@pytest.fixture(scope="module")
def server(elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose operator allows that folder and that address."""
    allowed = f"{elsewhere.folder}/, {elsewhere.address}/,http://127.0.0.1:1/"
    with running_server(tmp_path_factory.mktemp("home"), scm_allow=allowed) as running:
        yield running


@pytest.fixture
def root(server: RunningServer) -> Iterator[Http]:
    with httpx2.Client(base_url=server.address, timeout=60) as client:
        yield Http(server, client, "owner")


def scm(root: Http, base: str) -> str:
    """The id of a place, which is made if it is not there."""
    found = done(root.client.get("/v1/scms"))["results"]
    known = next((one["id"] for one in found if one["urls"].get("web") == base), None)
    made = known or done(root.client.post("/v1/admin/scms", json={"provider": "git", "urls": {"web": base}}))["id"]
    return str(made)


def linked(http: Http, scm_id: str, repository: str, owner: str = "team") -> httpx2.Response:
    """The answer to creating an algorithm whose source lies in that repository."""
    source = {"scm": scm_id, "repository_owner": owner, "repository_name": repository}
    return http.post(
        http.name,
        {"name": repository.split(".")[0], "details": {"label": "L"}, "settings": SETTINGS, "source": source},
    )


def hook(
    http: Http, algorithm: str, body: bytes = b"{}", *, secret: str | None = None, **headers: str
) -> httpx2.Response:
    secret = done(http.get(f"{algorithm}/scm/webhook"))["secret"] if secret is None else secret
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = {"X-Hub-Signature-256": signature, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx2.post(f"{http.server.address}/v1/algorithms/{algorithm}/scm/webhook", content=body, headers=given)


@pytest.mark.digest("11 scms")
@pytest.mark.parametrize("way", ["folder", "address"])
def test_a_source_that_others_keep(root: Http, ada: Http, elsewhere: Elsewhere, way: str) -> None:
    name = f"kept{way}"
    elsewhere.repository(name)
    place = scm(root, str(elsewhere.folder) if way == "folder" else elsewhere.address)
    made = done(linked(ada, place, name))
    algorithm = f"{ada.name}/{name}"
    assert made["source"]["scm"]["id"] == place
    assert made["source"]["repository_name"] == name
    assert done(ada.get(f"{algorithm}/scm/status")) == {"scm_connection_status": "active"}
    built = done(ada.post(f"{algorithm}/compile"))
    assert built["compilation"]["successful"], built
    first = built["version_info"]["git_hash"]
    assert first == _git("rev-parse", "HEAD", at=elsewhere.folder / "copies" / name)
    second = elsewhere.push(name, "second ")
    assert done(ada.post(f"{algorithm}/compile"))["version_info"]["git_hash"] == second
    reply = ada.client.post(f"/v1/algo/{algorithm}/{second}", content=b"x", headers={"Content-Type": "text/plain"})
    assert reply.json()["result"] == "second x"
    # troth's own repositories are the only ones that are written to here
    address = f"{ada.server.address}/git/{algorithm}.git/info/refs?service=git-receive-pack"
    assert httpx2.get(address, auth=(ada.name, ada.key)).status_code == 404
    commit = done(ada.get(f"{algorithm}/log"))["commits"][0]
    assert (commit["id"], commit["author"]) == (second, "Grace")


def test_a_webhook_builds_what_was_pushed(root: Http, ada: Http, elsewhere: Elsewhere) -> None:
    elsewhere.repository("hooked")
    done(linked(ada, scm(root, str(elsewhere.folder)), "hooked"))
    algorithm = f"{ada.name}/hooked"
    told = done(ada.get(f"{algorithm}/scm/webhook"))
    assert told["webhook_url"] == f"{ada.server.address}/v1/algorithms/{algorithm}/scm/webhook"
    commit = elsewhere.push("hooked", "pushed ")
    payload = json.dumps({"ref": "refs/heads/main", "repository": {"default_branch": "main"}}).encode()
    reply = hook(ada, algorithm, payload)
    assert (reply.status_code, reply.json()) == (202, {"reason": "the newest commit is being built"})
    wait_for(lambda: any(one["commit_sha"] == commit for one in ada.found(f"{algorithm}/builds")["results"]), "a build")
    identity = ada.found(algorithm)["id"]
    assert hook(ada, identity, payload, X_GitHub_Event="ping").json() == {"reason": "this webhook works"}
    other = json.dumps({"ref": "refs/heads/other", "repository": {"default_branch": "main"}}).encode()
    assert hook(ada, algorithm, other).json() == {"reason": "only the default branch is built"}
    gitlab = httpx2.post(told["webhook_url"], content=payload, headers={"X-Gitlab-Token": told["secret"]})
    assert gitlab.status_code == 202
    for body in (b"", b"[]", b"no", b'{"a":'):
        assert "not a JSON object" in refused(hook(ada, algorithm, body), 400, 4070)


def test_webhooks_that_are_not_signed(root: Http, ada: Http, sam: Http, elsewhere: Elsewhere) -> None:
    """Nothing tells a stranger whether there is an algorithm, or one with a webhook."""
    elsewhere.repository("unsigned")
    done(linked(ada, scm(root, str(elsewhere.folder)), "unsigned"))
    linked_one, own = f"{ada.name}/unsigned", ada.created()
    elsewhere.push("unsigned", "unsigned ")
    secret = done(ada.get(f"{linked_one}/scm/webhook"))["secret"]
    before = ada.found(f"{linked_one}/builds")["results"]
    replies = [
        hook(ada, algorithm, secret=wrong)
        for algorithm in (linked_one, own, f"{ada.name}/never", ada.found(own)["id"])
        for wrong in ("", "guessed", secret[:-1])
    ]
    signature = "sha256=" + hmac.new(secret.encode(), b"other", hashlib.sha256).hexdigest()
    replies.append(hook(ada, linked_one, X_Hub_Signature_256=signature))
    for reply in replies:
        assert refused(reply, 401, 2002) == "the signature does not fit. help: set the webhook's secret again"
    assert ada.found(f"{linked_one}/builds")["results"] == before
    # only a member is told that troth's own repositories have no webhooks
    address = f"/v1/algorithms/{own}/scm/webhook"
    refused(ada.client.post(address, json={}), 400, 4012)
    refused(ada.client.get(address), 400, 4012)
    refused(sam.client.post(address, json={}), 401, 2002)
    assert sam.client.get(address).json() == {"error": "No such algorithm"}


@pytest.mark.clause("ALG-26")
def test_who_linked_must_still_be_a_member(root: Http, ada: Http, sam: Http, elsewhere: Elsewhere) -> None:
    elsewhere.repository("left")
    admin = ada.server.client(ada.key)
    organization = ada.server.organization(admin)
    admin.command("add_member", organization=organization, account=sam.name, role="member")
    source = {"scm": scm(root, str(elsewhere.folder)), "repository_owner": "team", "repository_name": "left"}
    done(sam.post(organization, {"name": "left", "details": {"label": "L"}, "settings": SETTINGS, "source": source}))
    assert hook(ada, f"{organization}/left").status_code == 202
    admin.command("remove_member", organization=organization, account=sam.name)
    assert "no member" in refused(hook(ada, f"{organization}/left"), 403, 4080)


def test_rewritten_history_is_refused(root: Http, ada: Http, elsewhere: Elsewhere) -> None:
    elsewhere.repository("rewritten")
    done(linked(ada, scm(root, str(elsewhere.folder)), "rewritten"))
    algorithm = f"{ada.name}/rewritten"
    first = done(ada.post(f"{algorithm}/compile"))["version_info"]["git_hash"]
    elsewhere.push("rewritten", "other ", "--amend", "-m", "amended")
    assert "history" in refused(ada.post(f"{algorithm}/compile"), 400, 6001)
    assert done(ada.get(f"{algorithm}/log"))["commits"][0]["id"] == first


def test_a_source_kept_elsewhere_is_not_uploaded(root: Http, ada: Http, elsewhere: Elsewhere, tmp_path: Path) -> None:
    elsewhere.repository("readonly")
    done(linked(ada, scm(root, str(elsewhere.folder)), "readonly"))
    from tests.doors.http import written

    folder = written(tmp_path, f"{ada.name}/readonly", "def apply(input):\n    return 1\n")
    with pytest.raises(Exception, match="is kept at"):
        ada.server.client(ada.key).compile(folder)


def test_repositories_that_do_not_answer(root: Http, ada: Http, elsewhere: Elsewhere) -> None:
    folder = scm(root, str(elsewhere.folder))
    _git("init", "--quiet", "--bare", str(elsewhere.folder / "team" / "empty.git"))
    for place, repository in ((folder, "missing"), (folder, "empty"), (scm(root, "http://127.0.0.1:1"), "closed"),
                              (scm(root, f"{elsewhere.address}/moved"), "moved")):  # fmt: skip
        if repository == "moved":
            elsewhere.repository("moved")  # behind a redirect, which is not followed
        refused(linked(ada, place, repository), 400, 4084)
        assert ada.get(f"{ada.name}/{repository}").status_code == 404
    elsewhere.repository("vanishing")
    done(linked(ada, folder, "vanishing"))
    (elsewhere.folder / "team" / "vanishing.git").rename(elsewhere.folder / "team" / "gone.git")
    refused(ada.post(f"{ada.name}/vanishing/compile"), 400, 4084)
    assert done(ada.get(f"{ada.name}/vanishing/scm/status")) == {"scm_connection_status": "inactive"}


@pytest.mark.parametrize(
    ("owner", "repository"),
    [("..", "x"), ("team/..", "x"), ("team", ".."), ("team", "-x"), ("", "x/../../y"), ("a b", "x"), ("team", "x\n"),
     ("team", "\N{SNOWMAN}"), ("team", "x" * 200), ("/etc", "x"), ("--upload-pack=touch", "x"), ("team", "outside")],
)  # fmt: skip
def test_names_that_lead_elsewhere(root: Http, ada: Http, elsewhere: Elsewhere, owner: str, repository: str) -> None:
    if repository == "outside":
        (elsewhere.folder / "team").mkdir(exist_ok=True)
        (elsewhere.folder / "team" / "outside.git").symlink_to("/")
    source = {"scm": scm(root, str(elsewhere.folder)), "repository_owner": owner, "repository_name": repository}
    body = {"name": "lead", "details": {"label": "L"}, "settings": SETTINGS, "source": source}
    reply = ada.post(ada.name, body)
    assert reply.status_code == 400
    assert reply.json()["code"] in (4020, 4084)
    assert ada.get(f"{ada.name}/lead").status_code == 404


@pytest.mark.parametrize(
    "base",
    ["", "relative", "/", "/etc", "http://", "ftp://127.0.0.1/", "ext::sh -c true", "http://169.254.169.254/latest",
     "https://example.org", "http://127.0.0.1:1@evil.example", "http://127.0.0.1:2", "http://127.0.0.1:1/?x",
     "http://127.0.0.1:99999", "file://127.0.0.1/x", "http://127.0.0.1:1/../x", "http://[::1", "\0", "x" * 2000],
)  # fmt: skip
def test_places_that_the_operator_did_not_allow(root: Http, base: str) -> None:
    before = done(root.client.get("/v1/scms"))
    reply = root.client.post("/v1/admin/scms", json={"provider": "git", "urls": {"web": base}})
    assert reply.status_code == 400
    assert reply.json()["code"] in (4020, 6001)
    assert done(root.client.get("/v1/scms")) == before


def test_a_prefix_is_whole_parts_of_a_path(root: Http, elsewhere: Elsewhere) -> None:
    for base in (f"{elsewhere.folder}2", f"{elsewhere.folder}/../x", f"{elsewhere.address}0"):
        refused(root.client.post("/v1/admin/scms", json={"provider": "git", "urls": {"web": base}}), 400, 4020)


def test_the_life_of_a_place(root: Http, ada: Http, elsewhere: Elsewhere) -> None:
    admin = "/v1/admin/scms"
    base = f"{elsewhere.folder}/life"
    made = done(root.client.post(admin, json={"provider": "gitlab", "urls": {"web": f"file://{base}/"}}))
    assert made == {"id": made["id"], "provider": "gitlab", "enabled": True, "default": False, "urls": {"web": base}}
    assert done(ada.client.get(f"/v1/scms/{made['id']}")) == made
    refused(root.client.post(admin, json={"provider": "git", "urls": {"web": base}}), 400, 4044)
    refused(root.client.post(admin, json={"provider": "svn", "urls": {"web": base}}), 400, 4020)
    refused(root.client.post(admin, json={"provider": "git"}), 400, 4020)
    for body in ({}, {"enabled": "yes"}, {"enabled": True, "urls": {}}):
        refused(root.client.patch(f"{admin}/{made['id']}", json=body), 400, 4021)
    refused(root.client.patch(f"{admin}/internal", json={"enabled": False}), 400, 4045)
    refused(root.client.delete(f"{admin}/internal"), 400, 4040)
    assert done(root.client.post(f"{admin}/{made['id']}/default"))["default"]
    assert not done(ada.client.get("/v1/scms/internal"))["default"]
    refused(root.client.delete(f"{admin}/{made['id']}"), 400, 4041)
    refused(root.client.patch(f"{admin}/{made['id']}", json={"enabled": False}), 400, 4041)
    assert done(root.client.post(f"{admin}/internal/default"))["default"]
    assert not done(root.client.patch(f"{admin}/{made['id']}", json={"enabled": False}))["enabled"]
    refused(root.client.post(f"{admin}/{made['id']}/default"), 400, 4042)
    refused(linked(ada, made["id"], "x"), 404, 4009)
    assert root.client.delete(f"{admin}/{made['id']}").status_code == 204
    refused(ada.client.get(f"/v1/scms/{made['id']}"), 404, 4009)
    for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/default")):
        for wrong in (made["id"], "nope"):
            refused(root.client.request(method, f"{admin}/{wrong}{path}", json={"enabled": True}), 404, 4009)


def test_a_place_in_use_stays(root: Http, ada: Http, elsewhere: Elsewhere) -> None:
    elsewhere.repository("used")
    place = scm(root, str(elsewhere.folder))
    done(linked(ada, place, "used"))
    refused(root.client.delete(f"/v1/admin/scms/{place}"), 400, 4043)


def test_places_are_for_administrators(ada: Http) -> None:
    for method, path, body in [
        ("POST", "", {"provider": "git", "urls": {"web": "/"}}),
        ("PATCH", "/00000000-0000-4000-8000-000000000000", {"enabled": False}),
        ("DELETE", "/00000000-0000-4000-8000-000000000000", None),
        ("POST", "/internal/default", None),
    ]:
        refused(ada.client.request(method, f"/v1/admin/scms{path}", json=body), 403, 2001)


@pytest.mark.digest("11 oauth")
def test_no_oauth(ada: Http) -> None:
    internal = "/v1/scms/internal"
    for path in ("oauth/status", "token/status"):
        method = "GET" if path.startswith("oauth") else "POST"
        assert done(ada.client.request(method, f"{internal}/{path}")) == {"authorization_status": "unauthorized"}
    for path, code in (("start", 4050), ("finish", 4051), ("revoke", 4008)):
        refused(ada.client.post(f"{internal}/oauth/{path}"), 400, code)
        refused(ada.client.post(f"/v1/scms/nope/oauth/{path}"), 404, 4009)
