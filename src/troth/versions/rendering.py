"""A verdict in words: for a terminal, for a pull request, and as annotations of a CI run.

All are made of the verdict's JSON form, so that a client renders what a server judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Told = Mapping[str, Any]
_LONGEST = 160
_HEADLINES = {"allowed": "is allowed", "refused": "is refused", "not-regulated": "needs a decision"}


def checked(verdict: Told) -> str:
    """What was compared and what was not, in a few words."""
    return f"interface {verdict['interface']}, behaviour {verdict['behaviour']}"


def timed(verdict: Told) -> str:
    """How long the examples took, on the candidate and on what it follows; empty where none were replayed."""
    sums: dict[str, float] = {}
    for replay in verdict["replays"]:
        for side, name in (("candidate", verdict["number"]), ("followed", replay["against"])):
            if side in replay:
                sums[name] = sums.get(name, 0.0) + replay[side]["seconds"]
    took = ", ".join(f"{name} took {seconds:.2f} s" for name, seconds in sums.items())
    return f"examples replayed: {took}" if took else ""


def differences(verdict: Told) -> list[str]:
    """What contradicts earlier versions: where, what was there, what is there now, and an example; a line each."""
    lines = []
    for versions, found in _grouped(verdict):
        lines.append(f"{found['path']}: {found['words']}  ({found['rule']}; {versions})")
        lines += [f"  was  {_short(found['old'])}", f"  is   {_short(found['new'])}"]
        if "witness" in found:
            lines.append(f"  e.g. {_short(found['witness'])}")
    return lines


def as_text(verdict: Told) -> str:
    """The verdict for a terminal."""
    lines = [f"{verdict['number']} {_HEADLINES[verdict['outcome']]}; {checked(verdict)}"]
    lines += [f"  {timed(verdict)}"] if verdict["replays"] else []
    for finding in (*verdict["findings"], *verdict["warnings"]):
        lines.append(f"  {finding['clause']}: {finding['text']}")
    lines += [f"    {line}" for line in differences(verdict)]
    lines += [f"  {line}" for line in _news(verdict)]
    lines += [f"  help: {line}" for line in _ways_out(verdict)]
    return "\n".join(lines)


def as_markdown(verdict: Told) -> str:
    """The verdict for a comment on a pull request, in Markdown."""
    lines = [f"### {verdict['number']} {_HEADLINES[verdict['outcome']]}", ""]
    lines += [f"- **{one['clause']}**: {_plain(one['text'])}" for one in (*verdict["findings"], *verdict["warnings"])]
    rows = list(_grouped(verdict))
    if rows:
        lines += ["", "| where | what | was | is | for example | contradicts |", "|---|---|---|---|---|---|"]
    for versions, found in rows:
        example = _cell(found["witness"]) if "witness" in found else ""
        what = f"{_plain(found['words'])} ({found['rule']})"
        cells = (f"`{_plain(found['path'])}`", what, _cell(found["old"]), _cell(found["new"]), example, versions)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"- {_plain(line)}" for line in _ways_out(verdict))]
    lines.append(f"- {checked(verdict)}; policy revision {verdict['policy_revision']}")
    lines += [f"- {timed(verdict)}"] if verdict["replays"] else []
    return "\n".join(lines).strip() + "\n"


def as_annotations(verdict: Told, file: str = "troth.toml") -> str:
    """The verdict as workflow commands of GitHub Actions, one a line; nothing where there is nothing to say."""
    lines = []
    for kind, findings in (("error", verdict["findings"]), ("warning", verdict["warnings"])):
        for one in findings:
            help_ = f" Help: {one['repair']}." if one["repair"] else ""
            title = f"{one['clause']}: {verdict['number']} {_HEADLINES[verdict['outcome']]}"
            lines.append(
                f"::{kind} file={_property(file)},title={_property(title)}::{_data(one['text'] + '.' + help_)}"
            )
    return "\n".join(lines)


def _grouped(verdict: Told) -> Iterator[tuple[str, Told]]:
    """Each difference once, with the versions that it contradicts."""
    versions: dict[str, list[str]] = {}
    found: dict[str, Told] = {}
    for contradiction in verdict["contradicted"]:
        for difference in contradiction["differences"]:
            key = json.dumps(difference, sort_keys=True)
            found[key] = difference
            versions.setdefault(key, []).append(contradiction["version"])
    for key, difference in found.items():
        yield ", ".join(versions[key]), difference


def _news(verdict: Told) -> Iterator[str]:
    """What an allowed version brings, beside the one that it follows."""
    followed = verdict["follows"]
    if verdict["contradicted"] or not followed:
        return
    for found in followed["differences"]:
        yield f"beside {followed['version']}: {found['path']}: {found['words']}  ({found['rule']}, {found['least']})"


def _ways_out(verdict: Told) -> Iterator[str]:
    """The smallest repair, and the number that would be right as it is."""
    findings = (*verdict["findings"], *verdict["warnings"])
    yield from dict.fromkeys(finding["repair"] for finding in findings if finding["repair"])
    if verdict["least"] and verdict["outcome"] != "allowed":
        yield f"or publish as {verdict['least']}"


def _short(value: Any) -> str:
    text = "(nothing)" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _cell(value: Any) -> str:
    return f"`{_plain(_short(value)).replace('`', ' ')}`"


def _plain(text: str) -> str:
    """Text that neither ends a cell nor begins a tag; it may hold what strangers wrote."""
    return text.replace("|", "&#124;").replace("<", "&lt;").replace("\n", " ").replace("\r", " ")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
