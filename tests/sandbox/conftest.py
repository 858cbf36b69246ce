"""Fixtures of the tests of the sandbox's parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from troth.sandbox.launcher import Launcher, find_bubblewrap

#: users and groups are root's to give
collect_ignore = [] if os.geteuid() == 0 else ["test_as_root.py", "test_cgroups.py"]
Make = Callable[..., Launcher]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes launchers with users that no other test has, and closes them."""
    made: list[Launcher] = []

    def launcher(**options: Any) -> Launcher:
        given = {"worker_uid": 61401, "worker_uids": 32, "bubblewrap": find_bubblewrap(), **options}
        made.append(Launcher(**given))
        return made[-1]

    yield launcher
    for one in made:
        one.close()
