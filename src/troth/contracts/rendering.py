"""The answer to a pair of documents in words: for a terminal, for a pull request, and as annotations of a CI run.

All are made of the answer's JSON form (`Comparison.as_dict`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from troth.versions.escaping import annotation, cell, element, plain, short
from troth.versions.pages import page, table

Told = Mapping[str, Any]
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
_TONES: Final = {"compatible": "good", "breaking": "bad", "cannot-tell": "open", "invalid": "open"}
_LEVELS: Final = {"breaking": "bad", "warning": "open", "note": "good"}
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
        example = cell(change["witness"]) if "witness" in change else ""
        what = f"{plain(change['words'])} ({change['rule']})"
        where = f"`{plain(change['path'] or '(whole)').replace('`', ' ')}`"
        cells = (change["level"], where, what, cell(change["old"]), cell(change["new"]), example)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, *_left_out(told)]).strip() + "\n"


def as_html(kind: str, told: Told) -> str:
    """The answer as a page of HTML that stands alone."""
    rows = (
        (
            element("strong", change["level"], _LEVELS[change["level"]]),
            element("code", change["path"] or "(whole)"),
            f"{element('span', change['words'])} {element('code', change['rule'])}",
            element("code", short(change["old"])),
            element("code", short(change["new"])),
            element("code", short(change["witness"])) if "witness" in change else "",
        )
        for change in told["changes"][:_MOST_CHANGES]
    )
    said = headline(kind, told)
    return page(
        said.partition(":")[0],
        [
            element("h1", said, _TONES[told["verdict"]]),
            *([element("p", told["fault"])] if told.get("fault") else []),
            *table(("level", "where", "what", "was", "is", "for example"), rows),
            *(element("p", line, "soft") for line in _left_out(told)),
        ],
    )


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


def _left_out(told: Told) -> Iterator[str]:
    if len(told["changes"]) > _MOST_CHANGES:
        yield f"  and {len(told['changes']) - _MOST_CHANGES} more, which --json tells"
