"""What the run of the mutants prints of each, whatever the tests are called."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.mutants.mutant import Mutant
from tests.mutants.run import line_of
from tests.mutants.trials import Trial


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
def test_the_killer_is_named_whole(test: str) -> None:
    shown = io.StringIO()
    mutant = Mutant("no-alg-10", "nothing is refused", lambda: None)
    Console(file=shown, soft_wrap=True).print(line_of(Trial("ALG-10", mutant, test, 1.25, "")))
    assert shown.getvalue() == f"ALG-10 {'no-alg-10':24} killed   1.2 s  {test}\n"
