"""Which products' documentation a caller may read, as the registry has it. Its methods block."""

from __future__ import annotations

from dataclasses import dataclass

from troth.access.roles import Actor
from troth.calls.routing import Caller
from troth.doors.sites.files import kind_of
from troth.errors import NotFound
from troth.queries.products import volumes
from troth.registry import products
from troth.registry.database import Database
from troth.registry.products import ProductRow
from troth.sites.making import Made
from troth.sites.shelf import Shelf, Volume, shelf
from troth.sites.store import Sites

#: products that are remembered
_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Known:
    commits: int
    product: ProductRow | None
    shelf: Shelf


class Library:
    """Shelves of products, read again whenever something was written."""

    def __init__(self, database: Database, sites: Sites) -> None:
        self._database = database
        self._sites = sites
        self._known: dict[str, _Known] = {}

    def shelf(self, subject: str, caller: Caller | None) -> tuple[Shelf, bool]:
        """The shelf of a product, and whether it is public. Raises NotFound, also for what the caller may not know of."""
        known = self._known.get(subject)
        if known is None or known.commits != self._database.commits:
            known = self._read(subject)
        if known.product is None or not (known.product.public or self._shown(known.product, caller)):
            raise NotFound(
                f"there is no product {subject[:130]}",
                why="it was never made, or you may not know of it",
                repair="look at its name; what is private needs a key",
            )
        return known.shelf, known.product.public

    def ready(self, digest: str) -> Made:
        """The site of a bundle, made if it is not there. Raises NotFound where the bundle is not there either."""
        try:
            return self._sites.ready(digest)
        except FileNotFoundError:
            raise NotFound(
                "this documentation is not there any more",
                why="the release is",
                repair="restore the folder releases from a backup",
            ) from None

    def kind_of(self, digest: str, path: str) -> str:
        """What lies at a path of a site, if that site was made already."""
        try:
            return kind_of(self._sites.path(digest), self._sites.known(digest).root + path)
        except OSError:
            return ""

    def _read(self, subject: str) -> _Known:
        commits = self._database.commits  # before what is read, so that it is never older than it says
        with self._database.read() as connection:
            product = products.find_product(connection, subject)
            rows = volumes(connection, product) if product else []
        known = _Known(commits, product, shelf(subject, [Volume(*row) for row in rows]))
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[subject] = known
        return known

    def _shown(self, product: ProductRow, caller: Caller | None) -> bool:
        if caller is None:
            return False
        actor: Actor = caller.actor
        with self._database.read() as connection:
            return products.shows(connection, product, actor)
