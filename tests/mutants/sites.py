"""The mutants of the clauses on documentation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from troth.doors.sites import door, library
from troth.sites import making, search, store
from troth.sites.pages import Leads, lead
from troth.sites.shelf import Shelf
from troth.sites.shelf import shelf as shelf_of
from troth.versions.releases import rules


def _reads_here() -> None:
    """Bundles are read in this process, where a mutant reaches what reads them."""

    def run(archive: Any, room: Any, seconds: float) -> dict[str, Any]:
        return {"made": making.make(archive, 1 << 20, room)}

    _replace(store, "_run", run)


def _links_leave() -> None:
    _reads_here()

    def leads_away(*given: str) -> tuple[Leads, str]:
        leads, path = lead(*given)
        return (Leads.AWAY if leads is Leads.OUT else leads), path

    _replace(making, "lead", leads_away)


def _links_break() -> None:
    _reads_here()
    _replace(search.NewIndex, "broken", lambda index, most: (0, []))


def _newest_for_all() -> None:
    """Every version shows what the newest one says."""

    def shelf(*given: Any) -> Shelf:
        found = shelf_of(*given)
        return replace(found, volumes={name: found.current or one for name, one in found.volumes.items()})

    _replace(library, "shelf", shelf)


def _only_the_newest() -> None:
    def shelf(*given: Any) -> Shelf:
        found = shelf_of(*given)
        return replace(found, volumes={name: one for name, one in found.volumes.items() if one is found.current})

    _replace(library, "shelf", shelf)


def _banner_for_all() -> None:
    _replace(door.Asked, "loads_page", property(lambda asked: True))


def _undocumented() -> None:
    _replace(rules, "RULES", tuple(rule for rule in rules.RULES if rule.clause != "PLX-06"))


def _retired_stays() -> None:
    _replace(store.Sites, "matching", lambda sites, digest, patterns: [])


_ISOLATED = [
    Mutant("links-leave", "links of the documentation may lead out of their version", _links_leave),
    Mutant("newest-for-all", "every version shows what the newest one says", _newest_for_all),
]
#: Enforced clause to its mutants.
SITE_MUTANTS: dict[str, list[Mutant]] = {
    "PDB-39": [Mutant("retired-stays", "pages of what is retired stay in the documentation", _retired_stays)],
    "PLX-06": [
        Mutant("undocumented", "a release needs no documentation", _undocumented),
        *_ISOLATED,
        Mutant("links-break", "links of the documentation may lead to nothing", _links_break),
        Mutant("only-the-newest", "documentation goes when a newer one comes", _only_the_newest),
        Mutant("banner-for-all", "what programs read is not what was uploaded", _banner_for_all),
    ],
    "PLX-16": _ISOLATED,
}
