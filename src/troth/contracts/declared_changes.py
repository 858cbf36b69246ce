"""What became of a product's declarations since a release: two documents beside each other, which who cuts and a server have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from troth.contracts.product import FILE, Product
from troth.versions.releases.evidence import Fact, Kind, Maturity

RELEASE: Final = f"{FILE}: [release]"
_ORDER: Final = {Maturity.ALPHA: 0, Maturity.BETA: 1, Maturity.STABLE: 2}
_POLICY: Final = ("profiles", "since", "exceptions", "supported", "lenient", "tags")
_DECLARED: Final = frozenset(
    {Kind.COMPONENT_ADDED, Kind.COMPONENT_REMOVED, Kind.MATURITY_LOWERED, Kind.MATURITY_RAISED, Kind.TARGET_ADDED,
     Kind.TARGET_REMOVED, Kind.POLICY_CHANGED}
)  # fmt: skip
#: these may come from notes too
_SAID: Final = frozenset({Kind.MAJOR_FUNCTIONALITY, Kind.MANUAL_STEP})


def is_declared(fact: Fact) -> bool:
    """Whether a fact is one that `declared_changes` finds."""
    return fact.kind in _DECLARED or (fact.kind in _SAID and fact.where == RELEASE)


def declared_changes(product: Product, then: Product) -> Iterator[Fact]:
    """Every difference between what is declared now, and what was declared at the release."""
    yield from component_facts(product, then)
    yield from target_facts(product, then)
    yield from said_facts(product, then)
    yield from policy_facts(product, then)


def unmarked(name: str) -> Fact:
    """That a component has no mark."""
    repair = f'write maturity = "alpha", "beta" or "stable" in [components.{name}]'
    return Fact(Kind.COMPONENT_UNMARKED, f"{FILE}: [components.{name}]", f"{name} is not marked", repair, name)


def component_facts(product: Product, then: Product) -> Iterator[Fact]:
    """Components that came and went, and marks that changed."""
    before = {one.name: one for one in then.components}
    after = {one.name: one for one in product.components}
    declared = f"{FILE}: [components]"
    for name, now in after.items():
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


def target_facts(product: Product, then: Product) -> Iterator[Fact]:
    """Distributions that came and went."""
    for one in product.targets:
        if one not in then.targets:
            yield Fact(Kind.TARGET_ADDED, one, f"{one} is made as well")
    for one in then.targets:
        if one not in product.targets:
            yield Fact(Kind.TARGET_REMOVED, one, f"{one} is no longer made", f"make {one} again")


def said_facts(product: Product, then: Product | None) -> Iterator[Fact]:
    """What [release] says and did not say at the former release."""
    for kind, now, before in (
        (Kind.MAJOR_FUNCTIONALITY, product.major, then.major if then else ()),
        (Kind.MANUAL_STEP, product.manual, then.manual if then else ()),
    ):
        for words in now:
            if words not in before:
                yield Fact(kind, RELEASE, words)


def policy_facts(product: Product, then: Product | None) -> Iterator[Fact]:
    """Changes of what the product is judged by. A product that declares itself for the first time changes nothing."""
    if then is None:
        return
    for name in _POLICY:
        was, is_ = getattr(then, name), getattr(product, name)
        if was != is_:
            words = f"{name} was {_told(was)} and is {_told(is_)}"
            yield Fact(Kind.POLICY_CHANGED, f"{name} = {_told(is_)}", words)


def _told(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
