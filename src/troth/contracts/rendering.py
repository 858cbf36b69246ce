"""The answer to a pair of documents in words: for a terminal, for a pull request, and as annotations of a CI run.

All are made of the answer's JSON form (`Comparison.as_dict`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Told = Mapping[str, Any]
_LONGEST: Final = 160
_MOST_CHANGES: Final = 200
_HEADLINES: Final = {
    "compatible": "compatible: who relied on the old one can rely on the new one",
    "breaking": "breaking: who relied on the old one cannot rely on the new one",
    "cannot-tell": "cannot tell: nothing was proved, so do not take it for compatible",
    "invalid": "invalid: the two cannot be compared",
}
_OF_WIRES: Final = {
    "compatible": "the same: the version of the command may stay",
    "breaking": "another format: the command needs a new version",
}
_ANNOTATIONS: Final = {"breaking": "error", "warning": "warning", "note": "notice"}


def headline(kind: str, told: Told) -> str:
    """The answer in a sentence."""
    verdict = told["verdict"]
    return (_OF_WIRES if kind == "wire" else {}).get(verdict, _HEADLINES[verdict])


def as_text(kind: str, told: Told) -> str:
    """The answer for a terminal."""
    lines = [headline(kind, told), *([f"  {told['fault']}"] if told.get("fault") else [])]
    for change in told["changes"][:_MOST_CHANGES]:
        lines.append(f"  {change['level']:8}  {change['path'] or '(whole)'}: {change['words']}  ({change['rule']})")
        if (change["old"], change["new"]) != (None, None):
            lines += [f"            was  {short(change['old'])}", f"            is   {short(change['new'])}"]
        if "witness" in change:
            lines.append(f"            e.g. {short(change['witness'])}")
    return "\n".join([*lines, *_left_out(told)])


def as_markdown(kind: str, told: Told) -> str:
    """The answer for a comment on a pull request, in Markdown."""
    lines = [f"### {plain(headline(kind, told))}", "", *([plain(told["fault"]), ""] if told.get("fault") else [])]
    if told["changes"]:
        lines += ["| level | where | what | was | is | for example |", "|---|---|---|---|---|---|"]
    for change in told["changes"][:_MOST_CHANGES]:
        example = _cell(change["witness"]) if "witness" in change else ""
        what = f"{plain(change['words'])} ({change['rule']})"
        where = f"`{plain(change['path'] or '(whole)').replace('`', ' ')}`"
        cells = (change["level"], where, what, _cell(change["old"]), _cell(change["new"]), example)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, *_left_out(told)]).strip() + "\n"


def as_annotations(kind: str, told: Told, file: str) -> str:
    """The answer as workflow commands of GitHub Actions, one a line; nothing where there is nothing to say."""
    lines = []
    if told["verdict"] != "compatible":
        why = f" ({told['fault']})" if told.get("fault") else ""
        lines.append(annotation("error", file, headline(kind, told).partition(":")[0], headline(kind, told) + why))
    for change in told["changes"][:_MOST_CHANGES]:
        example = f", e.g. {short(change['witness'])}" if "witness" in change else ""
        words = f"{change['path'] or '(whole)'}: {change['words'].rstrip('.')}{example}"
        lines.append(annotation(_ANNOTATIONS[change["level"]], file, change["rule"], words))
    return "\n".join(lines)


def annotation(kind: str, file: str, title: str, words: str, line: int | None = None) -> str:
    """One workflow command of GitHub Actions: `error`, `warning` or `notice`, on a file."""
    at = f",line={line}" if line else ""
    return f"::{kind} file={_property(file)}{at},title={_property(title)}::{_data(words)}"


def short(value: Any) -> str:
    """A value in one line that can be read."""
    text = "(nothing)" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def plain(text: str) -> str:
    """Text that neither ends a cell of Markdown nor begins a tag; it may hold what strangers wrote."""
    return text.replace("|", "&#124;").replace("<", "&lt;").replace("\n", " ").replace("\r", " ")


def _left_out(told: Told) -> Iterator[str]:
    if len(told["changes"]) > _MOST_CHANGES:
        yield f"  and {len(told['changes']) - _MOST_CHANGES} more, which --json tells"


def _cell(value: Any) -> str:
    return f"`{plain(short(value)).replace('`', ' ')}`"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
