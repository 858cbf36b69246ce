"""The help of a command line, before and after: which commands and options are gone, and which are new.

It is a text as `--help` prints it. Words that explain may change; what can be typed may not go away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.versions.releases.evidence import Fact, Kind

_OPTION: Final = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]*)")
_HEADING: Final = re.compile(r"^\W*(commands|subcommands)\b", re.IGNORECASE)
_COMMAND: Final = re.compile(r"^[\s│|]+([a-z][\w:-]*)(?:[ ,]|$)")
#: what begins the help of another command, as in `shop serve --help` or `# shop serve`
_SECTION: Final = re.compile(r"^(?:usage:|\$|#+)\s*(.*?)(?:\s+(?:--help|\[|<|-).*)?$", re.IGNORECASE)


def help_changes(old: str, new: str, where: str) -> Iterator[Fact]:
    """The changes between two texts of help."""
    before, after = _offered(old), _offered(new)
    for one in sorted(before - after):
        yield Fact(Kind.CONTRACT_BROKEN, where, f"{one} is gone", f"accept {one} again", rule="help-removed")
    for one in sorted(after - before):
        yield Fact(Kind.CONTRACT_WIDENED, where, f"{one} is new", rule="help-added")


def _offered(text: str) -> set[str]:
    """Every command and option, with the section that it stands in."""
    found: set[str] = set()
    section, listing = "", False
    for line in text.splitlines():
        if (begun := _SECTION.match(line)) and begun[1]:
            section, listing = begun[1].strip(), False
        if _HEADING.match(line):
            listing = True
            continue
        if listing and (named := _COMMAND.match(line)):
            found.add(f"{section} {named[1]}".strip())
        elif listing and line.strip() and not line.startswith((" ", "│", "|", "\t")):
            listing = False
        found |= {f"{section} {option}".strip() for option in _OPTION.findall(line)}
    return found
