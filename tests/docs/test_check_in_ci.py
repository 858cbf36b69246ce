"""The workflows that the page on CI shows, run step by step in a repository as the page makes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.generate import FOLDER
from tests.docs.pages import blocks, session
from tests.docs.terminal import Terminal

PAGE = FOLDER / "how-to" / "check-in-ci.md"
WIDER = '{"enum": ["good", "bad", "unsure"]}'


def written(name: str) -> str:
    """What the page's session writes into a file."""
    (command,) = [step.command for step in session(PAGE) if step.command.startswith(f"cat > {name} <<")]
    return "\n".join(command.splitlines()[1:-1]) + "\n"


def workflow() -> dict[str, Any]:
    """The workflow, without what YAML 1.1 makes of the key `on`."""
    job: dict[str, Any] = yaml.safe_load(written(".github/workflows/check.yaml"))["jobs"]["compatibility"]
    return job


@pytest.fixture
def repository(terminal: Terminal, tmp_path: Path) -> Path:
    """The repository of the page with a pull request's branch, which terminal is in."""
    for step in session(PAGE)[:7]:
        terminal.ask(step.command)
    terminal.ask("git switch --quiet --create unsure")
    return tmp_path / "home" / "sentiment"


def checked(terminal: Terminal, tmp_path: Path, bump: str) -> list[str]:
    """What the checking steps of the workflow print, each with its exit code, for a base and a bump."""
    told = []
    for step in workflow()["steps"]:
        if "troth check" in step.get("run", ""):
            surroundings = f"BASE=main BUMP={bump} GITHUB_STEP_SUMMARY={tmp_path / 'summary'}"
            told.append(terminal.ask(f'export {surroundings}\n{step["run"]}\necho "exit $?"'))
    return told


def test_a_pull_request_that_breaks_is_annotated_until_it_is_labelled_major(
    terminal: Terminal, repository: Path, tmp_path: Path
) -> None:
    (repository / "schemas/output.json").write_text(WIDER)
    refused, summary = checked(terminal, tmp_path, "--minor")
    *annotations, code = refused.splitlines()
    assert code == "exit 3"
    assert all(re.match(r"::error file=troth.toml,title=ALG-0[57]%3A a minor is refused::", one) for one in annotations)
    assert annotations
    assert summary == "exit 0"
    assert (tmp_path / "summary").read_text().startswith("### a major is allowed\n")
    allowed, _ = checked(terminal, tmp_path, "--major")
    assert allowed == "exit 0"


def test_a_pull_request_that_breaks_nobody_passes(terminal: Terminal, repository: Path, tmp_path: Path) -> None:
    (repository / "src/sentiment.py").write_text('def apply(input): return "bad"\n')
    assert checked(terminal, tmp_path, "--minor") == ["exit 0", "exit 0"]
    assert (tmp_path / "summary").read_text().startswith("### a revision is allowed\n")


def test_the_workflow_says_which_bump_is_meant_and_fetches_what_it_compares_with() -> None:
    job = workflow()
    assert set(job["env"]) == {"BASE", "BUMP"}
    assert "'--major' || '--minor'" in job["env"]["BUMP"]
    assert job["steps"][0]["with"] == {"fetch-depth": 0}
    # names of branches are strangers' words: they reach a shell as variables only
    assert not any("${{" in step.get("run", "") for step in job["steps"])


def test_the_hook_of_the_program_pre_commit_is_that_of_git() -> None:
    (hooks,) = [yaml.safe_load(block) for block in blocks(PAGE, "yaml") if "repos:" in block]
    (hook,) = hooks["repos"][0]["hooks"]
    assert f"exec {hook['entry']}\n" in written(".git/hooks/pre-commit")
    assert [name for name in ("troth.toml", "src/a.py", "docs/a.md") if re.match(hook["files"], name)] == [
        "troth.toml",
        "src/a.py",
    ]
