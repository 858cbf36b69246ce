"""The mutants of the clauses on versions of APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from troth.contracts.apis import branch
from troth.contracts.histories import judging as history_judging
from troth.contracts.histories import moves as history_moves
from troth.contracts.histories import waivers as history_waivers
from troth.contracts.openapi import evidence
from troth.versions.lifecycles import change_rules, judging, numbers, rules
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Api, Asked, ContractChange, Weight
from troth.versions.lifecycles.transitions import ALL, TRANSITIONS
from troth.versions.releases.numbers import Step
from troth.versions.verdict import Outcome

E, C, D, R = State.EXPERIMENTAL, State.CURRENT, State.DEPRECATED, State.RETIRED


def _without(*identities: str) -> Callable[[], None]:
    """The rules of these names are gone."""

    def apply() -> None:
        _replace(rules, "RULES", tuple(rule for rule in rules.RULES if rule.id not in identities))

    return apply


def _steps(table: Mapping[Any, Any], keys: list[Any], steps: frozenset[Step]) -> Callable[[], None]:
    """Rows of a table allow releases of these kinds, and no others."""

    def apply() -> None:
        for key in keys:
            table[key] = replace(table[key], steps=steps)  # type: ignore[index]

    return apply


def _changes(state: State, *weights: Weight, steps: frozenset[Step] = ALL) -> Callable[[], None]:
    return _steps(change_rules.CHANGES, [(state, weight) for weight in weights], steps)


def _everything_compares() -> None:
    for key, row in change_rules.CHANGES.items():
        change_rules.CHANGES[key] = replace(row, comparing=True)


def _any_move() -> None:
    for key, row in TRANSITIONS.items():
        TRANSITIONS[key] = replace(row, steps=ALL)


def _guessed() -> None:
    """What nobody wrote is refused, as if somebody had."""

    def gap(about: str, text: str, question: str) -> Any:
        return replace(_gap(about, text, question), outcome=Outcome.REFUSED, question="")

    _replace(rules, "gap", gap)


_gap = rules.gap


def _no_start() -> None:
    _replace(judging, "_governed", lambda asked, api: True)


def _never_governed() -> None:
    """The starting point keeps off what comes behind it too."""
    _replace(judging, "_governed", lambda asked, api: api.starting_point is None or asked.number >= api.starting_point)


def _text_order() -> None:
    """Versions are compared as text."""

    def next_number(asked: Asked, api: Api) -> Any:
        highest = max(api.versions, key=str, default=None)
        if highest is None or asked.number in (*api.versions, highest + 1):
            return None
        return rules.gap(f"number {asked.name}", "not the next", f"May {asked.name} be made behind v{highest}?")

    _replace(
        rules,
        "RULES",
        tuple(replace(rule, handler=next_number) if rule.id == "next-number" else rule for rule in rules.RULES),
    )


def _lenient_names() -> None:
    _replace(numbers, "version_number", lambda text: int("".join(filter(str.isdigit, text)) or 0) or None)


def _former_stays() -> None:
    _replace(judging, "_effects", lambda asked, api: {asked.number: asked.target()} if asked.target() else {})


def _unknown_former() -> None:
    """It is not heeded what becomes of the version that was current."""
    _replace(history_moves.Apis, "_former", lambda apis, *given: D)


def _serves_on() -> None:
    _replace(rules, "overdue", lambda api, release, former: [])
    _replace(history_moves, "overdue", lambda api, release, former: [])
    _replace(branch, "overdue", lambda api, release, former: [])


def _commands_are_nothing() -> None:
    _replace(history_judging, "NEW", frozenset())


def _unnamed(clause: str) -> Callable[[], None]:
    """Changes of this kind are no longer known as such, and break nobody where they did."""
    original = evidence._change

    def change(told: Mapping[str, Any]) -> ContractChange:
        found = original(told)
        if clause not in found.clauses:
            return found
        turned = Weight.BREAK if found.weight is Weight.ADDITION else Weight.FIX
        return replace(found, weight=turned, clauses=tuple(name for name in found.clauses if name != clause))

    return lambda: _replace(evidence, "_change", change)


def _fix(clause: str, *identities: str, words: str) -> Mutant:
    return Mutant(f"without-{identities[0]}-{clause}", words, _without(*identities))


_ADDITIONS_BREAK = Mutant(
    "additions-break", "additions to the current version are refused", _changes(C, Weight.ADDITION, steps=frozenset())
)
_BREAKS_PASS = Mutant("breaks-pass", "the current version may break", _changes(C, Weight.BREAK, Weight.UNDECIDED))
#: Enforced clause to its mutants.
LIFE_CYCLE_MUTANTS: dict[str, list[Mutant]] = {
    "PDB-02": [Mutant("one-kind-of-number", "numbers of software are versions of APIs", _lenient_names)],
    "PDB-03": [
        Mutant("from-the-beginning", "the starting point is not heeded", _no_start),
        Mutant("never-governed", "older versions are never judged", _never_governed),
    ],
    "PDB-04": [Mutant("guessed", "what nobody wrote is refused as if somebody had", _guessed)],
    "PDB-10": [
        Mutant("text-order", "v10 comes before v9", _text_order),
        Mutant("lenient-names", "4 and v04 are read as v4", _lenient_names),
    ],
    "PDB-11": [Mutant("any-move", "every state may follow every other", _any_move)],
    "PDB-12": [Mutant("commands-are-nothing", "commands have no versions of their own", _commands_are_nothing)],
    "PDB-13": [_ADDITIONS_BREAK],
    "PDB-14": [_ADDITIONS_BREAK, Mutant("fields-break", "a new field breaks", _unnamed("PDB-14"))],
    "PDB-15": [_ADDITIONS_BREAK, Mutant("endpoints-break", "a new endpoint breaks", _unnamed("PDB-15"))],
    "PDB-16": [_ADDITIONS_BREAK, Mutant("operators-break", "a new operator breaks", _unnamed("PDB-16"))],
    "PDB-17": [_ADDITIONS_BREAK, Mutant("types-go", "content types come and go", _unnamed("PDB-17"))],
    "PDB-18": [_ADDITIONS_BREAK, Mutant("parameters-break", "parameters come as they like", _unnamed("PDB-18"))],
    "PDB-19": [
        Mutant("additions-in-z", "additions come in Z", _changes(C, Weight.ADDITION)),
        Mutant("graduates-in-z", "a version graduates in Z", _steps(TRANSITIONS, [(E, C)], ALL)),
    ],
    "PDB-20": [_fix("PDB-20", "begins", "missing", words="a version begins in any state")],
    "PDB-21": [
        _BREAKS_PASS,
        Mutant(
            "any-waiver", "every waiver in a history holds", lambda: _replace(history_waivers, "_fault", lambda *_: "")
        ),
    ],
    "PDB-22": [
        Mutant("nothing-soaks", "experimental takes no additions", _changes(E, Weight.ADDITION, steps=frozenset()))
    ],
    "PDB-23": [
        _fix("PDB-23", "created-in", words="a version comes in Z"),
        _fix("PDB-23", "maintained", words="others go in the release that makes a version"),
    ],
    "PDB-24": [_BREAKS_PASS, Mutant("fields-go", "fields and parameters may go", _unnamed("PDB-24"))],
    "PDB-25": [_BREAKS_PASS, Mutant("operators-change", "operators change their meaning", _unnamed("PDB-25"))],
    "PDB-27": [
        Mutant("experimental-is-stable", "experimental may not break", _changes(E, Weight.BREAK, steps=frozenset()))
    ],
    "PDB-29": [
        Mutant("breaks-in-z", "experimental breaks in Z", _changes(E, Weight.BREAK, Weight.UNDECIDED)),
        _fix("PDB-29", "dropped-in", words="experimental goes in Z"),
    ],
    "PDB-30": [
        Mutant("not-frozen", "deprecated versions change", _changes(D, *Weight)),
        Mutant("frozen-waived", "a waiver lets deprecated versions change", _everything_compares),
    ],
    "PDB-31": [
        _fix("PDB-31", "one-current", words="two versions are current"),
        Mutant("former-stays", "what was current stays so", _former_stays),
        Mutant("unknown-former", "histories are believed about the former current", _unknown_former),
    ],
    "PDB-32": [Mutant("fixes-everywhere", "fixes go into deprecated versions", _changes(D, Weight.FIX))],
    "PDB-33": [
        Mutant(
            "no-exception", "security fixes are refused", lambda: _replace(change_rules, "excepted", lambda *_: False)
        ),
        Mutant(
            "unreferenced",
            "a security fix names nothing",
            lambda: _replace(change_rules, "_unreferenced", lambda *_: None),
        ),
    ],
    "PDB-35": [
        Mutant("serves-on", "what is deprecated is served on", _serves_on),
        _fix("PDB-35", "had-time", words="what is deprecated is gone at once"),
        _fix("PDB-35", "extendable", words="retirements are put off without a reason"),
    ],
    "PDB-36": [
        Mutant("retired-at-once", "what is current is retired", _steps(TRANSITIONS, [(C, R), (E, R)], ALL)),
        _fix("PDB-36", "droppable", words="anything may be dropped"),
    ],
    "PDB-37": [Mutant("retired-in-y", "versions are retired in any release", _steps(TRANSITIONS, [(D, R)], ALL))],
    "PDB-41": [_fix("PDB-41", "whole", words="an endpoint alone has a state")],
}
