"""The table of states, what it refuses to be, and what replies say by it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import Malformed
from troth.versions.lifecycles.headers import Marking, Markings, headers_of, markings, prefix_address
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.table import ApiVersion, Brownout, StateTable, moment, version_number

BELOW = prefix_address("/api/")
DEPRECATED = ApiVersion(
    4,
    State.DEPRECATED,
    since="7.0.0",
    retires_in="8.0.0",
    sunset="2027-01-31T00:00:00Z",
    successor=5,
    documentation="https://docs.example/v4",
    deprecated_at="2023-07-01T00:59:59+01:00",
)
TABLE = StateTable.of(
    "ada/shop",
    7,
    ApiVersion(3, State.RETIRED, since="7.0.0", successor=4),
    DEPRECATED,
    ApiVersion(5, State.CURRENT, since="7.0.0"),
    ApiVersion(6, State.EXPERIMENTAL),
    brownouts=(Brownout(4, "2027-01-10T10:00:00Z", "2027-01-10T10:05:00Z"),),
)
NOW = moment("2027-01-01T00:00:00Z").timestamp()
RELEASES = st.none() | st.builds("{}.{}.{}".format, *[st.integers(0, 99)] * 3)
TIMES = st.datetimes().map(lambda found: found.replace(microsecond=0).isoformat() + "Z")


@st.composite
def versions(draw: st.DrawFn) -> ApiVersion:
    state = draw(st.sampled_from(State))
    return ApiVersion(
        draw(st.integers(1, 30)),
        state,
        draw(RELEASES),
        draw(RELEASES),
        draw(st.none() | TIMES),
        draw(st.none() | st.integers(1, 30)),
        draw(st.sampled_from([None, "/docs/x", "https://docs.example/v4?a=1#b"])),
        draw(TIMES if state is State.DEPRECATED else st.none() | TIMES),
    )


def plain(marking: Marking) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in marking.headers}


def marked(table: StateTable = TABLE, now: float = NOW) -> Markings:
    return markings(table, BELOW, now)


@given(st.lists(versions(), unique_by=lambda version: version.number), st.integers(0, 10**6))
def test_a_table_comes_back_from_json_as_it_was(rows: list[ApiVersion], revision: int) -> None:
    table = StateTable.of("ada/shop", revision, *rows)
    assert StateTable.from_dict(json.loads(json.dumps(table.as_dict()))) == table


@given(versions())
def test_nothing_in_a_header_ends_its_line(version: ApiVersion) -> None:
    for name, value in headers_of(version, BELOW):
        assert re.fullmatch(rb"[a-z-]+", name)
        assert re.fullmatch(rb"[\x20-\x7e]+", value)


@pytest.mark.clause("PDB-34")
def test_a_deprecated_version_says_since_when_until_when_and_what_comes_next() -> None:
    assert plain(marked().versions[4]) == {
        "troth-api-state": "deprecated",
        "deprecation": "@1688169599",  # the example of RFC 9745
        "troth-retires-in": "8.0.0",
        "sunset": "Sun, 31 Jan 2027 00:00:00 GMT",
        "link": '</api/v5>; rel="successor-version", <https://docs.example/v4>; rel="deprecation", '
        '<https://docs.example/v4>; rel="sunset"',
        "troth-brownout": "2027-01-10T10:00:00Z/2027-01-10T10:05:00Z",
    }


@pytest.mark.clause("PDB-26")
def test_an_experimental_version_says_so_and_a_current_one_nothing() -> None:
    assert plain(marked().versions[6]) == {"troth-api-state": "experimental"}
    assert plain(marked().versions[5]) == {}


@pytest.mark.clause("PDB-38")
def test_a_retired_version_is_gone_with_a_pointer() -> None:
    refusal = marked().versions[3].refused(NOW, production=True)
    assert refusal is not None
    assert refusal.status == 410
    problem = json.loads(refusal.body)
    assert problem["clauses"] == ["PDB-38"]
    assert problem["successor"] == "/api/v4"
    assert (b"link", b'</api/v4>; rel="successor-version"') in refusal.headers
    assert all(marked().versions[number].gone is None for number in (4, 5, 6))


def test_a_brownout_refuses_while_it_lasts_and_spares_production_unless_asked() -> None:
    begins, ends = (moment(f"2027-01-10T10:0{minute}:00Z").timestamp() for minute in (0, 5))
    marking = marked().versions[4]
    assert [marking.refused(now, production=False) is None for now in (begins - 1, begins, ends - 1, ends)] == [
        True, False, False, True
    ]  # fmt: skip
    assert marking.refused(begins, production=True) is None
    asked = replace(TABLE, brownouts=(replace(TABLE.brownouts[0], production=True),))
    refusal = markings(asked, BELOW, NOW).versions[4].refused(begins, production=True)
    assert refusal is not None
    assert refusal.status == 503
    assert dict(refusal.headers)[b"retry-after"] == b"Sun, 10 Jan 2027 10:05:00 GMT"


def test_what_is_announced_holds_between_the_edges_of_brownouts_only() -> None:
    begins, ends = (moment(f"2027-01-10T10:0{minute}:00Z").timestamp() for minute in (0, 5))
    for now, held in [(begins - 1, (-math.inf, begins)), (begins, (begins, ends)), (ends, (ends, math.inf))]:
        made = marked(now=now)
        assert (made.begins, made.ends) == held
        assert ("troth-brownout" in plain(made.versions[4])) == (now < ends)


@pytest.mark.parametrize("name", ["4", "v04", "v0", "v", "V4", "v4.1", "v-1", "v4\n", "v٤", "v9999999999", ""])
def test_what_only_looks_like_a_version_is_none(name: str) -> None:
    assert version_number(name) is None


def test_versions_are_numbers() -> None:
    assert version_number("v10") == 10
    table = StateTable.of("ada/shop", 1, *(ApiVersion(number, State.CURRENT) for number in (10, 9)))
    assert list(table.versions) == [9, 10]


WHOLE = TABLE.as_dict()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format"),
        ({"format": True}, "format"),
        ({"api": "shop"}, "API"),
        ({"api": "ada/shop\r\nx: y"}, "API"),
        ({"revision": -1}, "revision"),
        ({"revision": "7"}, "revision"),
        ({"versions": {}}, "is dict"),
        ({"versions": [{"number": 1}]}, "no state"),
        ({"versions": [{"number": 1, "state": "old"}]}, "no state"),
        ({"versions": [{"number": "v1", "state": "current"}]}, "number"),
        ({"versions": [{"number": True, "state": "current"}]}, "number"),
        ({"versions": [{"number": 1, "state": "current"}] * 2}, "twice"),
        ({"versions": [{"number": 1, "state": "current", "since": "8"}]}, "release"),
        ({"versions": [{"number": 1, "state": "current", "since": None}]}, "since"),
        ({"versions": [{"number": 1, "state": "deprecated"}]}, "deprecated_at"),
        ({"versions": [{"number": 1, "state": "current", "sunset": "2027-02-30T00:00:00Z"}]}, "no time"),
        ({"versions": [{"number": 1, "state": "current", "sunset": "2027-01-01"}]}, "no time"),
        ({"versions": [{"number": 1, "state": "current", "documentation": "javascript:alert(1)"}]}, "address"),
        ({"versions": [{"number": 1, "state": "current", "documentation": "/a>, <b"}]}, "address"),
        ({"versions": [{"number": 1, "state": "current", "documentation": "/a\r\nx: y"}]}, "address"),
        ({"versions": [{"number": 1, "state": "current", "colour": "red"}]}, "colour"),
        ({"brownouts": [{"version": 1, "begins": "2027-01-01T00:00:00Z", "ends": "2027-01-01T00:00:00Z"}]}, "before"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_table_is_refused_with_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed) as refused:
        StateTable.from_dict({**WHOLE, **change})
    assert words in str(refused.value)
    assert refused.value.repair


@pytest.mark.parametrize("document", [None, [], "x", {}, 1])
def test_what_is_no_object_is_no_table(document: object) -> None:
    with pytest.raises(Malformed):
        StateTable.from_dict(document)
