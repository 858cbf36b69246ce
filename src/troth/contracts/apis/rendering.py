"""What a branch does to APIs in words: for a terminal, a comment on a pull request, and annotations of a CI run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from troth.versions.escaping import annotation, plain
from troth.versions.lifecycles.rendering import ENDINGS, headline, verdict_lines
from troth.versions.releases.rendering import waiver_lines

Told = Mapping[str, Any]


def as_text(answers: Sequence[Told]) -> str:
    """The answers for a terminal."""
    return "\n".join(line for told in answers for line in _lines(told))


def _lines(told: Told) -> Iterator[str]:
    yield f"{told['api']} in {told['release']} {ENDINGS[told['outcome']]}"
    for version, state in told["states"].items():
        yield f"  {version}: {state}"
    for move in told["moves"]:
        yield f"  {headline(move)}"
        yield from (f"    {line}" for line in verdict_lines(move))
    for one in told["standing"]:
        yield f"  {one['clause']}: {one['text']}"
        yield f"    help: {one['repair']}"
    yield from (f"  note: {one}" for one in told["notes"])
    if not told["moves"] and not told["standing"]:
        yield "  nothing changes for who uses it"


def as_markdown(answers: Sequence[Told]) -> str:
    """The answers for a comment on a pull request."""
    lines: list[str] = []
    for told in answers:
        lines += [f"### {plain(told['api'])} in {told['release']} {ENDINGS[told['outcome']]}", ""]
        lines += ["| version | state | move | verdict | clauses | because of |", "|---|---|---|---|---|---|"]
        moved = {move["version"] for move in told["moves"]}
        lines += [f"| {name} | {state} | | | | |" for name, state in told["states"].items() if name not in moved]
        lines += [_row(told, move) for move in told["moves"]]
        lines.append("")
        lines += [f"- **{one['clause']}**: {plain(one['text'])}; {plain(one['repair'])}" for one in told["standing"]]
        lines += [f"- note: {plain(one)}" for one in told["notes"]]
    return "\n".join(lines).strip() + "\n"


def as_annotations(answers: Sequence[Told], files: Mapping[str, str], usual: str) -> str:
    """The answers as workflow commands of GitHub Actions. `files` are the documents, by `API vN`."""
    lines = []
    for told in answers:
        for move in told["moves"]:
            file = files.get(f"{told['api']} {move['version']}", usual)
            for one in move["objections"]:
                kind = "warning" if one["outcome"] == "not-regulated" else "error"
                lines.append(
                    annotation(kind, file, f"{one['clause']}: {headline(move)}", f"{one['text']}; {one['repair']}")
                )
            excused = ", ".join(waiver_lines(move))
            for one in move["waived"]:
                title = f"{one['clause']}: {headline(move)}"
                lines.append(annotation("notice", file, title, f"{one['text']}; {excused}"))
            lines += [annotation("warning", file, headline(move), note) for note in move["warnings"]]
        lines += [
            annotation("error", usual, one["clause"], f"{one['text']}; {one['repair']}") for one in told["standing"]
        ]
        lines += [annotation("warning", usual, told["api"], note) for note in told["notes"]]
    return "\n".join(lines)


def _row(told: Told, move: Told) -> str:
    state = told["states"].get(move["version"], "gone")
    because = "<br>".join(plain(line) for line in verdict_lines(move))
    clauses = ", ".join(move["clauses"])
    return f"| {move['version']} | {state} | {move['move']} | {_outcome(move)} | {clauses} | {because} |"


def _outcome(move: Told) -> str:
    by_waiver = move["outcome"] == "allowed" and move["waived"]
    return "allowed by a waiver" if by_waiver else str(move["outcome"])
