"""ALG-11, ALG-16 and ALG-24 over HTTP: random lives of an algorithm, seen by everybody after every step."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clauses.conftest import House, answered
from troth.errors import Refused
from troth.versions.numbers import Number

steps = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from(["major", "minor", "revision"]),
            st.builds("{}.{}.{}".format, st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)),
        ),
        st.sampled_from(["public", "private"]),
        st.booleans(),
    ),
    min_size=3,
    max_size=10,
)


@pytest.mark.clause("ALG-11")
@pytest.mark.clause("ALG-16")
@pytest.mark.clause("ALG-24")
@settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(steps)
def test_random_lives(house: House, life: list[tuple[str, str, bool]]) -> None:
    algorithm, plain = house.algorithm()
    lines: dict[str, dict[str, str]] = {}
    permissions: dict[str, set[str]] = {}
    online = ""
    for how, visibility, other_permissions in life:
        build = plain
        if other_permissions:
            online = (
                online
                or house.build(algorithm, "def apply(input): ...\n", permissions={"pipeline_enabled": True})["hash"]
            )
            build = online
        key = "number" if "." in how else "bump"
        try:
            house.ada.publish(algorithm, build, visibility=visibility, confirm_permissions=True, **{key: how})
        except Refused as refusal:
            assert refusal.clauses
            continue
        rows = {row["version"]: row for row in house.ada.versions(algorithm)["versions"]}
        for text in _references(rows):
            answers = _answers(house, f"{algorithm}/{text}")
            assert len(set(answers.values())) <= 1, (text, answers)  # ALG-24
            if text.count(".") == 1 and "*" not in text:
                _never_less(lines.setdefault(text, {}), answers)  # ALG-11
                for version in answers.values():
                    permissions.setdefault(text, set()).add(json.dumps(rows[version]["permissions"], sort_keys=True))
    assert all(len(found) == 1 for found in permissions.values())  # ALG-16


def _references(rows: dict[str, object]) -> list[str]:
    parts = [number.split(".") for number in rows]
    lines = {f"{major}.{minor}" for major, minor, _ in parts} | {f"{major}.*" for major, _, _ in parts}
    return ["latest", "latestPrivate", *sorted(lines), *rows]


def _answers(house: House, reference: str) -> dict[str, str]:
    """The version by caller, for those who get an answer; what is said to `why` must be what a call runs."""
    found = {}
    for who, client in house.everybody.items():
        said = answered(client, reference)
        if not said.startswith("algorithm"):
            found[who] = said
            assert client.resolve(reference)["version"] == said
    return found


def _never_less(before: dict[str, str], now: dict[str, str]) -> None:
    for who, version in before.items():
        assert who in now
        assert Number.parse(now[who]) >= Number.parse(version)
    before.update(now)
