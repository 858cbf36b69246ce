"""Waivers that were kept before they had kinds are those of algorithms."""

from __future__ import annotations

import json
import uuid

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from tests.promises.test_waivers import WAIVER
from tests.registry.test_registry import NOW, an_algorithm
from troth.registry import waivers
from troth.registry.database import Database

BEFORE = "0007"
ROW = """
    INSERT INTO waivers (id, algorithm_id, number, hash, clauses, reason, verdict, requested_by, requested_at, expires_at, signed)
    SELECT :id, algorithms.id, '1.2.0', :hash, '["ALG-05"]', 'because', '{}', accounts.id, :now, :now, :signed
    FROM algorithms JOIN accounts ON accounts.id = algorithms.owner_id
"""


def test_a_waiver_of_an_algorithm_stays_what_it_was(database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", "troth.registry:migrations")
    engine, identity = create_engine(database_url), str(uuid.uuid4())
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
        algorithm = an_algorithm(connection)
        values = {"id": identity, "hash": "c" * 40, "now": NOW, "signed": json.dumps(WAIVER.as_dict())}
        connection.execute(text(ROW), values)
        connection.commit()
    engine.dispose()
    database = Database(database_url)
    database.migrate()
    with database.read() as connection:
        (row,) = waivers.of_subject(connection, algorithm)
    database.close()
    assert (row.id, row.subject.kind, row.subject.id, row.subject.name) == (
        identity,
        "algorithm",
        algorithm,
        "ada/echo",
    )
    assert row.signed == WAIVER
    assert (row.requested_by, row.requested_by_id) == ("ada", row.subject.owner_id)
