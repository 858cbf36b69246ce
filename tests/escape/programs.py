"""Runs a program of the tests as root or as an ordinary user, whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from troth.sandbox.launcher import find_bubblewrap

ROOT = Path(__file__).parents[2]
ORDINARY = 61900
#: who may start programs here: root can become anybody
USERS = ["root", "user"] if os.geteuid() == 0 else ["user"]
#: As root: lets everybody walk to the given paths, in a mount name space of its own, and becomes an ordinary user. What
#: nobody else may walk through is covered by a folder that has only these paths.
_AS_ORDINARY = """
set -e
umask 022
hold=$1 ordinary=$2 paths=$3
shift 3
count=0
for path in $paths; do
    count=$((count + 1))
    mkdir "$hold/$count"
    mount --bind "$path" "$hold/$count"
done
count=0
for path in $paths; do
    count=$((count + 1))
    part=$path
    closed=
    while [ "$part" != / ]; do
        case $(stat -c %A "$part") in *[xt]) ;; *) closed=$part ;; esac
        part=$(dirname "$part")
    done
    if [ -n "$closed" ]; then
        mount -t tmpfs -o mode=755 covered "$closed"
    fi
    if [ ! -e "$path" ]; then
        mkdir -p "$path"
        mount --bind "$hold/$count" "$path"
    fi
done
cd "$PWD"
exec setpriv --reuid "$ordinary" --regid "$ordinary" --clear-groups --inh-caps=-all --bounding-set=-all "$@"
"""


def run(user: str, module: str, *arguments: str, before: Sequence[str] = ()) -> str:
    """What `python -m module` prints; `BUBBLEWRAP` among its arguments is the path of bubblewrap.

    `before` is a command that runs it, such as unshare.
    """
    bubblewrap = find_bubblewrap()
    assert bubblewrap is not None
    environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"SECRET": "troth-escape-secret", "PYTHONPATH": f"{ROOT}:{ROOT}/src"}
    given = [bubblewrap if one == "BUBBLEWRAP" else one for one in arguments]
    command = [*before, sys.executable, "-m", module, *given]
    with tempfile.TemporaryDirectory(prefix="troth-escape-") as folder:
        if user == "user" and os.geteuid() == 0:
            command = [*as_ordinary(folder), *command]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_ordinary(folder: str) -> list[str]:
    """The beginning of a command that root runs as an ordinary user; `folder` is an empty one to work in."""
    paths = dict.fromkeys([os.path.realpath(sys.base_prefix), str(ROOT), os.path.realpath(sys.prefix)])
    space = ["unshare", "--mount", "--propagation=private"]
    return [*space, "sh", "-c", _AS_ORDINARY, "sh", folder, str(ORDINARY), " ".join(paths)]
