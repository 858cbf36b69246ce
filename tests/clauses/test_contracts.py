"""What may be published by what its contract says: ALG-03, ALG-05, ALG-07, ALG-09."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.clauses.conftest import House, refusal
from tests.server import running_server, write_project
from troth.errors import TrothError

CODE = "def apply(input):\n    return input\n"
INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "lang": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
OUTPUT: dict[str, Any] = {"type": "object", "properties": {"words": {"type": "integer"}}, "required": ["words"]}


def described(house: House, algorithm: str, given: Any = INPUT, returned: Any = OUTPUT) -> str:
    """The hash of a build whose contract holds these schemas."""
    files = {"input.json": json.dumps(given).encode(), "output.json": json.dumps(returned).encode()}
    contract = {"input": "input.json", "output": "output.json"}
    built = house.build(algorithm, CODE, files=files, contract=contract)
    assert built["status"] == "succeeded", built["log"]
    return str(built["hash"])


@pytest.fixture
def algorithm(house: House) -> str:
    """An algorithm with the described versions 1.0.0 and 1.1.0, of which the later also takes `mode`."""
    name, _ = house.algorithm(code=CODE)
    house.publish(name, described(house, name), "1.0.0")
    house.publish(name, described(house, name, with_property(INPUT, "mode")), "1.1.0")
    return name


def with_property(schema: dict[str, Any], name: str, *, required: bool = False) -> dict[str, Any]:
    properties = {**schema["properties"], name: {"type": "string"}}
    return {**schema, "properties": properties, "required": schema["required"] + [name] * required}


def without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {**schema, "properties": {key: value for key, value in schema["properties"].items() if key != name}}


@pytest.mark.clause("ALG-05")
@pytest.mark.clause("ALG-07")
def test_a_removed_input_field_is_a_new_major(house: House, algorithm: str) -> None:
    broken = described(house, algorithm, without(with_property(INPUT, "mode"), "lang"))
    error = refusal(house, algorithm, broken, bump="minor")
    assert error.clauses == ("ALG-05", "ALG-07")
    assert error.least == "2.0.0"
    assert error.verdict is not None
    assert [row["version"] for row in error.verdict["contradicted"]] == ["1.0.0", "1.1.0"]
    (difference,) = error.verdict["contradicted"][0]["differences"][:1]
    assert (difference["rule"], difference["path"]) == ("input-property-refused", "input.lang")
    assert set(difference["witness"]) == {"text", "lang"}
    assert "accept input.lang again" in error.repair
    house.publish(algorithm, broken, "2.0.0")


@pytest.mark.clause("ALG-05")
def test_an_output_that_gives_less_is_a_new_major(house: House, algorithm: str) -> None:
    built = described(house, algorithm, with_property(INPUT, "mode"), {**OUTPUT, "required": []})
    error = refusal(house, algorithm, built, bump="minor")
    assert "ALG-05" in error.clauses
    assert error.least == "2.0.0"
    assert error.verdict is not None
    (difference,) = error.verdict["contradicted"][0]["differences"]
    assert (difference["rule"], difference["witness"]) == ("output-property-optional", {})


@pytest.mark.clause("ALG-07")
def test_a_required_input_is_no_minor_and_an_optional_one_is(house: House, algorithm: str) -> None:
    both = with_property(INPUT, "mode")
    error = refusal(
        house, algorithm, described(house, algorithm, with_property(both, "new", required=True)), bump="minor"
    )
    assert error.clauses == ("ALG-05", "ALG-07")
    assert "give input.new a default" in error.repair
    done = house.ada.publish(algorithm, described(house, algorithm, with_property(both, "new")), bump="minor")
    assert done["version"] == "1.2.0"
    assert done["verdict"]["interface"] == "described"
    assert done["verdict"]["compared"] == ["1.0.0", "1.1.0"]


@pytest.mark.clause("ALG-07")
def test_a_minor_is_compatible_with_every_earlier_version_not_only_the_last(house: House, algorithm: str) -> None:
    """1.1.0 brought `mode`; who takes it away again agrees with 1.0.0 and breaks 1.1.0, which is not the newest."""
    house.publish(algorithm, described(house, algorithm, with_property(INPUT, "mode"), {}), "2.0.0")
    house.publish(algorithm, described(house, algorithm, INPUT), "1.0.1")
    error = refusal(house, algorithm, described(house, algorithm, INPUT), number="1.2.0", visibility="public")
    assert error.clauses == ("ALG-05", "ALG-07")
    assert error.verdict is not None
    assert [row["version"] for row in error.verdict["contradicted"]] == ["1.1.0"]


@pytest.mark.clause("ALG-07")
def test_what_cannot_be_told_is_no_yes(house: House) -> None:
    name, _ = house.algorithm(code=CODE)
    house.publish(name, described(house, name, {"type": "string", "pattern": "^(a|b)(?=c)"}), "1.0.0")
    unclear = described(house, name, {"type": "string", "pattern": "^(?=a)(.)c(?<=c)\\1?"})
    error = refusal(house, name, unclear, bump="minor", visibility="public")
    assert (error.clauses, error.least) == (("ALG-07",), "2.0.0")
    assert error.verdict is not None
    assert error.verdict["contradicted"][0]["differences"][0]["undecided"] is True


@pytest.mark.clause("ALG-09")
@pytest.mark.clause("ALG-07")
def test_a_revision_brings_nothing_new(house: House, algorithm: str) -> None:
    more = described(house, algorithm, with_property(with_property(INPUT, "mode"), "new"))
    error = refusal(house, algorithm, more, bump="revision")
    assert (error.clauses, error.least) == (("ALG-07", "ALG-09"), "1.2.0")
    assert error.repair == "leave input.new out, or publish as 1.2.0"


@pytest.mark.clause("ALG-09")
def test_a_revision_equals_what_it_fixes_whatever_is_beside(house: House, algorithm: str) -> None:
    spelled = {"title": "What to count", **with_property(INPUT, "mode"), "$comment": "the same in other words"}
    assert house.ada.publish(algorithm, described(house, algorithm, spelled), bump="revision")["version"] == "1.1.1"
    error = refusal(house, algorithm, described(house, algorithm, with_property(INPUT, "mode")), number="1.0.1")
    assert (error.clauses, error.least) == (("ALG-07", "ALG-09"), "1.2.0")
    house.publish(algorithm, described(house, algorithm, INPUT), "1.0.1")


@pytest.mark.clause("ALG-03")
@pytest.mark.parametrize(
    ("bump", "change", "clauses"),
    [
        ("minor", lambda given: without(given, "lang"), ["ALG-05", "ALG-07"]),
        ("revision", lambda given: without(given, "lang"), ["ALG-05", "ALG-09"]),
        ("revision", lambda given: with_property(given, "new"), ["ALG-07", "ALG-09"]),
    ],
)
def test_a_request_without_any_client_gets_the_same_refusal(
    house: House, algorithm: str, bump: str, change: Any, clauses: list[str]
) -> None:
    commit = described(house, algorithm, change(with_property(INPUT, "mode")))
    problem = posted(house, "cmd?command=publish_version&version=1", algorithm=algorithm, hash=commit, bump=bump)
    assert (problem["status"], problem["clauses"]) == (409, clauses)
    assert problem["verdict"]["outcome"] == "refused"
    assert house.ada.versions(algorithm)["versions"][0]["version"] == "1.1.0"


@pytest.mark.clause("ALG-03")
def test_the_question_and_the_publication_have_one_answer(house: House, algorithm: str) -> None:
    commit = described(house, algorithm, without(with_property(INPUT, "mode"), "lang"))
    asked = posted(house, "check", algorithm=algorithm, hash=commit, bump="minor")
    error = refusal(house, algorithm, commit, bump="minor")
    assert asked["verdict"] == error.verdict
    assert posted(house, "check", algorithm=algorithm, hash=commit)["verdict"]["number"] == "2.0.0"
    assert house.ada.publish(algorithm, commit, bump="least", visibility="public")["version"] == "2.0.0"


def test_a_description_that_is_taken_back_breaks_and_one_that_is_added_is_new(house: House) -> None:
    name, plain = house.algorithm(code=CODE)
    house.publish(name, plain, "1.0.0")
    typed = described(house, name)
    assert refusal(house, name, typed, bump="revision").clauses == ("ALG-07", "ALG-09")
    house.publish(name, typed, "1.1.0")
    error = refusal(house, name, plain, bump="minor")
    assert (error.clauses, error.least) == (("ALG-05", "ALG-07"), "2.0.0")
    assert "describe the input again" in error.repair


def test_a_version_without_schemas_is_judged_by_its_permissions_only_and_says_so(house: House) -> None:
    name, commit = house.algorithm(code=CODE)
    house.publish(name, commit, "1.0.0")
    verdict = house.ada.publish(name, house.build(name, CODE + "# fixed\n")["hash"], bump="revision")["verdict"]
    assert (verdict["interface"], verdict["behaviour"]) == ("not described", "not checked")


def test_a_major_that_changes_permissions_is_confirmed(house: House, algorithm: str) -> None:
    commit = described(house, algorithm)
    error = refusal(house, algorithm, commit, bump="major", visibility="private")
    assert (error.clauses, error.least) == (("ALG-06",), "2.0.0")
    assert "--confirm-permissions" in error.repair
    done = house.ada.publish(algorithm, commit, bump="major", visibility="private", confirm_permissions=True)
    assert done["version"] == "2.0.0"


def posted(house: House, path: str, **payload: Any) -> dict[str, Any]:
    """The answer to a request that no client of troth's made."""
    key = house.server.keys[house.ada.keys()["account"]]
    reply = httpx2.post(
        f"{house.server.address}/api/v1/{path}", headers={"Authorization": key}, json=payload, timeout=60
    )
    answer: dict[str, Any] = reply.json()
    return answer


def test_who_publishes_at_the_same_moment_is_judged_again(house: House, algorithm: str) -> None:
    """Both ask for the next minor. The second is compared with the first, which took `mode` and something else in."""
    mode = with_property(INPUT, "mode")
    commits = [described(house, algorithm, with_property(mode, name)) for name in ("left", "right")]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda commit: published(house, algorithm, commit), commits))
    assert sorted(answer.get("version", "") for answer in done) == ["", "1.2.0"]
    (refused,) = [answer["error"] for answer in done if "error" in answer]
    assert refused.clauses == ("ALG-05", "ALG-07")
    assert [row["version"] for row in refused.verdict["contradicted"]] == ["1.2.0"]


def published(house: House, algorithm: str, commit: str) -> dict[str, Any]:
    try:
        return house.ada.publish(algorithm, commit, bump="minor")
    except TrothError as error:
        return {"error": error}


def test_strangers_are_told_nothing_by_the_question(house: House, algorithm: str) -> None:
    commit = described(house, algorithm)
    there, nowhere = (asked_by_sam(house, name, commit) for name in (algorithm, f"{house.name}/nothing"))
    assert there.code == nowhere.code == "forbidden"
    assert there.what == nowhere.what.replace("nothing", algorithm.split("/")[1])


def asked_by_sam(house: House, algorithm: str, commit: str) -> TrothError:
    with pytest.raises(TrothError) as caught:
        house.sam.check(algorithm, commit)
    return caught.value


def test_a_question_is_read_strictly(house: House, algorithm: str) -> None:
    assert posted(house, "check", algorithm=algorithm)["code"] == "malformed-payload"
    assert posted(house, "check", algorithm=algorithm, hash="a" * 40, more=1)["code"] == "malformed-payload"
    assert posted(house, "check", algorithm=algorithm, hash="a" * 40)["clauses"] == ["ALG-22"]
    commit = described(house, algorithm)
    assert posted(house, "check", algorithm=algorithm, hash=commit, number="1.2")["clauses"] == ["ALG-01"]


def test_an_operator_may_have_it_said_only(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", compatibility="warn") as server:
        name, _ = server.build(tmp_path, "owner", server.owner, code=CODE)
        owner, stem = name.split("/")
        for schema, bump in ((INPUT, "minor"), (without(INPUT, "lang"), "revision")):
            files = {"input.json": json.dumps(schema).encode()}
            folder = write_project(tmp_path / stem, owner, stem, CODE, files=files, contract={"input": "input.json"})
            built = server.owner.compile(folder)
            done = server.owner.publish(name, built["hash"], bump=bump, visibility="public")
        assert done["version"] == "0.1.1"
        assert [finding["clause"] for finding in done["verdict"]["warnings"]] == ["ALG-05", "ALG-09"]
        assert done["warnings"][0].startswith("ALG-05: 0.1.1 breaks what was promised in 0.1.0")
        assert server.owner.versions(name)["versions"][0]["verdict"]["contradicted"]
