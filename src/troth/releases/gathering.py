"""Everything that changed in a product since a release, as facts for the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from troth.contracts.contract_facts import Compare, contract_facts
from troth.contracts.path_patterns import matches
from troth.contracts.product import FILE, Product
from troth.contracts.unfolding import unfolded
from troth.errors import Malformed
from troth.releases.migration_changes import Listed, migration_facts
from troth.releases.notes import commit_facts, fragment_facts, unknown_fragments
from troth.releases.records import record_facts
from troth.releases.repository import Repository, Snapshot, changed
from troth.versions.releases.evidence import Fact, Kind, Maturity

_MIGRATED = frozenset({Kind.MIGRATION_ADDED, Kind.MIGRATION_EDITED, Kind.MIGRATION_REMOVED})
_NOTED = frozenset({Kind.NOTED_BREAK, Kind.NOTED_FEATURE, Kind.NOTED_FIX, Kind.MAJOR_FUNCTIONALITY, Kind.MANUAL_STEP})
_ORDER = {Maturity.ALPHA: 0, Maturity.BETA: 1, Maturity.STABLE: 2}


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
        *_component_facts(between),
        *_target_facts(between, differing),
        *_declared(between),
        *notes,
        *_policy_facts(between),
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
    return [fact for one in product.components if (fact := _unmarked(one.name, product)) is not None]


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


def _component_facts(between: Between) -> Iterator[Fact]:
    before = {one.name: one for one in between.then_or_now().components}
    after = {one.name: one for one in between.product.components}
    declared = f"{FILE}: [components]"
    for name, now in after.items():
        if unmarked := _unmarked(name, between.product):
            yield unmarked
        was = before.get(name)
        if was is None:
            yield Fact(Kind.COMPONENT_ADDED, declared, f"the component {name} is new", component=name)
        elif was.maturity and now.maturity and _ORDER[now.maturity] < _ORDER[was.maturity]:
            words = f"{name} was {was.maturity} and is marked {now.maturity}"
            kind = Kind.MATURITY_LOWERED if was.maturity is Maturity.STABLE else Kind.MATURITY_RAISED
            yield Fact(kind, declared, words, f'mark {name} maturity = "{was.maturity}" again', name)
        elif was.maturity is not now.maturity:
            words = f"{name} was {was.maturity or 'not marked'} and is {now.maturity or 'not marked'}"
            yield Fact(Kind.MATURITY_RAISED, declared, words, component=name)
    for name in before:
        if name not in after:
            yield Fact(Kind.COMPONENT_REMOVED, declared, f"the component {name} is gone", f"declare {name} again", name)


def _unmarked(name: str, product: Product) -> Fact | None:
    found = product.component(name)
    if found is None or found.maturity is not None:
        return None
    repair = f'write maturity = "alpha", "beta" or "stable" in [components.{name}]'
    return Fact(Kind.COMPONENT_UNMARKED, f"{FILE}: [components.{name}]", f"{name} is not marked", repair, name)


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


def _target_facts(between: Between, differing: list[str]) -> Iterator[Fact]:
    product, before = between.product, between.then_or_now().targets
    declared = f"{FILE}: [packaging]"
    added = [one for one in product.targets if one not in before]
    for one in added:
        yield Fact(Kind.TARGET_ADDED, one, f"{one} is made as well")
    for one in before:
        if one not in product.targets:
            yield Fact(Kind.TARGET_REMOVED, one, f"{one} is no longer made", f"make {one} again")
    if not product.only_target:
        return
    allowed = (*product.packaging, *product.stamps)
    for path in differing:
        inside = path == FILE or (product.notes_path and path.startswith(f"{product.notes_path}/"))
        if not inside and not any(matches(pattern, path) for pattern in allowed):
            words = f"{path} changed, and the release is called a new distribution only"
            yield Fact(Kind.NOT_ONLY_TARGET, path, words, "take only_target out of [release]")
    if not added:
        words = "no distribution is new, and the release is called one"
        yield Fact(Kind.NOT_ONLY_TARGET, declared, words, "take only_target out of [release]")


# --- what people declare


def _declared(between: Between) -> Iterator[Fact]:
    """What [release] says and did not say at the former release."""
    then = between.then
    for kind, now, before in (
        (Kind.MAJOR_FUNCTIONALITY, between.product.major, then.major if then else ()),
        (Kind.MANUAL_STEP, between.product.manual, then.manual if then else ()),
    ):
        for words in now:
            if words not in before:
                yield Fact(kind, f"{FILE}: [release]", words)


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


def _policy_facts(between: Between) -> Iterator[Fact]:
    """Changes of what the product is judged by. A product that declares itself for the first time changes nothing."""
    then, now = between.then, between.product
    if then is None:
        return
    for name in ("profiles", "since", "exceptions", "supported", "lenient", "tags"):
        was, is_ = getattr(then, name), getattr(now, name)
        if was != is_:
            words = f"{name} was {_told(was)} and is {_told(is_)}"
            yield Fact(Kind.POLICY_CHANGED, f"{name} = {_told(is_)}", words)


def _told(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
