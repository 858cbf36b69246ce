"""Writes the reference pages and builds the site into `site/`: `python -m docs.build`, which is `make docs`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from docs import generate

ROOT = generate.FOLDER.parent


def main() -> int:
    """The exit code of the builder of the site, which takes warnings for errors."""
    generate.write()
    shutil.rmtree(ROOT / "site", ignore_errors=True)
    builder = Path(sys.executable).with_name("zensical")
    return subprocess.run([builder, "build", "--strict", "--clean"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
