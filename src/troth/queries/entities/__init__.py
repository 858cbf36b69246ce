"""The table of entities: what can be asked about, by which fields, and who sees which rows.

Queries, their documentation, the OpenAPI document and the hints of refusals all read these rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from troth.queries.entities.algorithms import ALGORITHMS, BUILDS, VERSIONS
from troth.queries.entities.interfaces import APIS, CALLERS, COMMAND_RESULTS, COMMANDS
from troth.queries.entities.products import PRODUCTS, RELEASES
from troth.queries.entities.records import ACCOUNTS, CALLS, CLAUSES, JOURNAL
from troth.queries.entities.rows import Entity
from troth.queries.entities.waivers import WAIVERS
from troth.queries.language.fields import Shape

ENTITIES: Mapping[str, Entity] = {
    row.name: row
    for row in (
        ALGORITHMS, VERSIONS, BUILDS, APIS, COMMANDS, COMMAND_RESULTS, PRODUCTS, RELEASES, CALLERS, CALLS, JOURNAL,
        ACCOUNTS, CLAUSES, WAIVERS,
    )
}  # fmt: skip
SHAPES: Mapping[str, Shape] = {name: row.shape for name, row in ENTITIES.items()}
