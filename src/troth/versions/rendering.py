"""A verdict in words: for a terminal, for a pull request, as a page, and as annotations of a CI run.

All are made of the verdict's JSON form, so that a client renders what a server judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from troth.versions.escaping import annotation, cell, element, plain, short
from troth.versions.pages import items, page, table

Told = Mapping[str, Any]
_HEADLINES = {"allowed": "is allowed", "refused": "is refused", "not-regulated": "needs a decision"}
_TONES = {"allowed": "good", "refused": "bad", "not-regulated": "open"}


def headline(verdict: Told) -> str:
    """The answer in a few words."""
    by = " by a waiver" if verdict["outcome"] == "allowed" and verdict.get("waived") else ""
    return f"{verdict['number']} {_HEADLINES[verdict['outcome']]}{by}"


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
        lines += [f"  was  {short(found['old'])}", f"  is   {short(found['new'])}"]
        if "witness" in found:
            lines.append(f"  e.g. {short(found['witness'])}")
    return lines


def as_text(verdict: Told) -> str:
    """The verdict for a terminal."""
    lines = [f"{headline(verdict)}; {checked(verdict)}"]
    lines += [f"  {timed(verdict)}"] if verdict["replays"] else []
    for finding in _findings(verdict):
        lines.append(f"  {finding['clause']}: {finding['text']}")
    lines += [f"  {line}" for line in _waivers(verdict)]
    lines += [f"    {line}" for line in differences(verdict)]
    lines += [f"  {line}" for line in _news(verdict)]
    lines += [f"  help: {line}" for line in _ways_out(verdict)]
    return "\n".join(lines)


def as_markdown(verdict: Told) -> str:
    """The verdict for a comment on a pull request, in Markdown."""
    lines = [f"### {headline(verdict)}", ""]
    lines += [f"- **{one['clause']}**: {plain(one['text'])}" for one in _findings(verdict)]
    lines += [f"- {plain(line)}" for line in _waivers(verdict)]
    rows = list(_grouped(verdict))
    if rows:
        lines += ["", "| where | what | was | is | for example | contradicts |", "|---|---|---|---|---|---|"]
    for versions, found in rows:
        example = cell(found["witness"]) if "witness" in found else ""
        what = f"{plain(found['words'])} ({found['rule']})"
        cells = (f"`{plain(found['path'])}`", what, cell(found["old"]), cell(found["new"]), example, versions)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"- {plain(line)}" for line in _ways_out(verdict))]
    lines.append(f"- {checked(verdict)}; policy revision {verdict['policy_revision']}")
    lines += [f"- {timed(verdict)}"] if verdict["replays"] else []
    return "\n".join(lines).strip() + "\n"


def as_annotations(verdict: Told, file: str = "troth.toml") -> str:
    """The verdict as workflow commands of GitHub Actions, one a line; nothing where there is nothing to say."""
    lines = []
    said = (("error", verdict["findings"]), ("warning", verdict["warnings"]), ("notice", verdict.get("waived", ())))
    for kind, findings in said:
        for one in findings:
            help_ = f" Help: {one['repair']}." if one["repair"] and kind != "notice" else ""
            title = f"{one['clause']}: {headline(verdict)}"
            lines.append(annotation(kind, file, title, f"{one['text']}.{help_}"))
    return "\n".join(lines)


def as_html(verdict: Told) -> str:
    """The verdict as a page of HTML that stands alone."""
    facts = [f"{checked(verdict)}; policy revision {verdict['policy_revision']}"]
    facts += [timed(verdict)] if verdict["replays"] else []
    rows = (
        (
            element("code", found["path"]),
            f"{element('span', found['words'])} {element('code', found['rule'])}",
            element("code", short(found["old"])),
            element("code", short(found["new"])),
            element("code", short(found["witness"])) if "witness" in found else "",
            element("span", versions),
        )
        for versions, found in _grouped(verdict)
    )
    findings = (f"{element('strong', one['clause'])}: {element('span', one['text'])}" for one in _findings(verdict))
    return page(
        headline(verdict),
        [
            element("h1", headline(verdict), "open" if verdict.get("waived") else _TONES[verdict["outcome"]]),
            *(element("p", fact, "soft") for fact in facts),
            *items(findings),
            *_part("Waivers", items(element("span", line) for line in _waivers(verdict))),
            *_part("What differs", table(("where", "what", "was", "is", "for example", "contradicts"), rows)),
            *_part("What is new", items(element("span", line) for line in _news(verdict))),
            *_part("What helps", items(element("span", line) for line in _ways_out(verdict))),
        ],
    )


def _part(title: str, lines: Sequence[str]) -> list[str]:
    return [element("h2", title), *lines] if lines else []


def _findings(verdict: Told) -> Iterator[Told]:
    """Every objection: those that decided, those that are only said, and those that a waiver excuses."""
    yield from verdict["findings"]
    yield from verdict["warnings"]
    yield from verdict.get("waived", ())


def _waivers(verdict: Told) -> Iterator[str]:
    """The waivers that it rests on, and those that do not hold; a line each."""
    for told in verdict.get("waivers", ()):
        if told["holds"]:
            yield f"by {waived(told)}"
        else:
            yield f"the waiver {told['id']} does not help: {told['why']}"


def waived(told: Told) -> str:
    """A waiver in a line."""
    by = told["approved_by"] + (", who asked for it" if told["approved_by"] == told["requested_by"] else "")
    return f"a waiver of {', '.join(told['clauses'])} ({told['id']}), approved by {by}: {told['reason']}"


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
