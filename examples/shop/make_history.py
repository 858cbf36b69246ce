"""Makes the repository of the shop from the folders in `history`, and writes it to `shop.bundle`.

    python examples/shop/make_history.py

Each folder `NN-NUMBER` lies over the former one and is a release. Each folder `branch-NAME` lies over the last release and is a
branch. The same folders make the same commits: who made them and when is fixed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
#: The first release; each further commit comes a month later.
_FIRST, _MONTH = 1_735_725_600, 30 * 24 * 3600


def main(bundle: Path = FOLDER / "shop.bundle") -> None:
    """Writes the bundle."""
    with tempfile.TemporaryDirectory() as scratch:
        repository = Path(scratch)
        _git(repository, 0, "init", "--quiet", "--initial-branch", "main")
        releases = sorted(path for path in (FOLDER / "history").iterdir() if path.name[0].isdigit())
        for place, folder in enumerate(releases):
            number = folder.name.partition("-")[2]
            _committed(repository, place, folder, f"Release {number}")
            _git(repository, place, "tag", "--annotate", f"v{number}", "--message", f"Release {number}")
        for folder in sorted((FOLDER / "history").glob("branch-*")):
            _git(repository, 0, "switch", "--quiet", "--create", folder.name.removeprefix("branch-"), "main")
            _committed(repository, len(releases), folder, folder.name.removeprefix("branch-"))
        _git(repository, 0, "switch", "--quiet", "main")
        _git(repository, 0, "bundle", "create", "--quiet", str(bundle.absolute()), "--all")


def _committed(repository: Path, place: int, folder: Path, message: str) -> None:
    # without their times: git takes a file of the same size and time for the one that it knows
    shutil.copytree(folder, repository, dirs_exist_ok=True, copy_function=shutil.copyfile)
    _git(repository, place, "add", "--all")
    _git(repository, place, "commit", "--quiet", "--message", message)


def _git(repository: Path, place: int, *arguments: str) -> None:
    when = f"{_FIRST + place * _MONTH} +0000"
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": str(repository),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
           for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"), ("DATE", when))},
    }  # fmt: skip
    subprocess.run(["git", *arguments], cwd=repository, env=surroundings, check=True)


if __name__ == "__main__":
    main()
