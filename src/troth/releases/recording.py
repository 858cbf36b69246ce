"""A release as a record in its product's own repository: what others rely on, as files that every clone has."""

from __future__ import annotations

from pathlib import Path

from troth.contracts.product import FILE, Product, parse_product
from troth.errors import MalformedSource
from troth.releases.repository import Repository, Snapshot
from troth.versions.releases.numbers import ReleaseNumber


def recorded(project: Path, commit: str, number: ReleaseNumber | None) -> tuple[Path, int]:
    """The folder of a new record, and how many files it holds: contracts, migrations, troth.toml, and what is declared besides.

    Raises MalformedSource where nothing says where records lie, no number is known, or there is one already.
    """
    repository = Repository(project)
    snapshot = repository.snapshot(repository.resolve(commit))
    product = parse_product(snapshot.file(FILE) or b"")
    number = number or product.version
    if not product.recorded:
        repair = 'write path = "releases" in [recorded]'
        raise MalformedSource(f"{FILE} names no folder of recorded releases", why="a record is kept there", repair=repair)
    if number is None:
        raise MalformedSource(f"{FILE} names no version, and none was given", repair='write version = "1.2.3" in [product]')
    folder = project / product.recorded / str(number)
    if folder.exists():
        raise MalformedSource(
            f"{folder} is there already", why="a release never changes (SemVer 3)", repair="name another number"
        )
    files = snapshot.read(_promised(product, snapshot))
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder, len(files)


def _promised(product: Product, snapshot: Snapshot) -> list[str]:
    places = [FILE, *(one.path for one in product.contracts), *(one.path for one in product.migrations if one.path)]
    return [*(path for place in places for path in snapshot.below(place)), *snapshot.matching(product.recorded_with)]
