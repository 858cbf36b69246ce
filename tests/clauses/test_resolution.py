"""What each form of reference means, to whom: ALG-12 to ALG-26, by calls and by `resolve`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clauses.conftest import House, answered
from tests.clauses.test_publishing import marked
from troth.errors import MalformedReference, NotFound


def not_found(reference: str) -> str:
    return f"algorithm algo://{reference} not found"


def explained(house: House, who: str, reference: str) -> tuple[Any, str]:
    """(version, clause of the first reason) by `resolve`."""
    found = house.everybody[who].resolve(reference)
    return found["version"], found["reasons"][0]["clause"]


@pytest.mark.clause("ALG-12")
def test_the_listed_forms_are_answered(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "0.2.1")
    for version in ("", "/0.2", "/0.2.1", "/latest", "/0.2.*", "/0.*"):
        assert answered(house.sam, algorithm + version) == "0.2.1"
    assert answered(house.ben, f"{algorithm}/{commit}") == commit


@pytest.mark.clause("ALG-12")
@pytest.mark.parametrize(
    "version",
    ["0", "0.2.x", "0.x", "*", "0.*.*", "v0.2.1", "0.2.1.0", "00.2.1", "0.02", "LATEST", "Latest", "latestprivate", "0.2.1-a", "0.2.1+b",
     "^0.2", ">=0.1", "0.2.1/x", "latest/x"],
)  # fmt: skip
def test_every_other_form_is_refused(house: House, version: str) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "0.2.1")
    for client in house.everybody.values():
        assert answered(client, f"{algorithm}/{version}").startswith(not_found(f"{algorithm}/{version}"))
        with pytest.raises(MalformedReference) as caught:
            client.resolve(f"{algorithm}/{version}")
        assert caught.value.clauses == ("ALG-12",)


@pytest.mark.clause("ALG-13")
def test_a_complete_number_runs_exactly_that_version(house: House) -> None:
    algorithm, first = house.algorithm(code=marked("first"))
    house.publish(algorithm, first, "0.2.1")
    house.publish(algorithm, house.build(algorithm, marked("second"))["hash"], "0.2.2")
    answer = house.sam.call(f"{algorithm}/0.2.1", "x")
    assert (answer.result, answer.receipt["version"]) == ("first", "0.2.1")
    for missing in ("0.2.9", "0.2.0", "1.0.0"):
        assert answered(house.sam, f"{algorithm}/{missing}") == not_found(f"{algorithm}/{missing}")
        assert answered(house.ben, f"{algorithm}/{missing}").startswith(not_found(f"{algorithm}/{missing}"))
        assert explained(house, "ben", f"{algorithm}/{missing}") == (None, "ALG-13")


@pytest.mark.clause("ALG-15")
def test_a_line_means_its_newest_public_revision(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "0.2.1", "0.2.2")
    built = house.build(algorithm, marked("0.2.3, built only"))["hash"]
    for who, client in house.everybody.items():
        assert answered(client, f"{algorithm}/0.2") == "0.2.2", who
        assert explained(house, who, f"{algorithm}/0.2") == ("0.2.2", "ALG-15")
    assert answered(house.ben, f"{algorithm}/{built}") == built


@pytest.mark.clause("ALG-15")
def test_a_private_line_beside_does_not_count(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", "1.0.1")
    house.publish(algorithm, commit, "2.0.0", visibility="private")
    for who, client in house.everybody.items():
        assert answered(client, f"{algorithm}/1.0") == "1.0.1", who
        assert answered(client, algorithm) == "1.0.1", who


@pytest.mark.clause("ALG-15")
@pytest.mark.clause("ALG-24")
def test_private_versions_that_were_imported_into_a_public_line_do_not_count(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "0.2.1", "0.2.2")
    house.import_version(algorithm, commit, "0.2.3", "private")
    for version in ("0.2", "0.2.*", "0.*", "latest"):
        for who, client in house.everybody.items():
            assert answered(client, f"{algorithm}/{version}") == "0.2.2", who
            assert client.resolve(f"{algorithm}/{version}")["version"] == "0.2.2", who


@pytest.mark.clause("ALG-18")
def test_a_line_of_private_versions_is_refused_to_all(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", "1.0.1", visibility="private")
    reference = f"{algorithm}/1.0"
    for client in (house.ada, house.ben):
        said = answered(client, reference)
        assert said.startswith(not_found(reference))
        assert "ALG-18" in said
        assert client.resolve(reference)["reasons"][0]["clause"] == "ALG-18"
    assert answered(house.sam, reference) == not_found(reference)
    with pytest.raises(NotFound) as caught:
        house.sam.resolve(reference)
    assert (caught.value.what, caught.value.clauses, caught.value.why) == (not_found(reference), (), "")


@pytest.mark.clause("ALG-19")
def test_latest_is_the_highest_public_version_not_the_last(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", "1.0.1", "1.0.2", "2.0.0", "1.0.3")
    house.publish(algorithm, commit, "3.0.0", visibility="private")
    for who, client in house.everybody.items():
        assert answered(client, algorithm) == "2.0.0", who
        assert answered(client, f"{algorithm}/latest") == "2.0.0", who
        assert explained(house, who, algorithm) == explained(house, who, f"{algorithm}/latest") == ("2.0.0", "ALG-19")


@pytest.mark.clause("ALG-19")
def test_without_a_public_version_there_is_no_latest(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", visibility="private")
    assert "ALG-19" in answered(house.ada, algorithm)
    assert explained(house, "ada", algorithm) == (None, "ALG-19")
    assert answered(house.sam, algorithm) == not_found(algorithm)


@pytest.mark.clause("ALG-21")
def test_latest_private_is_for_members(house: House) -> None:
    algorithm, commit = house.algorithm()
    reference = f"{algorithm}/latestPrivate"
    house.publish(algorithm, commit, "1.0.0", "1.0.1", "2.0.0", visibility="private")
    assert answered(house.ada, reference) == answered(house.ben, reference) == "2.0.0"
    assert explained(house, "ben", reference) == ("2.0.0", "ALG-21")
    assert answered(house.sam, reference) == not_found(reference)


@pytest.mark.clause("ALG-21")
def test_public_versions_have_no_latest_private(house: House) -> None:
    algorithm, commit = house.algorithm()
    reference = f"{algorithm}/latestPrivate"
    house.publish(algorithm, commit, "1.0.0")
    for client in (house.ada, house.ben):
        assert answered(client, reference).startswith(not_found(reference))
        assert "ALG-21" in answered(client, reference)
    assert answered(house.sam, reference) == not_found(reference)


@pytest.mark.clause("ALG-22")
def test_the_hash_of_a_successful_build_is_a_version_for_members(house: House) -> None:
    algorithm, commit = house.algorithm()
    unpublished = house.build(algorithm, marked("unpublished"))["hash"]
    house.publish(algorithm, commit, "0.1.0")
    for build in (commit, unpublished):
        assert answered(house.ada, f"{algorithm}/{build}") == build
        assert answered(house.ben, f"{algorithm}/{build}") == build
        assert explained(house, "ben", f"{algorithm}/{build}") == (build, "ALG-22")
        assert answered(house.sam, f"{algorithm}/{build}") == not_found(f"{algorithm}/{build}")
    assert house.ben.call(f"{algorithm}/{unpublished}", "x").result == "unpublished"


@pytest.mark.clause("ALG-22")
def test_other_hashes_are_refused(house: House) -> None:
    algorithm, commit = house.algorithm()
    _, foreign = house.algorithm(code=marked("foreign"))
    failed = house.build(algorithm, "raise RuntimeError('no')\n")["hash"]
    house.publish(algorithm, commit, "0.1.0")
    for wrong in (commit[:39], commit[:7], foreign, failed, "0" * 40, commit + "0"):
        for client in house.everybody.values():
            assert answered(client, f"{algorithm}/{wrong}").startswith(not_found(f"{algorithm}/{wrong}"))
    assert "failed" in house.ada.resolve(f"{algorithm}/{failed}")["reasons"][0]["text"]


@pytest.mark.clause("ALG-24")
def test_one_reference_gives_one_version_to_all(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", "1.0.1")
    house.publish(algorithm, commit, "2.0.0", "2.0.1", visibility="private")
    for version in ("", "/latest", "/1.0", "/1.*", "/2.0", "/2.*", "/1.0.1", "/2.0.1", "/latestPrivate", f"/{commit}"):
        answers = {answered(client, algorithm + version) for client in house.everybody.values()}
        versions = {answer for answer in answers if not answer.startswith("algorithm")}
        assert len(versions) <= 1, version


@pytest.mark.clause("ALG-25")
def test_a_private_version_is_to_strangers_like_one_that_never_was(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", visibility="private")
    owner = algorithm.split("/")[0]
    for version in ("/1.0.0", f"/{commit}", "/latestPrivate", "/1.0", ""):
        reference, nothing = algorithm + version, f"{owner}/nothing{version}"
        assert answered(house.sam, reference) == not_found(reference)
        assert answered(house.sam, nothing) == not_found(nothing)
        with pytest.raises(NotFound) as known:
            house.sam.resolve(reference)
        with pytest.raises(NotFound) as unknown:
            house.sam.resolve(nothing)
        kept = {**known.value.as_problem(), "asked": "", "detail": ""}
        assert kept == {**unknown.value.as_problem(), "asked": "", "detail": ""}
        assert known.value.what.replace(algorithm, "") == unknown.value.what.replace(f"{owner}/nothing", "")
    assert answered(house.ben, f"{algorithm}/1.0.0") == "1.0.0"
    with pytest.raises(NotFound):
        house.sam.versions(algorithm)
    with pytest.raises(NotFound):
        house.sam.builds(algorithm)


@pytest.mark.clause("ALG-25")
def test_private_versions_of_a_public_algorithm_are_not_listed_to_strangers(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0")
    house.publish(algorithm, commit, "2.0.0", visibility="private")
    assert [row["version"] for row in house.sam.versions(algorithm)["versions"]] == ["1.0.0"]
    assert answered(house.sam, f"{algorithm}/2.0.0") == not_found(f"{algorithm}/2.0.0")


@pytest.mark.clause("ALG-26")
def test_membership_decides_at_the_time_of_the_call(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "1.0.0", visibility="private")
    reference = f"{algorithm}/1.0.0"
    assert answered(house.ben, reference) == "1.0.0"
    house.ada.command("remove_member", organization=house.name, account=house.ben_name)
    assert answered(house.ben, reference) == not_found(reference)
    with pytest.raises(NotFound):
        house.ben.resolve(reference)
    house.ada.command("add_member", organization=house.name, account=house.ben_name, role="member")
    assert answered(house.ben, reference) == "1.0.0"


def test_a_reply_tells_what_ran(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "0.1.0")
    answer = house.sam.call(f"{algorithm}/0.1", "x")
    (version,) = house.ada.versions(algorithm)["versions"]
    assert answer.receipt["version"] == "0.1.0"
    assert answer.receipt["reference"] == f"{algorithm}/0.1"
    assert answer.receipt["digest"] == version["source"]
    receipt = house.sam.receipt(answer.receipt["request"])
    assert (receipt["hash"], receipt["version"], receipt["outcome"]) == (commit, "0.1.0", "ok")
    assert receipt["isolation"]["level"] == house.sam.health()["isolation"]["level"]
    with pytest.raises(NotFound):
        house.ben.receipt(answer.receipt["request"])


def test_floating_references_come_with_advice(house: House) -> None:
    algorithm, commit = house.algorithm()
    house.publish(algorithm, commit, "0.1.0")
    assert [row["clause"] for row in house.sam.resolve(algorithm)["advice"]] == ["ALG-20", "ALG-14"]
    assert [row["clause"] for row in house.sam.resolve(f"{algorithm}/0.1")["advice"]] == ["ALG-17", "ALG-14"]
    assert house.sam.resolve(f"{algorithm}/0.1.0")["advice"] == []
