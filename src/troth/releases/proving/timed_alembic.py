"""Runs Alembic in a project's own interpreter, as `python -m alembic` would, and prints how long each migration took.

It needs nothing but the project's Alembic. Where that is made otherwise than the versions known here, it runs as ever and the
times are left out.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    """`python timed_alembic.py ARGUMENTS OF ALEMBIC`."""
    sys.path[0] = os.getcwd()  # as with -m: the project's folder, not this file's
    import alembic.config

    _watch()
    alembic.config.main(argv=sys.argv[1:], prog="alembic")


def _watch() -> None:
    """Has every step of Alembic tell its time."""
    import alembic.runtime.migration

    step: Any = getattr(alembic.runtime.migration, "RevisionStep", None)
    if step is None:
        return
    begin = step.__init__

    def watched(self: Any, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        revision = getattr(getattr(self, "revision", None), "revision", None)
        if revision is not None and hasattr(self, "migration_fn"):
            self.migration_fn = _timed(str(revision), self.migration_fn)

    step.__init__ = watched


def _timed(revision: str, migrate: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Any:
        began = time.monotonic()
        found = migrate(*arguments, **named)
        print(f"troth-migration {revision} {time.monotonic() - began:.6f}", flush=True)
        return found

    return run


if __name__ == "__main__":
    main()
