"""Runs a program of the tests as root or as an ordinary user, whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from troth.sandbox.launcher import find_bubblewrap

ROOT = Path(__file__).parents[2]
ORDINARY = 61900
#: who may start programs here: root can become anybody
USERS = ["root", "user"] if os.geteuid() == 0 else ["user"]
#: As root: shows interpreter, source and libraries at paths that everybody may walk, and becomes an ordinary user.
_AS_ORDINARY = """
set -e
mkdir "$1/python" "$1/troth" "$1/libraries"
mount --bind "$2" "$1/python"
mount --bind "$3" "$1/troth"
mount --bind "$4" "$1/libraries"
cd /
export PYTHONPATH="$1/troth:$1/troth/src:$1/libraries"
ordinary=$5
shift 5
exec setpriv --reuid "$ordinary" --regid "$ordinary" --clear-groups --inh-caps=-all --bounding-set=-all "$@"
"""


def run(user: str, module: str, *arguments: str, before: Sequence[str] = ()) -> str:
    """What `python -m module` prints; `BUBBLEWRAP` among its arguments is the path of bubblewrap.

    `before` is a command that runs it, such as unshare.
    """
    bubblewrap = find_bubblewrap()
    assert bubblewrap is not None
    environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "PYTHONDONTWRITEBYTECODE": "1"}
    environment["SECRET"] = "troth-escape-secret"
    with tempfile.TemporaryDirectory(prefix="troth-escape-") as folder:
        os.chmod(folder, 0o755)
        python, wrapper = sys.executable, []
        if user == "user" and os.geteuid() == 0:
            libraries, prefix = sysconfig.get_path("purelib"), os.path.realpath(sys.base_prefix)
            python = f"{folder}/python/bin/{Path(os.path.realpath(sys.executable)).name}"
            wrapper = ["unshare", "--mount", "--propagation=private", "sh", "-c", _AS_ORDINARY, "sh"]
            wrapper += [folder, prefix, str(ROOT), libraries, str(ORDINARY)]
            if bubblewrap.startswith(libraries):
                bubblewrap = f"{folder}/libraries/{os.path.relpath(bubblewrap, libraries)}"
        given = [bubblewrap if one == "BUBBLEWRAP" else one for one in arguments]
        command = [*wrapper, *before, python, "-m", module, *given]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
