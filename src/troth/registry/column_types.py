"""The types that columns of many tables have, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String

UUID = String(36)
DIGEST = String(64)
SHA = String(40)
#: as `troth.clock.stamp` writes it
MOMENT = String(27)
#: seconds since 1970, and positions of what never stops being added; SQLite's own integers are as long
LONG = BigInteger().with_variant(Integer, "sqlite")
