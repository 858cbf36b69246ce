"""The references to algorithms that the files of an application hold.

Found are those that stand as they are: in `algo://` and `/v1/algo/` addresses, and as the first text that `algo(...)`,
`.call(...)` and `troth call` are given. What a program puts together while it runs cannot be read here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from troth.errors import Malformed, MalformedReference
from troth.sdk.folder import IGNORED
from troth.versions.references import Form, Reference, parse

#: Files that are read where a folder is named; a file that is named itself is read whatever it is called.
_ENDINGS: Final = frozenset(
    [".c", ".cc", ".cfg", ".cpp", ".cs", ".dart", ".env", ".ex", ".exs", ".go", ".graphql", ".groovy", ".h", ".hcl", ".html", ".ini", ".ipynb", ".java", ".jl", ".js", ".json", ".jsx", ".kt", ".lua", ".mjs", ".php", ".pl", ".properties", ".ps1", ".py", ".pyi", ".r", ".rb", ".rs", ".scala", ".sh", ".sql", ".swift", ".tf", ".toml", ".ts", ".tsx", ".vue", ".xml", ".yaml", ".yml", ".zsh"]
)  # fmt: skip
_LARGEST: Final = 4 << 20
LOCK_FILE: Final = "troth.lock"

_OWNER_AND_NAME: Final = r"[A-Za-z0-9_]+/[A-Za-z0-9_]+"
_VERSION: Final = r"(?:/[A-Za-z0-9_.*-]*[A-Za-z0-9_*])?"
_ADDRESS: Final = re.compile(rf"(?:algo://|/v1/algo/)({_OWNER_AND_NAME}{_VERSION})", re.ASCII)
_ENDS: Final = r"(?![A-Za-z0-9_./{$-])"
_ARGUMENT: Final = re.compile(
    rf"""(?:\balgo|(?<!subprocess)\.call)\s*\(\s*[rRbBuU]{{0,2}}["'`]({_OWNER_AND_NAME}{_VERSION}){_ENDS}""", re.ASCII
)
_COMMAND: Final = re.compile(
    rf"""\btroth["']?,?\s+["']?call["']?,?\s+["']?({_OWNER_AND_NAME}{_VERSION}){_ENDS}""", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Use:
    """One place that names an algorithm. `reference` is None for a text that is none of the legal forms."""

    path: Path
    line: int
    column: int
    text: str
    reference: Reference | None
    fault: str = ""

    @property
    def floats(self) -> bool:
        """Whether what it means may change when something is published."""
        return self.reference is not None and self.reference.form.floats

    @property
    def clause(self) -> str:
        """The clause that speaks of it."""
        if self.reference is None:
            return "ALG-12"
        return "ALG-20" if self.reference.form is Form.LATEST else "ALG-14"

    @property
    def words(self) -> str:
        """What is wrong with it, or what it follows."""
        if self.reference is None:
            return f"{self.text} is not a reference: {self.fault}"
        return f"{self.text} {_FOLLOWS[self.reference.form]}"

    def as_dict(self) -> dict[str, object]:
        told: dict[str, object] = {"path": str(self.path), "line": self.line, "column": self.column}
        form = self.reference.form.value if self.reference else None
        return told | {
            "reference": self.text,
            "form": form,
            "floats": self.floats,
            "clause": self.clause,
            "words": self.words,
        }


_FOLLOWS: Final = {
    Form.EXACT: "is one version",
    Form.HASH: "is one build",
    Form.LATEST: "floats: it follows the highest public version",
    Form.LATEST_PRIVATE: "floats: it follows the highest private version",
    Form.MINOR_LINE: "floats: it follows the newest revision of a line",
    Form.MAJOR_LINE: "floats: it follows the highest version of a major",
}


def uses(paths: Iterable[Path]) -> Iterator[Use]:
    """Every use of an algorithm in these files and folders, in order. Raises Malformed for a path that is not there."""
    for path in paths:
        if path.is_dir():
            for file in _files(path):
                yield from _uses(file)
        elif path.is_file():
            yield from _uses(path)
        else:
            raise Malformed(f"there is no {path}", why="it is neither a file nor a folder", repair="name another")


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        for name in sorted(files):
            if name not in IGNORED and name != LOCK_FILE and Path(name).suffix.lower() in _ENDINGS:
                yield Path(folder, name)


def _uses(path: Path) -> Iterator[Use]:
    """What a text file holds; nothing for one that is too large or no text."""
    try:
        text = path.read_text("utf-8") if path.stat().st_size <= _LARGEST else ""
    except (OSError, UnicodeDecodeError):
        return
    found = {
        match.start(1): match[1] for pattern in (_ARGUMENT, _COMMAND, _ADDRESS) for match in pattern.finditer(text)
    }
    line, begins = 1, 0
    for start in sorted(found):
        line += text.count("\n", begins, start)
        begins = max(begins, text.rfind("\n", 0, start) + 1)
        yield _use(path, line, start - begins + 1, found[start])


def _use(path: Path, line: int, column: int, text: str) -> Use:
    try:
        return Use(path, line, column, text, parse(text))
    except MalformedReference as error:
        return Use(path, line, column, text, None, error.why)
