"""Questions about strangers' documents, answered in a process of its own that is ended when it takes too long (decision 0051)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Final

#: A checker of formats takes seconds to import, and formats are annotations here.
_PROGRAM: Final = """\
import sys
sys.modules["rfc3987_syntax"] = None
from {module} import main
main()
"""


def whole_lines(module: str, question: bytes, seconds: float, descriptors: Sequence[int] = ()) -> list[bytes]:
    """The whole lines that `main` of a module prints about the question on its standard input, within `seconds`.

    It has no environment, and of this process only the open files that are named.
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _PROGRAM.format(module=module)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        pass_fds=descriptors,
        start_new_session=True,
    ) as child:
        try:
            answer, _ = child.communicate(question, timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            answer, _ = child.communicate()
    return [line for line in answer.splitlines(keepends=True) if line.endswith(b"\n")]
