"""Deletions of algorithms: an interval from the deletion until the owner takes the name again, which is open for one that is deleted.

Nothing else of a deleted algorithm goes: its numbers stay used (ALG-02), and callers of complete numbers are not stopped (ALG-13).
"""

from __future__ import annotations

import uuid

from sqlalchemy import Column, Connection, ForeignKey, Index, String, Table, func, select, update

from troth.registry.tables import algorithms, metadata

deletions = Table(
    "deletions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("algorithm_id", String(36), ForeignKey("algorithms.id"), nullable=False),
    Column("deleted_by", String(36), ForeignKey("accounts.id"), nullable=False),
    Column("valid_from", String(27), nullable=False),
    Column("valid_to", String(27)),
    Index("ix_deletions_algorithm", "algorithm_id", "valid_to"),
)

_OF_ROW = deletions.c.algorithm_id == algorithms.c.id
#: Columns beside those of `algorithms`: the open deletion's id, and the end of the last that was closed.
OPEN_DELETION = (
    select(func.max(deletions.c.id)).where(_OF_ROW, deletions.c.valid_to.is_(None)).scalar_subquery().label("deletion")
)
LAST_RETURN = select(func.max(deletions.c.valid_to)).where(_OF_ROW).scalar_subquery().label("returned_at")


def delete_algorithm(connection: Connection, algorithm_id: str, actor_id: str, now: str) -> None:
    """Begins the deletion of an algorithm that is not deleted."""
    connection.execute(
        deletions.insert().values(id=str(uuid.uuid4()), algorithm_id=algorithm_id, deleted_by=actor_id, valid_from=now)
    )


def return_algorithm(connection: Connection, algorithm_id: str, now: str) -> None:
    """Ends the deletion of an algorithm, whose owner makes it anew."""
    open_one = (deletions.c.algorithm_id == algorithm_id) & deletions.c.valid_to.is_(None)
    connection.execute(update(deletions).where(open_one).values(valid_to=now))
