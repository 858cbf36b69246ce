"""What a launch gives where the server is root."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.sandbox.conftest import Make
from tests.sandbox.test_launcher import said, start
from troth.errors import IsolationUnavailable
from troth.sandbox.isolation import Level, measure
from troth.sandbox.launcher import Confinement, Limits


def test_each_identity_is_a_user_of_its_own(make: Make) -> None:
    launcher = make()
    code = "import os; print(os.getuid(), os.getgid(), os.getgroups())"
    found = [said(launcher, code, identity=one) for one in ("a", "b")]
    assert len(set(found)) == 2
    assert said(launcher, code) == "61401 61401 []\n"
    assert said(launcher, code, service=True) == "60000 60000 []\n"


def test_an_identity_keeps_its_user_while_a_process_of_it_lives(make: Make, tmp_path: Path) -> None:
    launcher = make()
    with open(tmp_path / "said", "wb") as output:
        first = start(launcher, "import time; time.sleep(60)", output.fileno(), identity="a")
    code = "import os; print(os.getuid())"
    uid = first.layers["user"].split(",")[0]
    assert said(launcher, code, identity="a").strip() == uid
    others = {said(launcher, code, identity=str(number)).strip() for number in range(20)}
    assert uid not in others
    first.kill()
    first.wait()
    first.release()


def test_when_every_user_is_taken_no_more_are_started(make: Make, tmp_path: Path) -> None:
    launcher, other = make(worker_uid=61451, worker_uids=2), make(worker_uid=61451, worker_uids=2)
    with open(tmp_path / "said", "wb") as output:
        live = [start(one, "import time; time.sleep(60)", output.fileno(), identity="x") for one in (launcher, other)]
        assert len({process.layers["user"] for process in live}) == 2  # servers of one machine share the range
        with pytest.raises(IsolationUnavailable, match="every user"):
            start(launcher, "", output.fileno(), identity="y")
        for process in live:
            process.kill()
            process.wait()
            process.release()
        deadline = time.monotonic() + 10
        while True:
            try:
                start(launcher, "", output.fileno(), identity="y").wait()
                break
            except IsolationUnavailable:
                assert time.monotonic() < deadline


def test_root_without_bubblewrap_runs_no_services(make: Make) -> None:
    with pytest.raises(IsolationUnavailable, match="bubblewrap"):
        make(bubblewrap=None).launch(Confinement([], service=True), output=2)


def test_a_hard_limit_of_memory_is_held_and_its_end_is_told(make: Make) -> None:
    output = os.memfd_create("said")
    limits = Limits(total_bytes=64 << 20, hard_memory=True)
    process = start(make(), "kept = bytearray(b'x') * (200 << 20)", output, limits=limits)
    assert process.wait(30) in (137, -9)
    assert process.out_of_memory
    process.release()
    assert process.out_of_memory
    os.close(output)


def test_without_groups_it_is_contained_and_says_what_is_missing(make: Make, tmp_path: Path) -> None:
    found = measure(make(groups=False), tmp_path)
    assert found.level is Level.CONTAINED
    assert [one for one in found.missing if "Delegate=yes" in one]
    assert found.memory == "rlimit"
    assert measure(make(), tmp_path).missing == ()
