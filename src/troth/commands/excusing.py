"""Which waivers hold for a commit now, by the key of this server."""

from __future__ import annotations

from sqlalchemy import Connection

from troth.registry import waivers
from troth.signing import SigningKey
from troth.versions.waivers import Considered, considered


class Excusing:
    """Reads waivers, and believes none whose signature does not fit."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def waivers(
        self, connection: Connection, subject_id: str, commit: str, number: str | None, moment: str
    ) -> tuple[Considered, ...]:
        """The approved waivers that name this commit or this number, each with why it cannot hold."""
        return tuple(
            considered(
                row.signed,
                commit,
                moment,
                authentic=row.signed.id == row.id and self._key.fits(row.signed.statement(), row.signed.signature),
                revoked_at=row.revoked_at,
            )
            for row in waivers.approved_for(connection, subject_id, commit, number)
            if row.signed is not None
        )
