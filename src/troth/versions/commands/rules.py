"""The rules of publishing a version of a command, a row each, by the clauses PDB-40 to PDB-47 and the notes N16 to N18."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from troth.versions.commands.states import is_x_or_y
from troth.versions.releases.numbers import ReleaseNumber


@dataclass(frozen=True, slots=True)
class Finding:
    """How a wire format differs from the one that was published under the same number."""

    words: str
    #: the serialisation is another, outside or inside the payload
    serialisation: bool = False
    #: whether both mean the same could not be decided
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of a command: its numbers, and the newest release of the owner's software that was named."""

    versions: tuple[int, ...] = ()
    release: ReleaseNumber | None = None

    @property
    def next(self) -> int:
        """The number of the next version."""
        return max(self.versions, default=0) + 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version that somebody wants to publish, or to publish anew under its number."""

    version: int
    #: the number that its wire format says of itself
    format_version: int
    #: whether it has a wire format
    described: bool
    release: ReleaseNumber
    #: what differs from the version of this number, where there is one
    findings: tuple[Finding, ...] = ()
    #: whether there is a way from the version before to this one
    converts: bool = True


@dataclass(frozen=True, slots=True)
class Objection:
    """What a clause has against a proposal, and what would repair it."""

    clause: str
    what: str
    why: str
    repair: str

    def as_dict(self) -> dict[str, Any]:
        """The objection as JSON."""
        return {"clause": self.clause, "what": self.what, "why": self.why, "repair": self.repair}


Said = tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the clause, what it objects to (None: nothing) as what is wrong and its repair, and its purpose."""

    clause: str
    purpose: str
    objects: Callable[[Standing, Proposal], Said]


def _number(standing: Standing, proposal: Proposal) -> Said:
    if proposal.version in (*standing.versions, standing.next):
        return None
    return f"version {proposal.version} cannot follow {max(standing.versions, default=0) or 'nothing'}", _publish(
        standing
    )


def _release(standing: Standing, proposal: Proposal) -> Said:
    if proposal.version in standing.versions:
        return None
    if not is_x_or_y(proposal.release):
        return f"{proposal.release} is no release for a new version", "publish it in the next X.Y.0"
    if standing.release is not None and proposal.release < standing.release:
        return f"{proposal.release} was before {standing.release}", f"name {standing.release} or a later release"
    return None


def _described(standing: Standing, proposal: Proposal) -> Said:
    return (
        None
        if proposal.described
        else ("the version has no wire format", "give it a JSON Schema, of a bare scalar too")
    )


def _one_number(standing: Standing, proposal: Proposal) -> Said:
    if proposal.format_version == proposal.version:
        return None
    said = f"version {proposal.version} of the command has version {proposal.format_version} of the wire format"
    return said, f"call the wire format {proposal.version}"


def _steps(standing: Standing, proposal: Proposal) -> Said:
    if proposal.version == 1 or proposal.converts:
        return None
    return "there is no way from the version before", "give an up-conversion: operations, JSONata, or an algorithm"


def _same(chosen: Callable[[Finding], bool]) -> Callable[[Standing, Proposal], Said]:
    def objects(standing: Standing, proposal: Proposal) -> Said:
        found = [finding.words for finding in proposal.findings if chosen(finding)]
        if not found:
            return None
        return f"version {proposal.version} would mean something else: {'; '.join(found[:5])}", _publish(standing)

    return objects


def _publish(standing: Standing) -> str:
    return f"publish it as version {standing.next}"


RULES: Final = (
    Rule("PDB-47", "a command starts at version 1, and each version is the one before and 1 (note N18)", _number),
    Rule("PDB-40", "a new version comes in a Y or an X release, as often as one likes (note N16)", _release),
    Rule("PDB-42", "a version is its wire format; a bare scalar is one too", _described),
    Rule("PDB-43", "a wire format has the number of its command", _one_number),
    Rule("PDB-40", "what was accepted can be processed, so each version leads to the next (note N16)", _steps),
    Rule("PDB-46", "another serialisation is another version", _same(lambda one: one.serialisation)),
    Rule("PDB-44", "where nobody can tell, it is another version", _same(lambda one: one.undecided)),
    Rule("PDB-45", "any other meaning is another version (note N17)",
         _same(lambda one: not one.serialisation and not one.undecided)),
)  # fmt: skip


def judge(standing: Standing, proposal: Proposal) -> list[Objection]:
    """What the clauses have against a proposal; nothing where it may be published."""
    found = []
    for rule in RULES:
        if said := rule.objects(standing, proposal):
            found.append(Objection(rule.clause, said[0], rule.purpose, said[1]))
    return found
