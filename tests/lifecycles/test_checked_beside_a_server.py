"""troth api check beside what a server has: states, documents and waivers of an API, from a repository and from one file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lifecycles.conftest import Keeper
from tests.lifecycles.test_api_waivers import OLD, OTHER, WITHOUT_SHADE, change, current, request
from troth.doors.cli.main import execute


@pytest.fixture
def branch(keeper: Keeper) -> Keeper:
    """A folder that declares an API with a deprecated v1 and a current v2 on the server, whose states it leaves to that."""
    keeper.api = f"{keeper.owner}/{keeper.server.new_name('shades')}"
    current(keeper.client, keeper.api)
    v2: dict[str, Any] = {"api": keeper.api, "api_version": "v2", "release": "1.1.0"}
    keeper.client.command("create_api_version", contract=OLD, **v2)
    keeper.client.command("graduate_api", **v2)
    declare(keeper, 'document = "v1.json"', 'document = "v2.json"')
    write(keeper, v1=OLD, v2=OLD)
    return keeper


def declare(keeper: Keeper, *versions: str) -> None:
    tables = [f"[shades.v{number}]\n{lines}\n" for number, lines in enumerate(versions, 1)]
    (keeper.folder / "apis.toml").write_text("\n".join([f'[shades]\nsubject = "{keeper.api}"\n', *tables]))


def write(keeper: Keeper, **documents: dict[str, Any]) -> None:
    for name, value in documents.items():
        (keeper.folder / f"{name}.json").write_text(json.dumps(value))


def released(keeper: Keeper, tag: str) -> None:
    """The folder is a repository, and all that it holds was released."""
    commit = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "all"]
    for command in (["init", "--quiet"], ["add", "."], commit, ["tag", tag]):
        subprocess.run(["git", "-C", str(keeper.folder), *command], check=True, capture_output=True)


def checked(keeper: Keeper, *tokens: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of a check in the folder, beside the server."""
    code, out, err = keeper.troth(
        "api", "check", "--project", str(keeper.folder), "--recorded", "--json", *tokens
    )  # fmt: skip
    assert out, err
    found = json.loads(out)
    return code, found["apis"][0] if "apis" in found else found


@pytest.mark.clause("PDB-21")
@pytest.mark.clause("PDB-30")
def test_states_and_documents_are_those_of_the_server(branch: Keeper) -> None:
    code, found = checked(branch)
    assert (code, found["release"], found["moves"]) == (0, "1.1.1", []), "the last release is what moves rode on"
    assert found["states"] == {"v1": "deprecated", "v2": "current"}
    write(branch, v1=OTHER)
    assert checked(branch, "--release", "1.2.0")[1]["clauses"] == ["PDB-30", "PDB-32"]
    write(branch, v1=OLD, v2=WITHOUT_SHADE)
    assert checked(branch, "--release", "1.2.0")[1]["clauses"] == ["PDB-21", "PDB-24"]
    declare(branch, 'document = "v1.json"', "", 'document = "v3.json"')
    write(branch, v3=WITHOUT_SHADE)
    code, found = checked(branch)
    assert (code, [one["move"] for one in found["moves"]], found["release"]) == (0, ["create"], "1.2.0")
    declare(branch, 'state = "retired"', "")
    assert checked(branch, "--release", "1.2.0")[1]["clauses"] == ["PDB-37"]
    assert checked(branch, "--release", "2.0.0")[0] == 0


def test_it_is_told_as_beside_a_repository(branch: Keeper) -> None:
    write(branch, v2=WITHOUT_SHADE)
    told = {}
    for form in ("text", "markdown", "github"):
        code, told[form], _ = branch.troth(
            "api", "check", "--project", str(branch.folder), "--recorded", "--release", "1.2.0", "--format", form
        )
        assert code == 3
    assert "change v2 in 1.2.0 is refused" in told["text"]
    assert "| v2 | current | change | refused | PDB-21, PDB-24 |" in told["markdown"]
    assert told["github"].startswith("::error file=")
    assert "v2.json" in told["github"].splitlines()[0]


def test_what_the_server_has_no_document_of_is_taken_from_git_or_told(branch: Keeper) -> None:
    for command in ("create_api_version", "graduate_api"):
        branch.client.command(command, api=branch.api, api_version="v3", release="1.2.0")
    lines = ['document = "v1.json"', 'document = "v2.json"', 'document = "v3.json"']
    declare(branch, *lines)
    write(branch, v3=OLD)
    assert checked(branch)[1]["notes"] == [
        "nobody recorded a document of v3, so nothing says what changes in it"
    ]  # fmt: skip
    released(branch, "v1.3.0")
    write(branch, v3=WITHOUT_SHADE)
    code, found = checked(branch, "--release", "1.4.0")
    assert (code, found["clauses"], found["notes"]) == (3, ["PDB-21", "PDB-24"], [])
    write(branch, v3=OLD)
    assert checked(branch)[1]["release"] == "1.3.1", "the tag is behind the last move"


def test_one_document_is_judged_beside_the_recorded_one(branch: Keeper) -> None:
    write(branch, v2=WITHOUT_SHADE)
    alone = ("api", "check", str(branch.folder / "v2.json"), "--api", branch.api, "--version", "v2")
    code, out, _ = branch.troth(*alone, "--release", "1.2.0")
    assert (code, "change v2 in 1.2.0 is refused" in out) == (3, True)
    write(branch, v2=OTHER | {"info": {"title": "others", "version": "2"}})
    assert branch.troth(*alone)[0] == 3
    write(branch, v2=OLD)
    code, out, _ = branch.troth(*alone)
    assert (code, "nothing changes for who uses it" in out, "v1: deprecated" in out) == (0, True, True)
    assert branch.troth(*alone, "--state", "current")[0] == 2
    assert branch.troth("api", "check", str(branch.folder / "v2.json"))[0] == 2


def test_a_hidden_api_is_as_one_that_never_was(branch: Keeper) -> None:
    _, branch.client = branch.server.account("stranger")
    owner, other = branch.server.account("bob")
    other.command("create_api", api=f"{owner}/secret", public=False)
    told = []
    for subject in (f"{owner}/secret", f"{owner}/nothing"):
        branch.api = subject
        declare(branch, 'document = "v1.json"')
        code, problem = checked(branch)
        told.append((code, problem["code"], problem["detail"].replace(subject, "it")))
    assert told[0] == told[1] == (4, "not-found", "there is no API it")


def test_what_cannot_be_asked_says_so(branch: Keeper) -> None:
    asked = ["api", "check", "--project", str(branch.folder), "--json"]
    branch.capture.readouterr()
    assert execute([*asked, "--recorded", "--server", "http://127.0.0.1:9"]) == 5
    assert json.loads(branch.capture.readouterr().out)["code"] == "server-unreachable"
    released(branch, "v1.0.0")
    assert execute(asked) == 2
    assert "says no state of shades v1" in json.loads(branch.capture.readouterr().out)["detail"]
    (branch.folder / "apis.toml").write_text('[shades.v1]\nstate = "current"\n')
    code, problem = checked(branch)
    assert (code, 'write subject = "OWNER/API"' in problem["repair"]) == (2, True)
    (branch.folder / "apis.toml").write_text('[shades]\nsubject = "shades"\n')
    code, problem = checked(branch)
    assert (code, "subject is 'shades'" in problem["detail"]) == (2, True)


@pytest.mark.clause("PDB-21")
def test_a_waiver_excuses_exactly_its_change(branch: Keeper, tmp_path: Path) -> None:
    """From the server and from a file, beside the record and beside git's release: always the same waiver, by its digest."""
    asked = request(branch.client, branch.api, api_version="v2", release="1.2.0")
    branch.client.command("approve_waiver", waiver=asked["id"])
    write(branch, v2=WITHOUT_SHADE)
    assert checked(branch, "--release", "1.2.0")[0] == 3, "no waiver was asked for"
    code, found = checked(branch, "--waivers")
    (move,) = found["moves"]
    assert (code, found["release"], move["outcome"]) == (0, "1.2.0", "allowed"), "it is for this release"
    assert [one["clause"] for one in move["waived"]] == ["PDB-21"]
    assert [(one["id"], one["holds"]) for one in move["waivers"]] == [(asked["id"], True)]
    code, found = checked(branch, "--waivers", "--release", "1.3.0")
    assert (code, found["moves"][0]["waivers"][0]["why"]) == (3, "it is for v2/1.2.0, and not for v2/1.3.0")

    signed, public = tmp_path / "waiver.json", tmp_path / "public.pem"
    signed.write_text(branch.troth("waiver", "show", asked["id"], "--json")[1])
    public.write_text(branch.troth("waiver", "key")[1])
    write(branch, old=OLD)
    files = [str(branch.folder / name) for name in ("old.json", "v2.json")]
    offline = ["api", "check", *files, "--version", "v2", "--release", "1.2.0", "--waiver", str(signed)]
    offline += ["--public-key", str(public), "--server", "http://127.0.0.1:9"]
    told = {}
    for form in ("text", "markdown", "github"):
        branch.capture.readouterr()
        assert execute([*offline, "--api", branch.api, "--format", form]) == 0
        told[form] = branch.capture.readouterr().out
    assert "change v2 in 1.2.0 is allowed by a waiver" in told["text"]
    assert "by a waiver of PDB-21" in told["text"]
    assert "| change | allowed by a waiver |" in told["markdown"]
    assert told["github"].startswith("::notice file=")
    assert asked["id"] in told["github"]
    assert execute([*offline, "--api", f"{branch.owner}/others"]) == 3
    assert "and not for" in branch.capture.readouterr().out
    write(branch, v2=OTHER)
    assert execute([*offline, "--api", branch.api]) == 3
    assert "does not help: it is for the change" in branch.capture.readouterr().out


def test_a_waiver_that_was_used_goes_on_excusing_its_change(branch: Keeper) -> None:
    asked = request(branch.client, branch.api, api_version="v2", release="1.2.0")
    branch.client.command("approve_waiver", waiver=asked["id"])
    change(branch.client, branch.api, api_version="v2", release="1.2.0")
    write(branch, v2=WITHOUT_SHADE, old=OLD)
    assert checked(branch, "--release", "1.2.0")[1]["moves"] == [], "it is what the server has"
    files = [str(branch.folder / name) for name in ("old.json", "v2.json")]
    beside = ("api", "check", *files, "--version", "v2", "--release", "1.2.0", "--api", branch.api)
    assert branch.troth(*beside)[0] == 3
    assert branch.troth(*beside, "--waivers")[0] == 0, "what was released in 1.1.0 lies before it"
