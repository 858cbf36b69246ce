"""What became of a product's migrations since a release, by the files that hold them or by the command that lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from troth.contracts.migrations.chain import Chain, Migration, changes, digest
from troth.contracts.migrations.files import as_it_is_run, chain_of, is_migration
from troth.contracts.product import Migrations, Product
from troth.releases.repository import Snapshot
from troth.versions.releases.evidence import Fact, Kind

#: What a command printed that lists the migrations of a commit, a line each.
Listed = Callable[[Migrations, Snapshot], Sequence[str]]


def chain_at(migrations: Migrations, snapshot: Snapshot, listed: Listed) -> Chain:
    """The chain as it is at a commit. What a command lists is known by name only."""
    if migrations.kind == "command":
        names = [name.strip() for name in listed(migrations, snapshot) if name.strip()]
        parents = [(), *((name,) for name in names)]
        found = [Migration(name, name, parent, digest(name)) for name, parent in zip(names, parents, strict=False)]
        return Chain(tuple(found))
    paths = [path for path in snapshot.below(migrations.path) if is_migration(migrations.kind, path)]
    return chain_of(migrations.kind, snapshot.read(paths), migrations.path)


def migration_facts(
    product: Product, then: Product | None, old: Snapshot, new: Snapshot, listed: Listed
) -> Iterator[Fact]:
    """What was added, edited, removed or does not form a chain any more."""
    for migrations in product.migrations:
        before = chain_at(migrations, old, listed)
        chain = chain_at(migrations, new, listed)
        yield from changes(before, as_it_is_run(migrations, chain), migrations.path, _component(product, migrations))
    now = {one.path for one in product.migrations}
    for former in then.migrations if then else ():
        if former.path not in now and former.kind != "command" and chain_at(former, old, listed).migrations:
            words = "its migrations are no longer declared"
            yield Fact(
                Kind.MIGRATION_REMOVED,
                former.path,
                words,
                "declare them in [[migrations]]",
                _component(product, former),
            )


def _component(product: Product, migrations: Migrations) -> str:
    if migrations.component:
        return migrations.component
    found = product.component_of(migrations.path)
    return found.name if found else ""
