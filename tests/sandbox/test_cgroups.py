"""Groups of a server that lives, and of one that died."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from troth.sandbox.cgroups import Groups, clear


def folders(groups: Groups) -> list[Path]:
    return [one.folder for one in groups._hierarchies]


def entered(entrances: list[str]) -> subprocess.Popen[bytes]:
    code = "import sys, time\nfor entrance in sys.argv[1:]: open(entrance, 'w').write('0')\nprint(flush=True)\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", code, *entrances], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_a_group_has_its_members_and_ends_them() -> None:
    groups = Groups.open()
    assert groups.abilities >= {"memory", "pids"}
    group = groups.make(memory=64 << 20, processes=5)
    process = entered(group.entrances)
    assert process.pid in group.members()
    used = group.memory()
    assert used is not None
    assert 0 < used < 64 << 20
    assert not group.remove()
    group.kill()
    assert process.wait(10) == -signal.SIGKILL
    groups.leave(group)
    groups.close()
    assert not any(folder.exists() for folder in folders(groups))


def test_what_a_dead_server_left_is_cleared_and_a_live_one_s_is_not() -> None:
    code = """
import os, subprocess, sys
from troth.sandbox.cgroups import Groups
groups = Groups.open()
group = groups.make(memory=64 << 20, processes=5)
child = subprocess.Popen(["sleep", "60"])
for entrance in group.entrances:
    open(entrance, "w").write(str(child.pid))
print(child.pid, *{os.path.dirname(os.path.dirname(one)) for one in group.entrances}, flush=True)
os._exit(0)
"""
    live = Groups.open()
    said = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    pid, left = int(said[0]), [Path(one) for one in said[1:]]
    assert left  # by now another server of this machine may have cleared it
    deadline = time.monotonic() + 20
    while any(one.exists() for one in left):  # who else clears it at the moment has its lock
        assert time.monotonic() < deadline
        for folder in left:
            clear(folder.parent)
    assert all(one.exists() for one in folders(live))
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline
    live.close()


def test_without_its_own_way_a_group_still_ends_every_member() -> None:
    groups = Groups.open()
    group = groups.make(memory=64 << 20, processes=5)
    processes = [entered(group.entrances) for _ in range(3)]
    group.folders.pop("kill", None)
    group.kill()
    assert [process.wait(10) for process in processes] == [-signal.SIGKILL] * 3
    groups.leave(group)
    groups.close()
