"""What may be published under which number: ALG-01 to ALG-11, ALG-16."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import httpx2
import pytest

from tests.clauses.conftest import House, answered, refusal
from tests.server import RunningServer, running_server, write_project
from troth.errors import MalformedSource, Refused


def marked(mark: str) -> str:
    """Code that answers with its mark, so that answers tell builds apart."""
    return f"def apply(input):\n    return {mark!r}\n"


@pytest.mark.clause("ALG-01")
def test_a_complete_number_is_accepted(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.2.3")
    assert answered(house.sam, f"{algorithm}/1.2.3") == "1.2.3"


@pytest.mark.clause("ALG-01")
@pytest.mark.parametrize(
    "number",
    ["1.2", "1", "01.2.3", "1.02.3", "v1.2.3", "1.2.3-rc.1", "1.2.3+b", "1.2.3.4", "１.2.3", "1.2.3\n", " 1.2.3", "1.2.-3", "", "1.2.x",
     "99999999999.0.0"],
)  # fmt: skip
def test_everything_else_is_refused_with_the_clause(house: House, number: str) -> None:
    algorithm, commit = house.algorithm()
    error = refusal(house, algorithm, commit, number=number)
    assert error.clauses == ("ALG-01",)
    assert error.status == 409
    assert house.ada.versions(algorithm)["versions"] == []


@pytest.mark.clause("ALG-02")
def test_a_number_is_used_once(house: House) -> None:
    algorithm, first = house.algorithm(code=marked("first"))
    house.publish(algorithm, first, "0.1.0")
    before = house.ada.versions(algorithm)
    other = house.build(algorithm, marked("other"))["hash"]
    error = refusal(house, algorithm, other, number="0.1.0", visibility="public")
    assert error.clauses == ("ALG-02",)
    assert error.least == "0.1.1"
    assert house.ada.versions(algorithm) == before
    assert house.sam.call(f"{algorithm}/0.1.0", "x").result == "first"


@pytest.mark.clause("ALG-02")
def test_a_later_build_leaves_the_published_source_as_it_was(house: House) -> None:
    algorithm, first = house.algorithm(code=marked("first"))
    house.publish(algorithm, first, "0.1.0")
    (source,) = {version["source"] for version in house.ada.versions(algorithm)["versions"]}
    house.publish(algorithm, house.build(algorithm, marked("second"))["hash"], "0.1.1")
    assert [version["source"] for version in house.ada.versions(algorithm)["versions"]][1] == source
    assert house.sam.call(f"{algorithm}/0.1.0", "x").result == "first"
    assert house.sam.call(f"{algorithm}/0.1.1", "x").result == "second"


@pytest.mark.clause("ALG-04")
def test_altered_source_is_not_run(house: House) -> None:
    algorithm, commit = house.algorithm(code=marked("published"))
    house.publish(algorithm, commit, "0.1.0")
    (version,) = house.ada.versions(algorithm)["versions"]
    stored = house.server.home / "trees" / version["source"] / "src" / f"{algorithm.split('/')[1]}.py"
    content = stored.read_bytes()
    stored.chmod(0o644)
    stored.write_bytes(content.replace(b"published", b"publishex"))
    assert "ALG-04" in answered(house.sam, f"{algorithm}/0.1.0")
    stored.write_bytes(content)
    stored.chmod(0o444)
    assert answered(house.sam, f"{algorithm}/0.1.0") == "0.1.0"


@pytest.mark.clause("ALG-04")
@pytest.mark.parametrize("alteration", ["added", "removed", "executable", "manifest", "link"])
def test_every_alteration_is_seen(house: House, alteration: str) -> None:
    algorithm, commit = house.algorithm(code=marked(f"{alteration}"), files={"data.txt": b"1"})
    house.publish(algorithm, commit, "0.1.0")
    (version,) = house.ada.versions(algorithm)["versions"]
    digest = version["source"]
    tree = house.server.home / "trees" / digest
    tree.chmod(0o755)
    data = tree / "data.txt"
    if alteration == "added":
        (tree / "more.py").write_text("")
    elif alteration == "executable":
        data.chmod(0o755)
    elif alteration == "manifest":
        manifest = house.server.home / "artifacts" / "manifests" / digest[:2] / digest
        manifest.chmod(0o644)
        manifest.write_bytes(manifest.read_bytes().replace(hashlib.sha256(b"1").hexdigest().encode(), b"0" * 64))
    else:
        data.unlink()
        if alteration == "link":
            data.symlink_to("/etc/hostname")
    assert "ALG-04" in answered(house.sam, f"{algorithm}/0.1.0")


@pytest.mark.clause("ALG-04")
def test_a_lost_source_is_made_again_from_the_repository(own_server: RunningServer, tmp_path: Path) -> None:
    algorithm, commit = own_server.build(tmp_path, "owner", own_server.owner, code=marked("kept"))
    own_server.owner.publish(algorithm, commit, bump="minor", visibility="public")
    (version,) = own_server.owner.versions(algorithm)["versions"]
    tree = own_server.home / "trees" / version["source"]
    tree.chmod(0o755)
    tree.rename(tmp_path / "away")
    assert own_server.owner.call(f"{algorithm}/0.1.0", "x").result == "kept"
    assert tree.is_dir()


@pytest.mark.clause("ALG-06")
def test_a_major_may_change_permissions(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0")
    error = refusal(house, algorithm, commit, number="1.1.0", visibility="private")
    assert error.least == "2.0.0"
    house.publish(algorithm, commit, "2.0.0", visibility="private")
    assert answered(house.ben, f"{algorithm}/2.0.0") == "2.0.0"


@pytest.mark.clause("ALG-08")
@pytest.mark.parametrize(("first", "then"), [("public", "private"), ("private", "public")])
def test_a_minor_has_the_visibility_of_its_major(house: House, first: str, then: str) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", visibility=first)
    error = refusal(house, algorithm, commit, bump="minor", visibility=then)
    assert error.clauses == ("ALG-08",)
    assert (error.asked, error.found) == ({"visibility": then}, {"visibility": first})
    assert error.least == "2.0.0"


@pytest.mark.clause("ALG-08")
@pytest.mark.parametrize(
    "permissions", [{"network_access": "full"}, {"pipeline_enabled": True}, {"source_visibility": "open"}]
)
@pytest.mark.parametrize("number", ["1.1.0", "1.0.1"])
def test_no_permission_changes_within_a_major(house: House, permissions: dict[str, object], number: str) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0")
    changed = house.build(algorithm, marked("changed"), permissions=permissions)["hash"]
    error = refusal(house, algorithm, changed, number=number, visibility="public")
    assert error.clauses == ("ALG-08",)
    assert error.least == "2.0.0"
    house.publish(algorithm, changed, "2.0.0")


@pytest.mark.clause("ALG-10")
@pytest.mark.parametrize(("first", "then"), [("public", "private"), ("private", "public")])
def test_a_revision_has_the_visibility_of_its_line(house: House, first: str, then: str) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", "1.0.1", visibility=first)
    error = refusal(house, algorithm, commit, number="1.0.2", visibility=then)
    assert error.clauses == ("ALG-10",)
    assert f"publish it as {first}" in error.repair


@pytest.mark.clause("ALG-10")
def test_an_unsaid_visibility_is_that_of_the_line(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0")
    assert house.ada.publish(algorithm, commit, bump="revision")["permissions"]["visibility"] == "public"


@pytest.mark.clause("ALG-11")
def test_who_could_call_a_line_still_can_and_gets_the_fix(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0")
    for number, visibility in (("1.0.1", "private"), ("1.0.1", "public"), ("1.0.2", "private"), ("1.0.2", "public")):
        before = answered(house.sam, f"{algorithm}/1.0")
        try:
            house.publish(algorithm, commit, number, visibility=visibility)
            expected = number
        except Refused:
            expected = before
        assert answered(house.sam, f"{algorithm}/1.0") == expected
    assert answered(house.sam, f"{algorithm}/1.0") == "1.0.2"


@pytest.mark.clause("ALG-15")
@pytest.mark.clause("ALG-11")
def test_a_revision_below_the_highest_of_its_line_is_refused(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.5")
    error = refusal(house, algorithm, commit, number="1.0.4", visibility="public")
    assert error.clauses == ("ALG-15",)
    assert error.least == "1.0.6"
    assert answered(house.sam, f"{algorithm}/1.0") == "1.0.5"


@pytest.mark.clause("ALG-16")
def test_what_a_line_resolves_to_keeps_its_permissions(house: House) -> None:
    algorithm, commit = house.algorithm()
    online = house.build(algorithm, marked("online"), permissions={"network_access": "full"})["hash"]
    house.publish(algorithm, commit, "0.1.0")
    seen = set()
    for build, visibility in ((online, "public"), (commit, "private"), (commit, "public")):
        try:
            house.ada.publish(algorithm, build, bump="revision", visibility=visibility)
        except Refused:
            pass
        version = house.ada.resolve(f"{algorithm}/0.1")["version"]
        rows = {row["version"]: row["permissions"] for row in house.ada.versions(algorithm)["versions"]}
        seen.add(json.dumps(rows[version], sort_keys=True))
        seen |= {json.dumps(row, sort_keys=True) for number, row in rows.items() if number.startswith("0.1.")}
    assert len(seen) == 1


def test_a_number_that_leaves_others_out_is_not_regulated(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0")
    for number, least in (("1.0.2", "1.0.1"), ("1.2.0", "1.1.0"), ("3.0.0", "2.0.0"), ("1.1.1", "1.1.0")):
        error = refusal(house, algorithm, commit, number=number, visibility="public")
        assert (error.clauses, error.least) == (("PDB-04",), least)


def test_older_lines_can_be_continued(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", "2.0.0", "1.0.1", "1.1.0", "2.0.1")
    assert [row["version"] for row in house.ada.versions(algorithm)["versions"]] == [
        "2.0.1",
        "2.0.0",
        "1.1.0",
        "1.0.1",
        "1.0.0",
    ]


@pytest.mark.parametrize(("bump", "number"), [("major", "1.0.0"), ("minor", "0.1.0"), ("revision", "0.0.1")])
def test_the_first_number_of_each_bump(house: House, bump: str, number: str) -> None:
    algorithm, commit = house.algorithm()
    assert house.ada.publish(algorithm, commit, bump=bump)["version"] == number


@pytest.mark.clause("ALG-22")
def test_a_failed_build_is_not_published(house: House) -> None:
    algorithm, _ = house.algorithm()
    failed = house.build(algorithm, "def apply(input:\n")
    assert failed["status"] == "failed"
    assert refusal(house, algorithm, failed["hash"], bump="minor").clauses == ("ALG-22",)


def test_a_verdict_names_its_policy_revision_and_what_was_not_checked(house: House) -> None:
    algorithm, commit = house.algorithm()
    verdict = house.ada.publish(algorithm, commit, bump="minor")["verdict"]
    assert (verdict["outcome"], verdict["policy_revision"], verdict["behaviour"]) == ("allowed", 1, "not checked")


def test_the_server_judges_whatever_the_client_did(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0")
    payload = {"algorithm": algorithm, "hash": commit, "number": "1.0.1", "visibility": "private"}
    reply = httpx2.post(
        f"{house.server.address}/api/v1/cmd?command=publish_version&version=1",
        headers={"Authorization": house.server.keys[house.ada.keys()["account"]]},
        json=payload,
    )
    assert reply.status_code == 409
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["clauses"] == ["ALG-10"]
    assert (problem["asked"], problem["found"], problem["least"]) == ("private", "public", "2.0.0")
    assert problem["repair"]


def test_readings_of_the_operator(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", visibility_fixed_per="minor", latest_private="only-private") as server:
        algorithm, commit = server.build(tmp_path, "owner", server.owner)
        server.owner.publish(algorithm, commit, number="1.0.0", visibility="private")
        assert answered(server.owner, f"{algorithm}/latestPrivate") == "1.0.0"
        server.owner.publish(algorithm, commit, number="1.1.0", visibility="public")
        assert "ALG-21" in answered(server.owner, f"{algorithm}/latestPrivate")
        assert not server.owner.resolve(f"{algorithm}/latestPrivate")["resolved"]


def test_a_project_is_published_by_its_own_name_only(house: House, tmp_path: Path) -> None:
    algorithm, _ = house.algorithm()
    other = write_project(tmp_path / "other", house.name, "other")
    manifest = house.ada.compile(other)["source"]
    with pytest.raises(MalformedSource, match="troth.toml is of"):
        house.ada.command("compile_algorithm", algorithm=algorithm, source=manifest)
