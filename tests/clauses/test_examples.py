"""What examples of calls prove of a candidate: they are replayed in the sandbox, on it and on the version it follows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.clauses.conftest import House, refusal
from troth.versions.rendering import timed

DOUBLE = "def apply(input):\n    return input * 2\n"
EXAMPLES: list[dict[str, Any]] = [
    {"input": 2, "output": 4},
    {"input": 3, "output": 6.05, "tolerance": {"absolute": 0.1}},
]


def built(house: House, algorithm: str, code: str, examples: list[dict[str, Any]] | None = None, **more: Any) -> str:
    """The hash of a build that declares these examples."""
    files = {"examples.json": json.dumps(EXAMPLES if examples is None else examples).encode(), **more.pop("files", {})}
    contract = {"examples": "examples.json", **more}
    found = house.build(algorithm, code, files=files, contract=contract)
    assert found["status"] == "succeeded", found["log"]
    return str(found["hash"])


@pytest.fixture
def algorithm(house: House) -> str:
    """An algorithm whose version 1.0.0 doubles numbers and declares examples of it."""
    name, _ = house.algorithm(code=DOUBLE)
    house.publish(name, built(house, name, DOUBLE), "1.0.0")
    return name


@pytest.mark.clause("ALG-09")
def test_a_revision_that_reproduces_its_examples_is_checked(house: House, algorithm: str) -> None:
    done = house.ada.publish(algorithm, built(house, algorithm, DOUBLE + "# faster\n"), bump="revision")
    assert (done["version"], done["verdict"]["behaviour"]) == ("1.0.1", "checked")
    told = done["verdict"]["replays"]
    assert [one["candidate"]["reproduced"] for one in told] == [True, True]
    assert all(one["followed"]["seconds"] >= 0 for one in told)
    assert re.fullmatch(r"examples replayed: 1\.0\.1 took \d+\.\d\d s, 1\.0\.0 took .* s", timed(done["verdict"]))


@pytest.mark.clause("ALG-05")
@pytest.mark.parametrize("bump", ["revision", "minor"])
def test_an_answer_that_changed_is_a_new_major(house: House, algorithm: str, bump: str) -> None:
    """The author took the example out as well, which helps nothing: it was promised by 1.0.0."""
    changed = built(house, algorithm, "def apply(input):\n    return input * 3\n", [{"input": 2, "output": 6}])
    error = refusal(house, algorithm, changed, bump=bump)
    assert "ALG-05" in error.clauses
    assert error.least == "2.0.0"
    assert error.verdict is not None
    assert error.verdict["behaviour"] == "differs"
    first = error.verdict["contradicted"][0]["differences"][0]
    assert (first["rule"], first["old"], first["new"], first["witness"]) == ("example-differs", 4, 6, 2)
    assert house.ada.publish(algorithm, changed, bump="major", visibility="public")["verdict"]["behaviour"] == "checked"


def test_an_error_is_no_answer(house: House, algorithm: str) -> None:
    broken = built(house, algorithm, "def apply(input):\n    return {}[input]\n")
    error = refusal(house, algorithm, broken, bump="revision")
    assert "an example that was declared ends in an error: AlgorithmError: 2" in error.what


def test_a_fix_declares_what_it_mends(house: House, algorithm: str) -> None:
    mended = built(
        house, algorithm, "def apply(input):\n    return abs(input) * 2\n", [*EXAMPLES, {"input": -1, "output": 2}]
    )
    done = house.ada.publish(algorithm, mended, bump="revision")
    assert done["verdict"]["behaviour"] == "checked"
    assert [one["declared_by"] for one in done["verdict"]["replays"]] == ["followed", "followed", "candidate"]


def test_an_example_that_is_not_true_of_its_own_version_is_refused(house: House, algorithm: str) -> None:
    error = refusal(house, algorithm, built(house, algorithm, DOUBLE, [{"input": 5, "output": 11}]), bump="minor")
    assert "its own example is answered otherwise" in error.what


def test_a_minor_need_not_reproduce_what_was_not_allowed(house: House) -> None:
    name, _ = house.algorithm(code=DOUBLE)
    number = {"schema.json": b'{"type": "integer"}'}
    declared: list[dict[str, Any]] = [{"input": 2, "output": 4}, {"input": "a", "output": "aa"}]
    house.publish(name, built(house, name, DOUBLE, declared, files=number, input="schema.json"), "1.0.0")
    more = "def apply(input):\n    return input * 2 if isinstance(input, int) else 'text'\n"
    wider = {"schema.json": b'{"type": ["integer", "string"]}'}
    commit = built(house, name, more, declared[:1], files=wider, input="schema.json")
    assert house.ada.publish(name, commit, bump="minor")["version"] == "1.1.0"


@pytest.mark.clause("ALG-09")
def test_the_number_that_is_named_would_pass(house: House, algorithm: str) -> None:
    """1.1.0 mends an answer that no example of 1.0 shows, and declares it; a fix of 1.0 may not go past 1.1."""
    third: list[dict[str, Any]] = [*EXAMPLES, {"input": 7, "output": 0}]
    mended = built(house, algorithm, "def apply(input):\n    return 0 if input == 7 else input * 2\n", third)
    house.publish(algorithm, mended, "1.1.0")
    more = built(house, algorithm, "def apply(input):\n    return {2: 4, 3: 6}.get(input)\n", [])
    house.publish(algorithm, more, "1.0.1")
    error = refusal(house, algorithm, more, number="1.0.1", visibility="public")
    assert (error.clauses, error.least) == (("ALG-02",), "1.0.2")
    assert refusal(house, algorithm, more, bump="minor").least == "2.0.0"


def test_more_properties_in_an_answer_are_a_minor(house: House) -> None:
    name, _ = house.algorithm(code=DOUBLE)
    declared = [{"input": 1, "output": {"a": 1}}]
    house.publish(name, built(house, name, "def apply(input):\n    return {'a': 1}\n", declared), "1.0.0")
    more = built(house, name, "def apply(input):\n    return {'a': 1, 'b': 2}\n", [])
    error = refusal(house, name, more, bump="revision")
    assert (error.clauses, error.least) == (("ALG-07", "ALG-09"), "1.1.0")
    assert house.ada.publish(name, more, number="1.1.0", visibility="public")["version"] == "1.1.0"
