"""The pages on the life cycle of APIs say what the rules say."""

from __future__ import annotations

import json

import yaml

from docs.generate import FOLDER
from tests.docs.pages import blocks, session, tables
from tests.docs.terminal import Terminal
from troth.contracts.histories.judging import judged
from troth.contracts.histories.reading import history
from troth.contracts.histories.spellings import AROUND, KINDS, MEMBERS, MOVES
from troth.versions.lifecycles.transitions import TRANSITIONS
from troth.versions.releases.numbers import Step
from troth.versions.verdict import Outcome

PAGE, HISTORIES, HOW_TO = FOLDER / "life-cycle.md", FOLDER / "histories.md", FOLDER / "how-to" / "check-apis.md"


def words(cell: str) -> list[str]:
    """The names in a cell of a table."""
    return cell.replace("`", "").split(", ")


def test_the_table_of_moves_is_what_the_rules_say() -> None:
    wanted = []
    for row in TRANSITIONS.values():
        told = [
            (Outcome.ALLOWED if step in row.steps else row.otherwise).value.replace("-", " ")
            for step in (Step.MAJOR, Step.MINOR, Step.PATCH)
        ]
        wanted.append([row.before.value, row.after.value, *told, row.clause])
    assert next(table for table in tables(PAGE) if len(table[0]) == 6) == wanted


def test_the_how_to_runs(terminal: Terminal) -> None:
    terminal.play(HOW_TO)


def test_the_workflow_fetches_what_it_compares_with() -> None:
    (command,) = [step.command for step in session(HOW_TO) if step.command.startswith("cat > .github/workflows")]
    steps = yaml.safe_load("\n".join(command.splitlines()[1:-1]))["jobs"]["apis"]["steps"]
    assert steps[0]["with"] == {"fetch-depth": 0}


def test_the_histories_that_are_shown_are_legal() -> None:
    whole, waived = (list(judged(history(shown))) for shown in blocks(HISTORIES, "yaml"))
    assert {one.outcome for one in [*whole, *waived]} == {Outcome.ALLOWED}
    assert [one.clause for one in waived[-1].waived] == ["PDB-21"]


def test_every_event_is_described() -> None:
    listed = {word for row in tables(HISTORIES)[1] for word in words(row[0])}
    assert listed == {*MOVES, *(names[0] for names in KINDS)}


def test_every_other_name_is_listed() -> None:
    moves, *kinds = tables(HISTORIES)[2]
    assert ["create", *words(moves[1])] == [form.replace("MOVE", "create") for form in AROUND]
    assert [(*words(first), *words(others)) for first, others in kinds] == [names for names in KINDS if names[1:]]
    assert [(*words(first), *words(others)) for first, _, others in tables(HISTORIES)[3]] == [*MEMBERS]


def test_the_answer_that_is_shown_is_the_example_s() -> None:
    text = (FOLDER.parent / "examples" / "histories" / "etcd.yaml").read_text()
    found = [one.as_dict() for one in judged(history(text))][-1]
    shown = json.loads(blocks(HISTORIES, "json")[0])
    assert {key: found[key] for key in shown} == shown
