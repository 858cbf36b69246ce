"""What a server finds out about a release by itself, beside what its client claims: the same facts, from what it has recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from troth.contracts.declared_changes import declared_changes, is_declared, unmarked
from troth.contracts.junit import Counts, Tested, missing_records
from troth.contracts.migrations.chain import Chain, changes
from troth.contracts.migrations.files import as_it_is_run, told_faults
from troth.contracts.product import FILE, Migrations, Product
from troth.contracts.release_document import ReleaseDocument, ToldInfrastructure, ToldUnkept
from troth.versions.releases.evidence import Fact, Kind, Maturity, Situation
from troth.versions.releases.numbers import ReleaseNumber, chosen, supported

#: what a client is not asked, because the server sees it
_SEEN: Final = frozenset(
    {Kind.OCCASION_MISSING, Kind.RECORDS_MISSING, Kind.DOCUMENTATION_MISSING, Kind.PATHS_NOT_TRIED, Kind.COMPONENT_UNMARKED}
)  # fmt: skip
#: what it sees where it has recorded the former release
_COMPARED: Final = frozenset(
    {Kind.MIGRATION_ADDED, Kind.MIGRATION_EDITED, Kind.MIGRATION_REMOVED, Kind.MIGRATION_ORDER, Kind.MATURITY_LOWERED}
)
#: what it sees where it kept the contracts of both
_OF_CONTRACTS: Final = frozenset(
    {Kind.CONTRACT_BROKEN, Kind.CONTRACT_UNDECIDED, Kind.CONTRACT_REMOVED, Kind.CONTRACT_WIDENED, Kind.CONTRACT_ADDED,
     Kind.CONTRACT_CHANGED, Kind.SETTING_REMOVED, Kind.SETTING_REQUIRED, Kind.SETTING_NARROWED, Kind.SETTING_DEFAULT,
     Kind.SETTING_ADDED}
)  # fmt: skip
_MIGRATED: Final = frozenset({Kind.MIGRATION_ADDED, Kind.MIGRATION_EDITED, Kind.MIGRATION_REMOVED})


@dataclass(frozen=True, slots=True)
class Recorded:
    """A release as it was recorded: what the next one is compared with."""

    number: ReleaseNumber
    commit: str
    profiles: tuple[str, ...] = ()
    components: Mapping[str, Maturity] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    #: digest of what was told of it
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a server found by comparing contracts itself: facts, which contracts those are, and which it did not compare."""

    facts: tuple[Fact, ...] = ()
    paths: frozenset[str] = frozenset()
    believed: tuple[ToldUnkept, ...] = ()
    #: what the product declared at the former release
    then: Product | None = None

    def sees(self, fact: Fact) -> bool:
        """Whether a fact is one that the server finds out itself: of what is declared, or of a contract that it compared."""
        if self.then is not None and is_declared(fact):
            return True
        if fact.kind not in _OF_CONTRACTS or not self.paths:
            return False
        unseen = {one.path for one in self.believed}
        return not any(fact.where == path or fact.where.startswith((f"{path}: ", f"{path}/")) for path in unseen)

    def declared(self, product: Product) -> Iterator[Fact]:
        """What became of the declarations, but for marks that were lowered, which are beside the record."""
        for fact in declared_changes(product, self.then) if self.then is not None else ():
            if fact.kind not in _COMPARED:
                yield fact

    def promised(self, fact: Fact, product: Product) -> Fact:
        """The fact with what its component promised in the former release, whatever the client says of that."""
        if self.then is None:
            return fact
        former = self.then.component(fact.component) or product.component(fact.component)
        return replace(fact, maturity=former.promised if former else Maturity.STABLE)


@dataclass(frozen=True, slots=True)
class Records:
    """What is recorded of a product: every number that was used, the former release, and what each number's migrations were."""

    numbers: tuple[ReleaseNumber, ...] = ()
    former: Recorded | None = None
    #: a name for the migrations of each release; equal names, equal migrations
    states: Mapping[ReleaseNumber, str] = field(default_factory=dict)


def situation_of(
    document: ReleaseDocument, product: Product, records: Records, number: ReleaseNumber, *, complete: bool = True
) -> Situation:
    """What the release is judged in: beside what is recorded, and beside what the client knows besides."""
    known = [ReleaseNumber.parse(text) for text in document.known]
    used = tuple(sorted({*records.numbers, *(one for one in known if one != number)}))
    former = records.former.number if records.former else None
    if former is None and document.base:
        former = ReleaseNumber.parse(document.base)
    named = product.supported
    return Situation(
        former=former,
        used=used,
        profiles=product.profiles,
        since=starting_point(product, records),
        exceptions=product.exceptions,
        decisions=product.decisions,
        supported=None if named is None else tuple(chosen(used, named)),
        complete=complete,
    )


def starting_point(product: Product, records: Records) -> ReleaseNumber | None:
    """The last release that is not judged. None where it would lie above one that is recorded here.

    Else whoever cuts a release could write into its own commit that it is not judged.
    """
    if product.since is None or any(one < product.since for one in records.states):
        return None
    return product.since


def findings(
    document: ReleaseDocument,
    product: Product,
    records: Records,
    number: ReleaseNumber,
    compared: Compared,
    *,
    documented: bool,
    state: str,
) -> list[Fact]:
    """All facts to judge: those claimed that the server cannot see, and those that it sees itself."""
    unseen = _SEEN | (_COMPARED if records.former else frozenset())
    claimed = [told.fact() for told in document.facts if told.kind not in unseen]
    facts = [*compared.facts, *compared.declared(product), *(fact for fact in claimed if not compared.sees(fact))]
    if records.former:
        facts += _migrations(document, product, records.former, facts)
        facts += _maturities(product, records.former)
        if Kind.POLICY_CHANGED not in {fact.kind for fact in facts}:
            facts += _profiles(product, records.former)
    facts += [unmarked(one.name) for one in product.components if one.maturity is None]
    facts += _lacking(document, product, facts, documented)
    facts += _unreached(document, product, records, number, state)
    return [compared.promised(fact, product) for fact in facts]


def _migrations(document: ReleaseDocument, product: Product, former: Recorded, known: Sequence[Fact]) -> Iterator[Fact]:
    """What became of the chains, and heads and gaps in them, but for what is told already."""
    chains = document.chains()
    declared = {one.called: one for one in product.migrations}
    told = {(fact.kind, fact.where) for fact in known}
    components = {one.chain: one.component for one in document.migrations}
    for name in sorted({*chains, *former.chains}):
        before, after = former.chains.get(name, Chain()), chains.get(name, Chain())
        if name in declared:
            before, after = _with_faults(before, declared[name]), _with_faults(after, declared[name])
        for fact in changes(before, after, name, components.get(name, "")):
            if (fact.kind, fact.where) not in told:
                yield fact


def _with_faults(chain: Chain, declared: Migrations) -> Chain:
    return as_it_is_run(declared, replace(chain, faults=told_faults(declared.kind, chain.migrations, declared.path)))


def _maturities(product: Product, former: Recorded) -> Iterator[Fact]:
    for one in product.components:
        if former.components.get(one.name) is Maturity.STABLE and one.maturity not in (None, Maturity.STABLE):
            words = f"{one.name} was stable in {former.number} and is marked {one.maturity}"
            repair = f'mark {one.name} maturity = "stable" again'
            yield Fact(Kind.MATURITY_LOWERED, f"{FILE}: [components]", words, repair, one.name)


def _profiles(product: Product, former: Recorded) -> Iterator[Fact]:
    """A change of what a product is judged by is asked about (PDB-04)."""
    if former.profiles and set(product.profiles) != set(former.profiles):
        words = f"{former.number} was judged by {', '.join(former.profiles)}, and this by {', '.join(product.profiles)}"
        yield Fact(Kind.POLICY_CHANGED, f"{FILE}: [policy]", words, "leave [policy] as it was")


def _lacking(document: ReleaseDocument, product: Product, facts: Sequence[Fact], documented: bool) -> Iterator[Fact]:
    if not product.occasion:
        repair = 'write occasion = "fix", "functionality" or "scheduled" in [release]'
        yield Fact(Kind.OCCASION_MISSING, f"{FILE}: [release]", "no occasion is named", repair)
    if product.occasion == "functionality":
        yield from missing_records(_tested(document.infrastructures))
    if not documented:
        repair = "give the documentation of this release: --docs FOLDER"
        yield Fact(Kind.DOCUMENTATION_MISSING, "documentation", "the release has no documentation", repair)
    if not document.tried and document.base and any(fact.kind in _MIGRATED for fact in facts):
        repair = "leave out --no-prove-migrations"
        yield Fact(Kind.PATHS_NOT_TRIED, f"{FILE}: [[migrations]]", "the migrations were not run", repair)


def _tested(infrastructures: Sequence[ToldInfrastructure]) -> Iterator[Tested]:
    for one in infrastructures:
        counts = {
            record.path: Counts(record.tests, record.skipped, record.failed, record.fault) for record in one.records
        }
        yield Tested(one.name, (one.provider, one.cluster, one.runtime), counts)


def _unreached(
    document: ReleaseDocument, product: Product, records: Records, number: ReleaseNumber, state: str
) -> Iterator[Fact]:
    """Recorded releases with other migrations that an upgrade has to lead from, and from which no path was run (PLX-09)."""
    if not document.tried:
        return
    reached = {name for path in document.paths for name in (path.begins, *path.also)}
    released = [one for one in records.states if one < number]
    wanted = supported(number, released) if product.supported is None else chosen(released, product.supported)
    since = starting_point(product, records)
    for one in wanted:
        if records.states[one] != state and str(one) not in reached and (since is None or one >= since):
            words = f"no path was run from {one}, which is supported"
            repair = f"fetch the tag of {one}, and run troth release check --prove-from {one}"
            yield Fact(Kind.PATH_UNPROVED, f"from {one}", words, repair, detail={"from": str(one)})
