"""The policy in force as one document and as a page: clauses, readings, rules, starting points, decisions (PDB-01, PLX-01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from troth.versions.clauses import policy
from troth.versions.escaping import element
from troth.versions.lifecycles.brownouts import RULES as BROWNOUT_RULES
from troth.versions.lifecycles.rules import RULES
from troth.versions.pages import page, table
from troth.versions.releases.rules import RULES as RELEASE_RULES

#: From where the clauses of each source are judged, where a subject does not say otherwise.
_JUDGED_FROM: Final = {
    "ALG": "the first publication of an algorithm",
    "PDB": "the starting point that an API or a product names, else its first version (PDB-03)",
    "PLX": "the release that a product names in [policy] since, else its first (PLX-05)",
}


def policy_document(
    starting_points: Mapping[str, str] | None = None, decisions: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The policy as JSON, with the starting points of subjects and what was decided where no clause speaks."""
    found = policy()
    return {
        "revision": found.revision,
        "clauses": [clause.as_dict() for clause in found.clauses.values()],
        "readings": {note.id: {"concerns": note.concerns, "reading": note.reading} for note in found.notes.values()},
        "rules": {
            "apis": [rule.as_dict() for rule in RULES],
            "brownouts": [rule.as_dict() for rule in BROWNOUT_RULES],
            "releases": [rule.as_dict() for rule in RELEASE_RULES],
        },
        "judged_from": _JUDGED_FROM,
        "starting_points": dict(starting_points or {}),
        "decisions": [dict(one) for one in decisions],
    }


def policy_page(told: Mapping[str, Any]) -> str:
    """The same as a page of HTML."""
    clauses = [
        [element("code", one["id"]), element("span", one["kind"]), element("span", one["status"]),
         element("span", one["sentence"]), element("span", one["enforcement"]), element("span", f"revision {one['revision']}")]
        for one in told["clauses"]
    ]  # fmt: skip
    readings = [
        [element("code", name), element("span", one["concerns"]), element("span", one["reading"])]
        for name, one in told["readings"].items()
    ]
    decisions = [
        [element("code", one["api"]), element("span", one["about"]), element("span", _may(one)),
         element("span", one["reason"]), element("span", f"{one['decided_by']}, {one['decided_at'][:10]}")]
        for one in told["decisions"]
    ]  # fmt: skip
    starts = [[element("code", name), element("span", text)] for name, text in _starts(told).items()]
    return page(
        "The policy in force",
        [
            element("h1", f"The policy in force, revision {told['revision']}"),
            element("h2", "Decisions"),
            *(table(["api", "about", "decided", "because", "by"], decisions) or [element("p", "Nothing was decided.")]),
            element("h2", "Judged from"),
            *table(["what", "from"], starts),
            element("h2", "Clauses"),
            *table(["clause", "kind", "status", "says", "the machine", "since"], clauses),
            element("h2", "Readings of unclear words"),
            *table(["note", "concerns", "reading"], readings),
        ],
    )


def _may(decision: Mapping[str, Any]) -> str:
    return "allowed" if decision["allowed"] else "forbidden"


def _starts(told: Mapping[str, Any]) -> dict[str, str]:
    return {**told["judged_from"], **told["starting_points"]}
