"""Everything that changed in a product since a release, as facts for the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from troth.contracts.contract_facts import Compare, contract_facts
from troth.contracts.declared_changes import component_facts, policy_facts, said_facts, target_facts, unmarked
from troth.contracts.path_patterns import matches
from troth.contracts.product import FILE, Product
from troth.contracts.unfolding import unfolded
from troth.errors import Malformed
from troth.releases.migration_changes import Listed, migration_facts
from troth.releases.notes import commit_facts, fragment_facts, unknown_fragments
from troth.releases.records import record_facts
from troth.releases.repository import Repository, Snapshot, changed
from troth.versions.releases.evidence import Fact, Kind

_MIGRATED = frozenset({Kind.MIGRATION_ADDED, Kind.MIGRATION_EDITED, Kind.MIGRATION_REMOVED})
_NOTED = frozenset({Kind.NOTED_BREAK, Kind.NOTED_FEATURE, Kind.NOTED_FIX, Kind.MAJOR_FUNCTIONALITY, Kind.MANUAL_STEP})


@dataclass(frozen=True, slots=True)
class Between:
    """Two states of a product: what it is now, what it declared then (None: nothing that is read), and both listings."""

    product: Product
    then: Product | None
    old: Snapshot
    new: Snapshot

    def then_or_now(self) -> Product:
        """What holds of the former state: what it declared, else what is declared now."""
        return self.then or self.product


def gathered(between: Between, repository: Repository, compare: Compare, listed: Listed) -> list[Fact]:
    """All facts, contracts first."""
    product, then, old, new = between.product, between.then, between.old, between.new
    differing = changed(old, new)
    notes = list(_notes(between, repository))
    facts = [
        *contract_facts(unfolded(product, old, new), unfolded(between.then_or_now(), old, new), old, new, compare),
        *migration_facts(product, then, old, new, listed),
        *standing(product, new),
        *component_facts(product, between.then_or_now()),
        *target_facts(product, between.then_or_now()),
        *_only_target(between, differing),
        *said_facts(product, then),
        *notes,
        *policy_facts(product, then),
    ]
    facts += _changed_components(between, differing, facts)
    return [_promised(between, fact) for fact in facts]


def check_there(product: Product, new: Snapshot) -> None:
    """Raises Malformed where something is not there that is declared: a first release has nothing else to show it."""
    declared = [(one.path, "a contract", "[[contracts]]") for one in product.contracts]
    declared += [(one.path, "a folder of migrations", "[[migrations]]") for one in product.migrations if one.path]
    for path, what, table in declared:
        if not new.below(path):
            raise Malformed(
                f"there is no {path}",
                why=f"{FILE} declares it as {what}",
                repair=f"commit it, or take it out of {table}",
            )


def standing(product: Product, new: Snapshot) -> list[Fact]:
    """What can be said of a product without an earlier release."""
    return [unmarked(one.name) for one in product.components if one.maturity is None]


def missing(product: Product, new: Snapshot, facts: Iterable[Fact], folder: Path, tried: bool) -> list[Fact]:
    """What a whole release would need beside its number: an occasion, records of tests, documentation, proved migrations."""
    found = []
    if not product.occasion:
        repair = 'write occasion = "fix", "functionality" or "scheduled" in [release]'
        found.append(Fact(Kind.OCCASION_MISSING, f"{FILE}: [release]", "no occasion is named", repair))
    if product.occasion == "functionality":
        found += record_facts(folder, product.infrastructures)
    if not new.matching(product.documentation):
        declared = ", ".join(product.documentation) or "nothing is declared"
        repair = 'write the documentation, and paths = ["docs"] in [documentation]'
        found.append(Fact(Kind.DOCUMENTATION_MISSING, declared, "the release has no documentation", repair))
    if not tried and any(fact.kind in _MIGRATED for fact in facts):
        repair = "run troth release check --prove-migrations"
        found.append(Fact(Kind.PATHS_NOT_TRIED, f"{FILE}: [[migrations]]", "the migrations were not run", repair))
    return found


def _promised(between: Between, fact: Fact) -> Fact:
    """The fact with what its component promised in the former release; what is new there promised nothing."""
    former = between.then_or_now().component(fact.component) or between.product.component(fact.component)
    return replace(fact, maturity=former.promised) if former else fact


# --- components


def _changed_components(between: Between, differing: list[str], facts: list[Fact]) -> list[Fact]:
    """Which components changed; those that have neither a contract nor a note; and files that nobody claims."""
    product = between.product
    counts: dict[str, int] = {}
    untold: set[str] = set()
    unclaimed: dict[str, int] = {}
    for path in differing:
        if _is_aside(product, path):
            continue
        component, told = product.component_of(path), _is_declared(product, path)
        if component is not None:
            counts[component.name] = counts.get(component.name, 0) + 1
            untold |= set() if told else {component.name}
        elif not told:
            top = path.partition("/")[0]
            unclaimed[top] = unclaimed.get(top, 0) + 1
    found = [
        Fact(Kind.COMPONENT_CHANGED, name, f"{count} file{'s' if count > 1 else ''} changed", component=name)
        for name, count in counts.items()
    ]
    noted = any(fact.kind in _NOTED for fact in facts)
    found += [
        Fact(Kind.UNDESCRIBED, name, f"{name} changed, and nothing says how", component=name)
        for name in sorted(untold)
        if not noted and not _described(product, name)
    ]
    return found + [
        Fact(Kind.UNCLAIMED, top, f"{count} changed file{'s' if count > 1 else ''}") for top, count in unclaimed.items()
    ]


def _is_aside(product: Product, path: str) -> bool:
    """Whether a file is no part of what operators run: notes, packaging, documentation, what is set aside."""
    if product.recorded and path.startswith(f"{product.recorded}/"):
        return True
    patterns = (*product.aside, *product.packaging, *product.stamps, *product.documentation)
    below = product.notes_path and path.startswith(f"{product.notes_path}/")
    return path == FILE or bool(below) or any(matches(pattern, path) for pattern in patterns)


def _is_declared(product: Product, path: str) -> bool:
    folders = [one.path for one in product.contracts] + [one.path for one in product.migrations if one.path]
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _described(product: Product, name: str) -> bool:
    """Whether a component has a contract."""
    return any(
        (one.component or getattr(product.component_of(one.path), "name", "")) == name for one in product.contracts
    )


# --- distributions


def _only_target(between: Between, differing: list[str]) -> Iterator[Fact]:
    """What else changed in a release that is called a new distribution only."""
    product, before = between.product, between.then_or_now().targets
    declared = f"{FILE}: [packaging]"
    if not product.only_target:
        return
    allowed = (*product.packaging, *product.stamps)
    for path in differing:
        inside = path == FILE or (product.notes_path and path.startswith(f"{product.notes_path}/"))
        if not inside and not any(matches(pattern, path) for pattern in allowed):
            words = f"{path} changed, and the release is called a new distribution only"
            yield Fact(Kind.NOT_ONLY_TARGET, path, words, "take only_target out of [release]")
    if not set(product.targets) - set(before):
        words = "no distribution is new, and the release is called one"
        yield Fact(Kind.NOT_ONLY_TARGET, declared, words, "take only_target out of [release]")


# --- what people declare


def _notes(between: Between, repository: Repository) -> Iterator[Fact]:
    product = between.product
    names = [one.name for one in product.components]
    if product.notes == "commits":
        yield from commit_facts(repository.commits(between.old.commit, between.new.commit), names)
    elif product.notes == "fragments":
        new = new_fragments(product, between.old, between.new)
        for path in unknown_fragments(new):
            yield Fact(Kind.NOTED_FIX, path, "a note of a kind that nobody knows; it counts as a fix")
        yield from fragment_facts(between.new.read(new))


def new_fragments(product: Product, old: Snapshot | None, new: Snapshot) -> list[str]:
    """The files in the folder of notes that are others than at the former release; all before the first one."""
    then = old.leaves if old else {}
    return [path for path in sorted(new.below(product.notes_path)) if then.get(path) != new.leaves[path]]
