"""The mutants of the clauses on commands and their wire formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from troth.commands.queued import proving, publishing
from troth.commands.queued.proving import Proof
from troth.doors.native import commands as door
from troth.versions.commands import rules, states
from troth.versions.commands.rules import Rule


def _without(clause: str) -> Mutant:
    def apply() -> None:
        _replace(rules, "RULES", tuple(rule for rule in rules.RULES if rule.clause != clause))

    return Mutant(f"no-{clause.lower()}", f"{clause} is left out of the rules of commands", apply)


def _changed(clause: str, change: Callable[[Rule], Rule]) -> Callable[[], None]:
    def apply() -> None:
        _replace(rules, "RULES", tuple(change(rule) if rule.clause == clause else rule for rule in rules.RULES))

    return apply


def _any_rise(rule: Rule) -> Rule:
    return replace(rule, objects=lambda standing, proposal: None if proposal.version > 0 else ("none", "none"))


def _any_move() -> None:
    _replace(states, "MOVES", tuple(replace(move, legal=lambda moving: True) for move in states.MOVES))


def _unproved() -> None:
    async def proof(self: Any, candidate: Any, golden: Any, former: Any) -> Proof:
        return Proof(golden=1)

    _replace(proving.Proving, "proof", proof)


def _by_schema_alone() -> None:
    async def converts(self: Any, former: Any, proof: Proof) -> None:
        for one in former.golden:
            await self._up(former, one.payload)

    _replace(proving._Trial, "_converts", converts)


def _same_meaning() -> None:
    _replace(publishing.PublishCommandVersion, "_findings", lambda self, payload, before: ())


def _undecided_is_fine() -> None:
    findings = publishing.PublishCommandVersion._findings
    _replace(
        publishing.PublishCommandVersion,
        "_findings",
        lambda self, payload, before: tuple(one for one in findings(self, payload, before) if not one.undecided),
    )


def _no_envelope() -> None:
    """The version of the API in place of the command's."""
    enclosed = door._enclosed

    def first(query: Any, *rest: Any) -> Any:
        return replace(enclosed(query, *rest), version=1)

    _replace(door, "_enclosed", first)


COMMAND_MUTANTS: dict[str, list[Mutant]] = {
    "PDB-12": [Mutant("one-version-for-all", "commands are read in the version of the API", _no_envelope)],
    "PDB-40": [
        _without("PDB-40"),
        Mutant("any-command-move", "a version can be retired at once", _any_move),
        Mutant("unproved", "nothing is tried before a version is published", _unproved),
        Mutant("by-schema-alone", "an up-conversion is judged by its schema alone", _by_schema_alone),
    ],
    "PDB-42": [_without("PDB-42")],
    "PDB-43": [_without("PDB-43")],
    "PDB-44": [_without("PDB-44"), Mutant("undecided-is-same", "what nobody can tell is the same", _undecided_is_fine)],
    "PDB-45": [_without("PDB-45"), Mutant("same-meaning", "formats are not compared", _same_meaning)],
    "PDB-46": [_without("PDB-46")],
    "PDB-47": [_without("PDB-47"), Mutant("any-rise", "numbers may have gaps", _changed("PDB-47", _any_rise))],
}
