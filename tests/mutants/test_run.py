"""What the run of the mutants prints of each, whatever the tests are called."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.mutants.mutant import Mutant
from tests.mutants.run import Trial, first_failure, line_of


@pytest.mark.parametrize(
    "test",
    [
        "tests/clauses/test_data.py::test_one",
        "tests/clauses/test_data.py::test_one[a-b]",
        "tests/clauses/test_data.py::test_one[/v1/algorithms/nobody/nothing-GET]",
        "tests/clauses/test_data.py::test_one[two words - and more]",
        "tests/clauses/test_data.py::TestCase::test_one[[red]-[/]]",
    ],
)
@pytest.mark.parametrize("behind", ["", " - AssertionError: assert [1] == [2] - no"])
def test_the_killer_is_named_whole(test: str, behind: str) -> None:
    printed = f"F\n=== short test summary info ===\nFAILED {test}{behind}\nFAILED tests/other.py::test_two\n1 failed in 2.1s\n"
    killed_by = first_failure(printed)
    shown = io.StringIO()
    mutant = Mutant("no-alg-10", "nothing is refused", lambda: None)
    Console(file=shown, soft_wrap=True).print(line_of(Trial("ALG-10", mutant, killed_by, 1.25, printed)))
    assert killed_by == test
    assert shown.getvalue() == f"ALG-10 {'no-alg-10':24} killed   1.2 s  {test}\n"


def test_an_error_on_the_way_to_a_test_kills_nothing() -> None:
    assert first_failure("ERROR tests/clauses/test_data.py::test_one - no server\n1 error in 2.1s\n") == ""
