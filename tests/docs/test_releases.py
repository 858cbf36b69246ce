"""The pages on releases say what the rules say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from docs.generate import FOLDER
from tests.docs.pages import blocks, session, tables
from tests.docs.terminal import Terminal
from troth.contracts.product import parse_product
from troth.versions.releases.evidence import Fact, Kind, Maturity, Situation
from troth.versions.releases.judging import judge
from troth.versions.releases.numbers import ReleaseNumber, Step
from troth.versions.releases.rules import PROFILES

PAGE, HOW_TO = FOLDER / "releases.md", FOLDER / "how-to" / "check-releases.md"
#: The fact that each row of the table speaks of.
FACTS = {
    "nothing that others rely on": Kind.CONTRACT_CHANGED,
    "a contract breaks, or it cannot be told that it does not": Kind.CONTRACT_UNDECIDED,
    "a break, in 0.x": Kind.CONTRACT_BROKEN,
    "something new": Kind.CONTRACT_WIDENED,
    "something new, in 0.x": Kind.NOTED_FEATURE,
    "a break of an alpha or beta component": Kind.CONTRACT_BROKEN,
    "a default is another": Kind.SETTING_DEFAULT,
    "a setting is gone": Kind.SETTING_REMOVED,
    "a new migration": Kind.MIGRATION_ADDED,
    "a migration that was released is edited": Kind.MIGRATION_EDITED,
    "a step by hand": Kind.MANUAL_STEP,
    "declared major functionality": Kind.MAJOR_FUNCTIONALITY,
    "a new distribution": Kind.TARGET_ADDED,
}


def said(words: str, profile: str) -> str:
    """What the rules say of the fact that a row speaks of, in the words of the table."""
    former = ReleaseNumber.of(0 if "0.x" in words else 1, 4, 0)
    maturity = Maturity.BETA if "beta" in words else Maturity.STABLE
    exceptions = ("PDB-08",) if profile == "puppetdb" else ()
    found = judge(
        [Fact(FACTS[words], "x", "x", maturity=maturity)],
        Situation(former, (former,), (profile,), exceptions=exceptions),
    )
    return "a question" if found.gaps else "no number" if found.step is Step.NONE else str(found.step)


def test_the_table_of_steps_is_what_the_rules_say() -> None:
    rows = tables(PAGE)[0]
    assert [row[0] for row in rows] == list(FACTS)
    assert rows == [[words, *(said(words, profile) for profile in PROFILES)] for words in FACTS]


def test_the_declaration_that_is_shown_can_be_read() -> None:
    (whole,) = [block for block in blocks(PAGE, "toml") if "[product]" in block]
    product = parse_product(whole.encode())
    assert len(product.components) == 2
    assert product.occasion == "functionality"


def test_the_how_to_runs(terminal: Terminal) -> None:
    terminal.play(HOW_TO)


def test_the_workflow_fetches_what_it_compares_with() -> None:
    (command,) = [step.command for step in session(HOW_TO) if step.command.startswith("cat > .github/workflows")]
    steps = yaml.safe_load("\n".join(command.splitlines()[1:-1]))["jobs"]["number"]["steps"]
    assert steps[0]["with"] == {"fetch-depth": 0}
    assert [step["run"].split(">>")[0].split()[:3] for step in steps[2:]] == [["troth", "release", "check"]] * 2


@pytest.mark.parametrize("page", [PAGE, HOW_TO], ids=lambda page: page.stem)
def test_the_pages_are_on_the_site(page: Path) -> None:
    assert f'"{page.relative_to(FOLDER)}"' in (FOLDER.parent / "zensical.toml").read_text()
