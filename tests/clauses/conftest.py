"""An organisation with two members and a stranger, and algorithms of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import Connection

from tests.products.conftest import shop as product  # noqa: F401  # those of documentation cut releases of it
from tests.releases.conftest import empty, shop  # noqa: F401  # the tests of releases share them
from tests.server import RunningServer, write_project
from tests.sites.conftest import read  # noqa: F401  # and read it
from troth.calls.loading import TableLoader
from troth.clock import now, stamp
from troth.errors import TrothError
from troth.registry import accounts, build_records, catalog
from troth.sdk import Client
from troth.versions.history import DEFAULT_READINGS
from troth.versions.numbers import Number
from troth.versions.verdict import Outcome, Verdict


@dataclass
class House:
    """An organisation: `ada` is its admin, `ben` a member, `sam` a stranger."""

    server: RunningServer
    folder: Path
    name: str
    ada: Client
    ben: Client
    sam: Client
    ben_name: str

    @property
    def everybody(self) -> dict[str, Client]:
        return {"ada": self.ada, "ben": self.ben, "sam": self.sam}

    def algorithm(self, **options: Any) -> tuple[str, str]:
        """(owner/name, hash) of a new algorithm with one successful build, which tells its mark when called."""
        return self.server.build(self.folder, self.name, self.ada, **options)

    def build(self, algorithm: str, code: str, **options: Any) -> dict[str, Any]:
        """Another build of the algorithm, whether it succeeds or fails."""
        name = algorithm.split("/")[1]
        return self.ada.compile(write_project(self.folder / name, self.name, name, code, **options))

    def publish(self, algorithm: str, commit: str, *numbers: str, visibility: str = "public") -> None:
        """Publishes the build under each of the numbers."""
        for number in numbers:
            self.ada.publish(algorithm, commit, number=number, visibility=visibility, confirm_permissions=True)

    def import_version(
        self, algorithm: str, commit: str, number: str, visibility: Literal["public", "private"]
    ) -> None:
        """Puts a version into the registry past the policy, as data from elsewhere might be (note N4)."""
        database = self.server.server.database

        def work(connection: Connection) -> str:
            row = catalog.find_algorithm(connection, *algorithm.split("/"))
            assert row is not None
            build = build_records.find_build(connection, row.id, commit)
            assert build is not None
            imported = Verdict(Outcome.ALLOWED, Number.parse(number), (), None, 0)
            permissions = replace(build.permissions, visibility=visibility)
            catalog.add_version(
                connection,
                build,
                permissions,
                imported,
                notes="imported",
                details={},
                actor_id=accounts.SYSTEM.id,
                now=stamp(now()),
            )
            return row.id

        changed = database.write_now(work)
        with database.read() as connection:
            TableLoader(self.server.server.table, DEFAULT_READINGS).refresh(connection, {changed}, set())


def answered(client: Client, reference: str, given: Any = "x") -> str:
    """The version that answered a call, or what the caller was told."""
    try:
        return client.call(reference, given).receipt["version"]
    except TrothError as error:
        return error.what


def refusal(house: House, algorithm: str, commit: str, **how: Any) -> TrothError:
    """The error with which a publication is refused."""
    with pytest.raises(TrothError) as caught:
        house.ada.publish(algorithm, commit, **how)
    return caught.value


@pytest.fixture
def house(server: RunningServer, tmp_path: Path) -> House:
    _, ada = server.account("ada")
    ben_name, ben = server.account("ben")
    _, sam = server.account("sam")
    name = server.organization(ada)
    ada.command("add_member", organization=name, account=ben_name, role="member")
    return House(server, tmp_path, name, ada, ben, sam, ben_name)
