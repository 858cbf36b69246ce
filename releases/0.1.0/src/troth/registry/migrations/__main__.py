"""Runs the migrations that lie beside it on the database that `DATABASE_URL` names: on scratch databases, for proofs.

`troth.toml` of troth names it. A server and `troth upgrade` run them through `troth.registry.database.Database`.
"""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url


def main() -> None:
    """Brings the database up to the newest of the migrations here."""
    url = make_url(os.environ["DATABASE_URL"])
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with create_engine(url).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


if __name__ == "__main__":
    main()
