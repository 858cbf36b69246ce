"""troth check history: recorded events, judged by the clauses on releases, APIs and commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.contracts.histories.judging import judged
from troth.contracts.histories.reading import history
from troth.contracts.histories.spellings import AROUND, KINDS, MOVES, NUMBER, VERSION, kind_of
from troth.contracts.histories.verdict import EventVerdict
from troth.doors.cli.main import execute
from troth.errors import Malformed, TrothError

EXAMPLES = Path(__file__).parents[2] / "examples" / "histories"
Events = list[dict[str, Any]]


def lines(events: Events, **head: Any) -> str:
    """The events as NDJSON, behind a head."""
    rows = [head, *events] if head else events
    return "".join(json.dumps(row) + "\n" for row in rows)


def verdicts(events: Events, **head: Any) -> list[EventVerdict]:
    return list(judged(history(lines(events, **head))))


def last(events: Events, **head: Any) -> tuple[str, tuple[str, ...]]:
    """The outcome of the last event, and its clauses."""
    found = verdicts(events, **head)[-1]
    return found.outcome.value, found.clauses


def release(number: str, **members: Any) -> dict[str, Any]:
    return {"event": "release", "number": number, **members}


def move(event: str, version: str, **members: Any) -> dict[str, Any]:
    return {"event": event, "version": version, **members}


BORN = [release("5.1.0"), move("create", "v4"), move("graduate", "v4")]
GROWN = [*BORN, release("6.1.0"), move("create", "v5"), release("7.3.0"), move("graduate", "v5", deprecates="v4")]


@pytest.mark.clause("PDB-31")
@pytest.mark.clause("PDB-35")
def test_a_legal_life_is_allowed_event_by_event() -> None:
    events = [*GROWN, release("8.0.0"), move("retire", "v4"), release("8.1.0")]
    assert [one.outcome.value for one in verdicts(events)] == ["allowed"] * len(events)


@pytest.mark.clause("PDB-31")
def test_a_graduation_that_leaves_two_current_versions_is_refused() -> None:
    born = [*BORN, release("6.0.0"), move("create", "v5"), release("6.1.0")]
    assert last([*born, move("graduate", "v5")])[0] == "refused"
    assert last([*born, move("graduate", "v5")])[1][0] == "PDB-31"
    found = verdicts([*born, move("graduate", "v5"), move("retire", "v4")])
    assert [one.clauses[0] for one in found[-2:]] == ["PDB-31", "PDB-36"]
    for told in ([move("graduate", "v5"), move("deprecate", "v4")], [move("deprecate", "v4"), move("graduate", "v5")]):
        assert [one.outcome.value for one in verdicts([*born, *told])[-2:]] == ["allowed", "allowed"]


@pytest.mark.clause("PDB-35")
def test_an_x_release_that_still_serves_what_is_deprecated_is_refused() -> None:
    assert last([*GROWN, release("8.0.0")]) == ("refused", ("PDB-35",))
    assert last([*GROWN, release("7.9.0")])[0] == "allowed"
    left_out = verdicts([*GROWN, release("7.3.2"), release("8.1.0")])[-1]
    assert (left_out.outcome.value, left_out.clauses) == ("refused", ("PDB-35",))
    assert "release 8.0.0 instead" in left_out.said[0].repair
    extended = [*GROWN, move("extend", "v4", until="9.0.0", reason="the bank moves in spring"), release("8.0.0")]
    assert last(extended)[0] == "allowed"
    assert "served by an extension, until 9.0.0" in verdicts(extended)[-1].notes[0]
    assert last([*extended, release("9.0.0")]) == ("refused", ("PDB-35",))
    assert last([*GROWN, move("extend", "v4", until="9.0.0")])[1] == ("PDB-35",)


@pytest.mark.clause("PDB-38")
@pytest.mark.clause("PDB-39")
def test_what_is_retired_is_neither_served_nor_documented() -> None:
    events = [*GROWN, release("8.0.0"), move("retire", "v4")]
    assert last([*events, release("8.1.0", serves=["v4", "v5"])]) == ("refused", ("PDB-38",))
    assert last([*events, release("8.1.0", documents=["v4", "v5"])]) == ("refused", ("PDB-39",))
    assert last([*events, release("8.1.0", serves=["v5"], documents=["v5"])])[0] == "allowed"


@pytest.mark.clause("PDB-38")
@pytest.mark.clause("PDB-39")
@pytest.mark.parametrize("name", NUMBER)
@pytest.mark.parametrize(("member", "clause"), [("serves", "PDB-38"), ("documents", "PDB-39")])
def test_what_is_retired_in_a_release_is_gone_in_it_however_its_number_is_called(
    name: str, member: str, clause: str
) -> None:
    eighth = {"event": "release", name: "8.0.0", member: ["v4", "v5"]}
    found = verdicts([*GROWN, eighth, move("retire", "v4", release="8.0.0")])[-2]
    assert (found.outcome.value, found.clauses) == ("refused", (clause,))


@pytest.mark.parametrize("member", VERSION)
@pytest.mark.parametrize("form", AROUND)
def test_moves_are_read_in_every_spelling(form: str, member: str) -> None:
    kind = form.replace("MOVE", "create").replace("-", "_").upper()
    assert kind_of(kind) == "create"
    assert last([release("5.1.0"), {"event": kind, member: "v4", "state": "current"}])[1] == ("PDB-20",)


@pytest.mark.clause("PDB-23")
def test_a_release_that_makes_a_version_serves_the_others() -> None:
    events = [*GROWN, release("7.4.0"), move("create", "v6")]
    assert last(events)[0] == "allowed"
    assert verdicts([*events, move("retire", "v4")])[-2].clauses[0] == "PDB-23"
    assert last([*GROWN, release("7.4.0"), move("create", "v6", without=["v4"])])[1] == ("PDB-23",)
    assert last([*GROWN, release("7.3.1"), move("create", "v6")])[1] == ("PDB-23", "PDB-19")


@pytest.mark.clause("PDB-03")
def test_the_starting_point_decides_what_is_judged() -> None:
    skipping = [
        release("1.0.0"),
        move("create", "v3", state="current"),
        release("2.0.0"),
        move("retire", "v2"),
        move("create", "v4"),
        release("2.1.0"),
        move("graduate", "v4", deprecates="v3"),
    ]
    assert "refused" in {one.outcome.value for one in verdicts(skipping)}
    found = verdicts(skipping, starting_point="v4")
    assert {one.outcome.value for one in found} == {"allowed"}
    assert [one.judged for one in found] == [True, False, True, False, True, True, True]
    without = [*skipping[:-1], move("graduate", "v4")]
    assert last(without, starting_point="v4")[1][0] == "PDB-31", (
        "its graduation deprecates the former current (note N7)"
    )


@pytest.mark.clause("PLX-05")
@pytest.mark.clause("PLX-07")
def test_releases_are_judged_behind_the_starting_point() -> None:
    events = [release("0.4.2"), release("0.4.3", breaks=["x"]), release("0.4.4"), release("0.4.5", breaks=["y"])]
    found = verdicts(events, starting_point="0.4.4", profiles=["polyaxon"])
    assert [(one.outcome.value, one.judged) for one in found] == [
        ("allowed", False), ("allowed", False), ("allowed", False), ("refused", True)]  # fmt: skip
    assert "PLX-07" in found[-1].clauses


@pytest.mark.clause("PLX-08")
@pytest.mark.clause("PDB-08")
@pytest.mark.clause("PLX-17")
@pytest.mark.parametrize(
    ("held", "number", "outcome", "clause"),
    [
        ({"migrations": ["0007"]}, "1.6.2", "refused", "PLX-08"),
        ({"migrations": ["0007"]}, "1.7.0", "allowed", "PLX-08"),
        ({"targets": ["fedora 40"]}, "1.6.2", "allowed", "PDB-08"),
        ({"targets": ["fedora 40"], "distribution_only": True, "fixes": ["x"]}, "1.6.2", "refused", "PDB-08"),
        ({"features": ["search"]}, "1.6.2", "refused", "PDB-19"),
        ({"features": ["search"]}, "1.7.0", "allowed", "PDB-19"),
        ({"breaks": ["no XML"]}, "1.7.0", "refused", "PDB-05"),
        ({"breaks": ["no XML"]}, "2.0.0", "allowed", "PDB-05"),
        ({"major_functionality": ["a cluster"]}, "1.7.0", "refused", "PLX-10"),
        ({"settings": {"removed": ["port"]}}, "1.6.2", "refused", "PDB-05"),
        ({"occasion": None}, "1.6.2", "refused", "PLX-11"),
        ({"occasion": "functionality", "infrastructures": [{"name": "a", "provider": "gke"}, {"name": "b", "provider": "gke"}]},
         "1.7.0", "refused", "PLX-13"),
        ({"occasion": "functionality", "infrastructures": [{"provider": "gke"}, {"provider": "eks"}]}, "1.7.0", "allowed", "PDB-05"),
        ({"documentation": False}, "1.6.2", "refused", "PLX-06"),
        ({"components": {"tracking": None}}, "1.7.0", "refused", "PLX-17"),
        ({"components": {"core": "beta"}}, "1.7.0", "refused", "PLX-17"),
        ({}, "1.6.1", "refused", "PDB-05"),
        ({}, "v4", "refused", "PDB-06"),
    ],
)  # fmt: skip
def test_what_a_release_holds_asks_for_its_number(held: dict[str, Any], number: str, outcome: str, clause: str) -> None:
    found = last([release("1.6.1", components={"core": "stable"}), release(number, **held)])
    assert (found[0], clause in found[1]) == (outcome, True), found


@pytest.mark.clause("PDB-02")
@pytest.mark.clause("PDB-43")
@pytest.mark.clause("PDB-44")
@pytest.mark.clause("PDB-45")
@pytest.mark.clause("PDB-46")
@pytest.mark.clause("PDB-47")
@pytest.mark.parametrize(
    ("event", "outcome", "clause"),
    [
        ({"event": "command", "command": "store report", "version": 2}, "refused", "PDB-47"),
        ({"event": "command", "command": "replace facts", "version": 2}, "allowed", "PDB-47"),
        ({"event": "command", "command": "replace facts", "version": 3}, "refused", "PDB-47"),
        ({"event": "command", "command": "replace facts", "version": 4.1}, "refused", "PDB-02"),
        ({"event": "command", "command": "replace facts", "version": 2, "format": 4}, "refused", "PDB-43"),
        ({"event": "command", "command": "replace facts", "version": 2, "schema": None}, "refused", "PDB-42"),
        ({"event": "command", "command": "deactivate node", "version": 1, "schema": {"type": "string"}}, "allowed", "PDB-40"),
        ({"event": "command", "command": "replace facts", "version": 2, "release": "5.1.1"}, "refused", "PDB-19"),
        ({"event": "command-change", "command": "replace facts", "changes": ["an optional field"]}, "refused", "PDB-45"),
        ({"event": "command-change", "command": "replace facts", "undecided": ["two patterns"]}, "refused", "PDB-44"),
        ({"event": "command-change", "command": "replace facts", "serialisation": "msgpack"}, "refused", "PDB-46"),
        ({"event": "command-change", "command": "replace facts", "schema": {"type": "object", "required": ["a"]}}, "refused", "PDB-45"),
        ({"event": "command-change", "command": "replace facts", "descriptions": ["clearer"]}, "allowed", "PDB-45"),
        ({"event": "retire-command", "command": "replace facts", "version": 1}, "not-regulated", "PDB-04"),
    ],
)  # fmt: skip
def test_commands_and_wire_formats(event: dict[str, Any], outcome: str, clause: str) -> None:
    first = {"event": "command", "command": "replace facts", "version": 1, "schema": {"type": "object"}}
    found = last([release("5.1.0"), first, event])
    assert (found[0], clause in found[1]) == (outcome, True), found


@pytest.mark.clause("PDB-12")
@pytest.mark.clause("PDB-40")
def test_a_command_and_an_api_leave_each_other_alone() -> None:
    command = {"event": "command", "command": "replace facts", "version": 1}
    found = verdicts([*BORN, command, {**command, "version": 2}, release("5.2.0"), move("create", "v5")])
    assert {one.outcome.value for one in found} == {"allowed"}


@pytest.mark.clause("PDB-04")
def test_what_no_clause_speaks_of_is_not_regulated_until_it_is_decided() -> None:
    found = verdicts([*BORN, {"event": "rename", "api": "orders"}])[-1]
    assert (found.outcome.value, found.clauses) == ("not-regulated", ("PDB-04",))
    assert "rename" in found.said[0].question
    early = move("retire", "v4", release="7.4.0")
    assert last([*GROWN, early])[1] == ("PDB-37",)
    decision = {
        "event": "decision",
        "about": "v4 deprecated to retired in 7.4.0",
        "allowed": True,
        "reason": "CVE-2026-1",
    }
    assert last([*GROWN, decision, early]) == ("allowed", ("PDB-04",))


@pytest.mark.clause("PDB-10")
@pytest.mark.clause("PDB-41")
def test_versions_of_an_api_have_one_form_and_no_part_of_them_has_one() -> None:
    for name, right in (("4", "v4"), ("v04", "v4")):
        found = verdicts([release("5.1.0"), move("create", name)])[-1]
        assert (found.outcome.value, found.clauses[0]) == ("refused", "PDB-10")
        assert found.said[0].repair == f"write {right}"
    ten = [*BORN, release("6.0.0"), move("create", "v9"), move("create", "v10")]
    assert "v9" in verdicts(ten)[-1].said[0].question, "v10 comes behind v9"
    assert last([*BORN, move("deprecate", "v4", endpoint="GET /v4/nodes")])[1][0] == "PDB-41"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"event": "release", "number": "1.0.0"}\nnonsense\n', "line 2 is not JSON"),
        ('{"event": "release", "number": "1.0.0"}\n\n[1]\n', "line 3 is list"),
        ("events:\n  - {number: 1.0.0}\n", "event 1 does not say which event it is"),
        ("events:\n  - {event: release, number: 1.0}\n", "event 1: number is 1.0"),
        ("events:\n  - {event: release, number: 1.0.0, date: yesterday}\n", "event 1: date is 'yesterday'"),
        ("events:\n  - {event: create, version: v1}\n", "event 1: it rides on no release"),
        ("events:\n  - {event: release, number: 1.0.0}\n  - {event: create, version: v1, state: new}\n", "event 2: state is 'new'"),
        ("events: 4\n", "the history has no events"),
        ("a: [\n", "the history is neither YAML nor JSON"),
        ("profiles: [nonsense]\nevents: []\n", "the head: profiles has 'nonsense'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, place: str) -> None:
    with pytest.raises(Malformed) as caught:
        list(judged(history(text)))
    assert place in caught.value.what
    assert caught.value.repair


def test_numbers_may_be_missing_where_a_history_does_not_say_that_it_is_complete() -> None:
    events = [
        release("1.0.0", documentation=True, occasion="fix"),
        release("3.1.0", documentation=True, occasion="fix"),
    ]
    assert last(events)[0] == "allowed"
    assert last(events, complete=True) == ("refused", ("PDB-05",))
    assert last([events[0], {**events[1], "number": "3.0.0"}], complete=True) == ("not-regulated", ("PDB-04",))


def test_yaml_json_and_lines_say_the_same() -> None:
    head = {"history": "shop", "starting_point": "v4"}
    document = {**head, "events": GROWN}
    forms = [lines(GROWN, **head), json.dumps(document), yaml.safe_dump(document)]
    told = [[one.as_dict() for one in judged(history(text))] for text in forms]
    assert told[0] == told[1] == told[2]


def test_the_command_answers_a_line_an_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "history.ndjson"
    file.write_text(lines([*BORN, {**move("retire", "v4"), "id": "too early"}]))
    assert execute(["check", "history", str(file), "--json"]) == 3
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["event"], one["verdict"]) for one in told] == [
        (1, "allowed"), (2, "allowed"), (3, "allowed"), ("too early", "refused")]  # fmt: skip
    assert told[-1]["clauses"] == ["PDB-36"]
    assert execute(["check", "history", str(file), "--json", "--starting-point", "v5"]) == 0
    capsys.readouterr()
    assert execute(["check", "history", str(file)]) == 3
    said = capsys.readouterr()
    assert "too early. retire api v4 in 5.1.0: refused [PDB-36]" in said.out
    assert "3 allowed, 1 refused, 0 not regulated" in said.err
    assert execute(["check", "history", str(tmp_path / "nothing")]) == 2


def test_the_example_is_judged_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(EXAMPLES / "etcd.yaml")
    assert execute(["check", "history", file, "--json", "--starting-point", "v3"]) == 3
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    refused = {one["event"]: one["clauses"][0] for one in told if one["verdict"] == "refused"}
    assert refused == {6: "PDB-31", 11: "PDB-37"}
    assert execute(["check", "history", file, "--starting-point", "v4"]) == 0


ANY_KIND = ["rename", *MOVES, *(name for names in KINDS for name in names)]
MEMBERS = ["number", "version", "release", "api", "command", "state", "former", "until", "reason", "about", "allowed", "date",
           "breaks", "additions", "features", "components", "settings", "infrastructures", "occasion", "serves", "documents",
           "deprecates", "without", "schema", "serialisation", "format", "reference", "id", "broken_paths", "targets"]  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 5)
    | st.sampled_from(["v4", "v5", "5.1.0", "8.0.0", "x", "", "current", "2026-01-31"])
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["words", "id", "component", "clauses", "v4", "removed", "core", "from"]), inner, max_size=3), max_leaves=4)  # fmt: skip


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from(ANY_KIND), st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=5)), max_size=6
    ),
    st.dictionaries(st.sampled_from(["starting_point", "profiles", "exceptions", "decisions", "complete", "api", "since"]), VALUES, max_size=2),
)  # fmt: skip
def test_whatever_stands_in_a_history_is_judged_or_named(
    events: list[tuple[str, dict[str, Any]]], head: dict[str, Any]
) -> None:
    rows = [{"event": kind, **members} for kind, members in events]
    try:
        found = list(judged(history(json.dumps({**head, "events": rows}))))
    except TrothError as error:
        assert error.what
        assert error.repair
    else:
        assert len(found) == len(rows)
        json.dumps([one.as_dict() for one in found])


@pytest.mark.clause("PDB-04")
def test_a_change_in_a_release_before_the_newest_waits_for_a_decision() -> None:
    events = [*BORN, release("5.2.0"), move("change", "v4", additions=["a parameter"])]
    assert last(events) == ("allowed", ("PDB-13",))
    earlier = {**move("change", "v4", additions=["a parameter"]), "release": "5.1.0"}
    assert last([*events, earlier]) == ("not-regulated", ("PDB-04",))


WAIVER = {"clauses": ["PDB-21"], "reason": "nobody reads it", "approved_by": "bob"}


def changed(release_number: str = "5.2.0", day: str = "2026-05-31", **waiver: Any) -> EventVerdict:
    """The verdict on a break of the current version, which this waiver is to excuse."""
    given = {key: value for key, value in {**WAIVER, **waiver}.items() if value is not None}
    broken = move("change", "v4", breaks=["shade is gone"], date=day, waivers=[given])
    return verdicts([*BORN, release(release_number), broken])[-1]


@pytest.mark.clause("PDB-21")
def test_a_change_by_a_waiver_is_allowed_and_says_so() -> None:
    found = changed(id="w1", expires_at="2026-05-31", number="v4/5.2.0", subject="ada/api").as_dict()
    assert (found["verdict"], found["clauses"]) == ("allowed", [])
    assert [one["clause"] for one in found["waived"]] == ["PDB-21"]
    assert [(one["id"], one["clauses"], one["holds"]) for one in found["waivers"]] == [("w1", ["PDB-21"], True)]


@pytest.mark.clause("PDB-21")
@pytest.mark.parametrize(
    ("waiver", "why"),
    [
        ({"number": "v4/5.3.0"}, "it is for v4/5.3.0, and not for v4/5.2.0"),
        ({"clauses": ["PDB-21", "PDB-30"]}, "PDB-30 cannot be waived; of an API PDB-19, PDB-21, PDB-29 can"),
        ({"approved_by": None}, "nobody approved it"),
        ({"reason": " "}, "nobody said why"),
        ({"expires_at": "2026-05-30"}, "it expired at 2026-05-30"),
        ({"revoked_at": "2026-05-31"}, "it was revoked at 2026-05-31"),
        ({"approved_at": "2026-06-01T08:00:00Z"}, "it was approved at 2026-06-01T08:00:00Z, behind the change"),
        ({"subject": "ada/others"}, "it is for the api ada/others, and not for api"),
        ({"kind": "product"}, "it is for the product api, and not for api"),
    ],
)
def test_a_waiver_that_does_not_hold_excuses_nothing(waiver: dict[str, Any], why: str) -> None:
    found = changed(**waiver).as_dict()
    assert (found["verdict"], found["clauses"]) == ("refused", ["PDB-21"])
    assert [(one["holds"], one["why"]) for one in found["waivers"]] == [(False, why)]


@pytest.mark.clause("PDB-30")
def test_no_waiver_of_a_history_excuses_what_is_never_waived() -> None:
    frozen = move("change", "v4", additions=["a field"], waivers=[{**WAIVER, "clauses": ["PDB-19"]}])
    assert last([*GROWN, release("7.4.0"), frozen]) == ("refused", ("PDB-30", "PDB-32"))
    both = move("change", "v4", breaks=["shade is gone"], additions=["a field"], waivers=[WAIVER])
    assert last([*BORN, release("5.1.1"), both]) == ("refused", ("PDB-19",))
    for wrong in ("bob", {"clauses": 1}, {**WAIVER, "id": 7}):
        with pytest.raises(Malformed):
            verdicts([*BORN, release("5.2.0"), move("change", "v4", breaks=["x"], waivers=[wrong])])


def test_what_was_waived_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "history.ndjson"
    broken = move("change", "v4", breaks=["shade is gone"], waivers=[{**WAIVER, "id": "w1"}])
    file.write_text(lines([*BORN, release("5.2.0"), broken]))
    assert execute(["check", "history", str(file)]) == 0
    out = capsys.readouterr().out
    assert "5. change api v4 in 5.2.0: allowed by a waiver" in out
    assert "waived: PDB-21: v4 is current" in out
    assert "by a waiver of PDB-21" in out
    assert "nobody reads it" in out
