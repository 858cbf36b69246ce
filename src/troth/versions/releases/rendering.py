"""The verdict on a release in words: for a terminal, for a pull request, and as annotations of a CI run.

All are made of the verdict's JSON form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from troth.versions.escaping import annotation, plain
from troth.versions.rendering import waived

Told = Mapping[str, Any]
_MOST: Final = 8
_HEADLINES: Final = {"allowed": "is allowed", "refused": "is refused", "not-regulated": "needs a decision"}


def headline(told: Told) -> str:
    """The verdict in a sentence."""
    behind = f" behind {told['former']}" if told["former"] else ", the first release"
    if not told["judged"] and told["outcome"] == "allowed":
        return f"{told['number'] or 'the next release'} lies before the policy's starting point, and is not judged"
    if told["number"] is None and told["outcome"] == "not-regulated":
        return f"the next release{behind} needs a decision; it is {told['least']} at least"
    if told["number"] is None:
        least = f"is {told['least']} at least" if told["least"] else "has no legal number before something is mended"
        return f"the next release{behind} {least}"
    by = " by a waiver" if told["outcome"] == "allowed" and _is_waived(told) else ""
    return f"{told['number']} {_HEADLINES[told['outcome']]}{by}{behind}"


def as_text(told: Told) -> str:
    """The verdict for a terminal."""
    lines = [headline(told)]
    lines += [f"  {one['clause']}: {one['text']}" for one in told["objections"]]
    for one in told["asked"]:
        waived = ", which is waived" if one.get("waived") else ""
        lines.append(f"  {one['clause']} asks for {_step(one['step'])}{waived}: {one['purpose']}")
        lines += [f"    {line}" for line in _facts(one)]
    if not told["asked"] and told["former"] and told["judged"]:
        lines.append("  nothing asks for more than a patch")
    lines += [f"  not regulated: {one['question']}" for one in told["not_regulated"]]
    lines += [f"  missing: {line}" for line in _missing(told)]
    lines += [f"  {line}" for line in waiver_lines(told)]
    lines += _paths(told)
    lines += [f"  note: {one}" for one in told["warnings"]]
    lines += [f"  help: {one}" for one in _ways_out(told)]
    return "\n".join(lines)


def as_markdown(told: Told) -> str:
    """The verdict for a comment on a pull request, in Markdown."""
    lines = [f"### {plain(headline(told))}", ""]
    lines += [f"- **{one['clause']}**: {plain(one['text'])}" for one in told["objections"]]
    if told["asked"]:
        lines += ["| asks for | clause | because of |", "|---|---|---|"]
    for one in told["asked"]:
        because = "<br>".join(plain(line) for line in _facts(one))
        step = f"{_step(one['step'])}, waived" if one.get("waived") else _step(one["step"])
        lines.append(f"| {step} | {one['clause']} | {plain(one['purpose'])}<br>{because} |")
    lines.append("")
    lines += [f"- **not regulated**: {plain(one['question'])}" for one in told["not_regulated"]]
    lines += [f"- **missing**: {plain(line)}" for line in _missing(told)]
    lines += [f"- {plain(line)}" for line in waiver_lines(told)]
    lines += [f"- {plain(line.strip())}" for line in _paths(told)]
    lines += [f"- {plain(one)}" for one in (*told["warnings"], *_ways_out(told))]
    lines.append(f"- profiles {', '.join(told['profiles'])}; policy revision {told['policy_revision']}")
    return "\n".join(lines).strip() + "\n"


def as_annotations(told: Told, file: str = "troth.toml") -> str:
    """The verdict as workflow commands of GitHub Actions, one a line; nothing where there is nothing to say."""
    refused = told["outcome"] == "refused"
    lines = [
        annotation("error", file, f"{one['clause']}: {headline(told)}", one["text"]) for one in told["objections"]
    ]
    for one in told["asked"]:
        kind = "error" if one["refuses"] and refused else "notice"
        for fact in one["facts"][:_MOST]:
            title = f"{one['clause']} asks for {_step(one['step'])}" + (", waived" if one.get("waived") else "")
            where = fact["where"].partition(":")[0] if "." in fact["where"] else file
            lines.append(annotation(kind, where, title, f"{fact['where']}: {fact['words']}"))
    for one in told["not_regulated"]:
        lines.append(annotation("warning", file, "PDB-04: not regulated", one["question"]))
    lines += [annotation("warning", file, "missing", line) for line in _missing(told)]
    return "\n".join(lines)


def _step(step: str) -> str:
    return {"none": "no release at all", "patch": "a patch", "minor": "a minor", "major": "a major"}[step]


def _facts(asking: Told) -> list[str]:
    told = [
        f"{one['where']}: {one['words']}" + (f"  ({one['rule']})" if "rule" in one else "") for one in asking["facts"]
    ]
    more = asking["count"] - _MOST
    return told[:_MOST] + ([f"and {more} more"] if more > 0 else [])


def waiver_lines(told: Told) -> list[str]:
    """The waivers that it rests on, and those that do not hold; a line each."""
    return [
        f"by {waived(one)}" if one["holds"] else f"the waiver {one['id']} does not help: {one['why']}"
        for one in told.get("waivers", ())
    ]


def _missing(told: Told) -> Iterator[str]:
    for asking in told["missing"]:
        for fact in asking["facts"]:
            yield f"{fact['words']} ({asking['clause']}); {fact.get('repair', '')}".rstrip("; ")


def _paths(told: Told) -> list[str]:
    """The paths of migrations that were run, each with the command that runs it again."""
    lines = []
    for path in told.get("paths", ()):
        held = "" if path["locked"] is None else f", writers waited {path['locked']:.2f} s"
        also = f" (and {', '.join(path['also'])})" if path["also"] else ""
        lines.append(
            f"  from {path['from']}{also} on {path['database']}: {path['words']} ({path['seconds']:.2f} s{held})"
        )
        lines += [f"    {one['id']}: {one['seconds']:.2f} s" for one in path.get("times", ())[:_MOST]]
        lines.append(f"    again: {path['again']}")
    return lines


def _ways_out(told: Told) -> Iterator[str]:
    """What would undo what refuses, and the number that is right as it is."""
    refused = told["outcome"] == "refused"
    if refused:
        yield from dict.fromkeys(one["repair"] for one in told["objections"])
    against = [one for one in told["asked"] if one["refuses"] or one["step"] == "none"]
    repairs = [fact["repair"] for one in against for fact in one["facts"] if fact.get("repair")]
    yield from list(dict.fromkeys(repairs))[:_MOST]
    if told["number"] and told["least"] and told["outcome"] == "refused" and told["least"] != told["number"]:
        yield f"{'or ' if repairs else ''}release it as {told['least']}"
    if refused and can_be_waived(told):
        clauses = ", ".join(told["clauses"])
        yield f"or, where it harms nobody, ask for a waiver of {clauses}: troth release request-waiver {told['number']}"
    if told["not_regulated"]:
        about = told["not_regulated"][0]["about"]
        yield f'decide, and write it down: [[decisions]] about = "{about}", step = "...", reason = "..."'


def can_be_waived(told: Told) -> bool:
    """Whether everything that refuses is a comparison, and was not waived."""
    against = [one for one in told["asked"] if one["refuses"]]
    return bool(against) and not told["objections"] and all(one.get("waivable") for one in against)


def _is_waived(told: Told) -> bool:
    return any(one.get("waived") for one in told["asked"])
