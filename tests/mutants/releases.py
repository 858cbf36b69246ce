"""The mutants of the clauses on releases."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from troth.commands import products, release_judging
from troth.commands.checking import Checking
from troth.contracts import junit, release_findings
from troth.contracts.product import Infrastructure
from troth.contracts.release_findings import Compared
from troth.releases import check, gathering
from troth.releases.proving import rows
from troth.versions.releases import judging, rules
from troth.versions.releases.evidence import Fact, Kind
from troth.versions.releases.numbers import ReleaseNumber, Step


def _without(clause: str) -> Mutant:
    def apply() -> None:
        _replace(rules, "RULES", tuple(rule for rule in rules.RULES if rule.clause != clause))

    return Mutant(f"no-{clause.lower()}", f"{clause} is left out of the rules of releases", apply)


def _lenient_numbers() -> None:
    def parse(cls: type[ReleaseNumber], text: str) -> ReleaseNumber:
        parts = [int(part) for part in re.findall(r"\d+", text)] + [0, 0, 0]
        return cls.of(parts[0], parts[1], parts[2])

    _replace(ReleaseNumber, "parse", classmethod(parse))


def _any_number() -> None:
    _replace(judging, "_used", lambda situation, number: iter(()))
    _replace(judging, "_order", lambda situation, number: iter(()))


def _every_exception() -> None:
    original = check.situation_of
    _replace(check, "situation_of", lambda *given: replace(original(*given), exceptions=rules.EXCEPTIONS))


def _only_claimed() -> None:
    """A new distribution may hold anything."""
    _replace(rules, "RULES", tuple(rule for rule in rules.RULES if rule.id != "puppetdb-only-target"))


def _targets_are_features() -> None:
    changed = [
        replace(rule, asks=lambda fact, situation: Step.MINOR) if rule.kinds == {Kind.TARGET_ADDED} else rule
        for rule in rules.RULES
    ]
    _replace(rules, "RULES", tuple(changed))


def _judged_from_the_first() -> None:
    _replace(judging, "_before", lambda situation, number: False)


def _nothing_before_one() -> None:
    """PLX-07 as Semantic Versioning has it: nothing is promised in 0.x."""
    changed = [
        replace(rule, asks=lambda fact, situation: None if situation.zero else Step.MINOR)
        if rule.clause == "PLX-07"
        else rule
        for rule in rules.RULES
    ]
    _replace(rules, "RULES", tuple(changed))


def _everything_compares() -> None:
    """A waiver excuses whatever a rule asks for."""
    _replace(rules, "RULES", tuple(replace(rule, comparing=True) for rule in rules.RULES))


def _empty_tables() -> None:
    _replace(rows, "fill", lambda database: rows.Filled())


def _only_the_last() -> None:
    _replace(rules, "supported", lambda candidate, released: released[-1:])


def _by_hand_is_automatic() -> None:
    _replace(rules, "RULES", tuple(rule for rule in rules.RULES if rule.id != "polyaxon-by-hand"))


def _fixes_wait() -> None:
    original = gathering.missing

    def missing(product: Any, *given: Any) -> list[Fact]:
        found = original(product, *given)
        return [*found, Fact(Kind.OCCASION_MISSING, "x", "too early")] if product.occasion == "fix" else found

    _replace(check, "missing", missing)


def _skipped_counts() -> None:
    _replace(junit.Counts, "ran", property(lambda counts: counts.tests))


def _one_kind() -> None:
    _replace(junit, "_LEAST_KINDS", 1)


def _same_kind() -> None:
    """Infrastructures are told apart by name."""
    _replace(Infrastructure, "kind", property(lambda one: (one.name, "", "")))


def _all_are_stable() -> None:
    _replace(gathering, "_promised", lambda between, fact: fact)


def _unstable_may_break() -> Callable[[], None]:
    def apply() -> None:
        _replace(
            rules, "RULES",
            tuple(
                replace(rule, asks=lambda fact, situation: None if fact.maturity != "stable" else Step.MINOR)
                if rule.clause in ("PLX-18", "PLX-07") else rule
                for rule in rules.RULES
            ),
        )  # fmt: skip

    return apply


_MIGRATIONS = (Kind.MIGRATION_ADDED, Kind.MIGRATION_EDITED, Kind.MIGRATION_REMOVED, Kind.MIGRATION_ORDER)


def _believed(*kinds: Kind) -> Callable[[], None]:
    """The server takes what a client tells of these for the truth."""

    def apply() -> None:
        _replace(release_findings, "_COMPARED", release_findings._COMPARED - set(kinds))
        _replace(release_findings, "_migrations" if len(kinds) > 1 else "_maturities", lambda *given: iter(()))
        _replace(release_findings, "is_declared", lambda fact: False)
        _replace(Compared, "declared", lambda self, product: iter(()))

    return apply


def _believed_contracts() -> None:
    _replace(Checking, "compared", lambda *given: Compared())


def _believed_counts() -> None:
    _replace(Checking, "counted", lambda self, infrastructures: infrastructures)


def _no_revision() -> None:
    original = judging.judge
    _replace(release_judging, "judge", lambda *given: replace(original(*given), policy_revision=1))


def _unreached() -> None:
    _replace(release_findings, "_unreached", lambda *given: iter(()))


def _anybody_marks() -> None:
    _replace(products.MarkStable, "authorise", lambda *given: None)


#: Enforced clause to its mutants.
RELEASE_MUTANTS: dict[str, list[Mutant]] = {
    "PDB-05": [_without("PDB-05"), Mutant("any-number", "numbers need not rise", _any_number)],
    "PDB-06": [Mutant("lenient-releases", "numbers of releases are read out of any text", _lenient_numbers)],
    "PDB-07": [Mutant("every-exception", "exceptions hold that are not listed", _every_exception)],
    "PDB-08": [_without("PDB-08"), Mutant("only-claimed", "a new distribution may hold anything", _only_claimed)],
    "PDB-09": [Mutant("targets-are-features", "a distribution forces Y", _targets_are_features)],
    "PDB-19": [_without("PDB-19")],
    "PLX-01": [Mutant("one-revision", "every release names the first revision", _no_revision)],
    "PLX-05": [
        Mutant("anybody-marks", "who is nobody marks releases as stable", _anybody_marks),
        _without("PLX-05"),
        Mutant("from-the-first", "the starting point is not heeded", _judged_from_the_first),
    ],
    "PLX-07": [
        _without("PLX-07"),
        Mutant("nothing-before-one", "0.x promises nothing", _nothing_before_one),
        Mutant("believed-contracts", "the server believes what became of contracts", _believed_contracts),
    ],
    "PLX-08": [
        _without("PLX-08"),
        Mutant("believed-migrations", "the server believes which migrations are new", _believed(*_MIGRATIONS)),
    ],
    "PLX-09": [
        _without("PLX-09"),
        Mutant("unreached", "releases from which no path was run are not looked for", _unreached),
        Mutant("empty-tables", "migrations are run on empty tables only", _empty_tables),
        Mutant("only-from-the-last", "upgrades lead from the last release only", _only_the_last),
        Mutant("by-hand", "a step by hand passes in a minor", _by_hand_is_automatic),
        Mutant("waived", "a waiver excuses what does not compare", _everything_compares),
    ],
    "PLX-10": [_without("PLX-10")],
    "PLX-11": [_without("PLX-11")],
    "PLX-12": [Mutant("fixes-wait", "fixes are refused", _fixes_wait)],
    "PLX-13": [
        _without("PLX-13"),
        Mutant("skipped-counts", "skipped tests count as run", _skipped_counts),
        Mutant("one-kind", "one infrastructure is enough", _one_kind),
        Mutant("same-kind", "infrastructures of one kind count twice", _same_kind),
        Mutant("believed-counts", "the server believes how many tests were run", _believed_counts),
    ],
    "PLX-17": [
        _without("PLX-17"),
        Mutant("believed-marks", "the server believes how marks changed", _believed(Kind.MATURITY_LOWERED)),
    ],
    "PLX-18": [
        Mutant("all-are-stable", "marks of components are not heeded", _all_are_stable),
        Mutant("unstable-may-break", "an unstable component breaks in a patch", _unstable_may_break()),
    ],
}
