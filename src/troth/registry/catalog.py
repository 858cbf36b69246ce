"""Algorithms with their builds and published versions. A version is inserted once and never updated (ALG-02)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, tuple_, update

from troth.access.roles import Actor
from troth.contracts import document
from troth.errors import NameTaken
from troth.registry.accounts import role_of
from troth.registry.build_records import COLUMNS, BuildRow, build_of
from troth.registry.deletions import LAST_RETURN, OPEN_DELETION, return_algorithm
from troth.registry.former_rows import keep
from troth.registry.lines import recorded
from troth.registry.tables import accounts, algorithms, builds, environments, versions
from troth.versions import names
from troth.versions.history import BuildStatus, Built, History, Published
from troth.versions.numbers import Number
from troth.versions.permissions import Permissions
from troth.versions.verdict import Verdict


@dataclass(frozen=True, slots=True)
class AlgorithmRow:
    """One algorithm and its owner."""

    id: str
    owner_id: str
    owner: str
    name: str
    summary: str
    details: dict[str, Any]
    settings: dict[str, Any]
    created_at: str
    #: the id of its deletion, while it is deleted
    deletion: str | None = None
    #: when its name was last taken again behind a deletion; what is older answers to complete numbers only
    returned_at: str = ""

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"

    def floats(self, published_at: str) -> bool:
        """Whether a version of this moment may answer to other references than its complete number (8.5)."""
        return not self.deletion and published_at >= self.returned_at

    @property
    def permissions(self) -> Permissions:
        """What its sources have where they declare nothing."""
        return Permissions(**{key: self.settings[key] for key in _SETTABLE if key in self.settings})


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One published version with what it was published with."""

    number: Number
    permissions: Permissions
    build: BuildRow
    contract_digest: str
    verdict: dict[str, Any]
    policy_revision: int
    notes: str
    details: dict[str, Any]
    id: str
    published_by: str
    published_at: str


#: Stands for an algorithm that does not exist: asked the same questions as one that is hidden, so that the time of an answer
#: does not tell which of the two it was (ALG-25).
NO_ALGORITHM = AlgorithmRow("", "", "", "", "", {}, {}, "")
_NUMBER = (versions.c.major, versions.c.minor, versions.c.revision)
_SETTABLE = ("network_access", "pipeline_enabled", "source_visibility")
_ALGORITHM = select(
    algorithms.c.id, algorithms.c.owner_id, accounts.c.name.label("owner"), algorithms.c.name, algorithms.c.summary,
    algorithms.c.details, algorithms.c.settings, algorithms.c.created_at, OPEN_DELETION, LAST_RETURN,
).join(accounts, accounts.c.id == algorithms.c.owner_id)  # fmt: skip


def _algorithm(row: Any) -> AlgorithmRow:
    identity, owner_id, owner, name, summary, details, settings, created_at, deletion, returned_at = row
    return AlgorithmRow(
        identity, owner_id, owner, name, summary, json.loads(details), json.loads(settings), created_at,
        deletion, returned_at or "",
    )  # fmt: skip


def find_algorithm(connection: Connection, owner: str, name: str, *, even_deleted: bool = False) -> AlgorithmRow | None:
    """The algorithm with exactly these names; one that is deleted only where that is asked for."""
    row = connection.execute(_ALGORITHM.where(accounts.c.name == owner, algorithms.c.name == name)).first()
    return _unless_deleted(row, even_deleted)


def get_algorithm(connection: Connection, algorithm_id: str) -> AlgorithmRow:
    """The algorithm with this id, which must exist."""
    return _algorithm(connection.execute(_ALGORITHM.where(algorithms.c.id == algorithm_id)).one())


def find_algorithm_by_id(
    connection: Connection, algorithm_id: str, *, even_deleted: bool = False
) -> AlgorithmRow | None:
    """The algorithm with this id, if there is one; one that is deleted only where that is asked for."""
    row = connection.execute(_ALGORITHM.where(algorithms.c.id == algorithm_id)).first()
    return _unless_deleted(row, even_deleted)


def _unless_deleted(row: Any, even_deleted: bool) -> AlgorithmRow | None:
    found = _algorithm(row) if row else None
    return None if found is not None and found.deletion and not even_deleted else found


def all_algorithms(connection: Connection) -> list[AlgorithmRow]:
    """Every algorithm, deleted ones too."""
    return [_algorithm(row) for row in connection.execute(_ALGORITHM)]


def check_name_free(connection: Connection, owner_id: str, name: str) -> None:
    """Raises NameTaken where the owner has an algorithm of that name, also one that differs in letter case only.

    The name of one that was deleted is its owner's to take again, in exactly the same letters.
    """
    folded = names.folded(names.check_algorithm(name))
    twin = select(algorithms.c.name, OPEN_DELETION).where(
        algorithms.c.owner_id == owner_id, algorithms.c.folded == folded
    )
    found = connection.execute(twin).first()
    if found is not None and not (found.deletion and found.name == name):
        taken = found.name
        raise NameTaken(
            f"there is an algorithm {taken} already",
            why="the algorithms of an account have different names, whatever the case of their letters",
            repair="choose another name",
            asked=name,
            found=taken,
        )


def create_algorithm(
    connection: Connection,
    owner_id: str,
    name: str,
    *,
    algorithm_id: str,
    summary: str,
    details: dict[str, Any],
    settings: dict[str, Any],
    now: str,
) -> None:
    """Makes an algorithm under an id that is new, or makes the deleted one with this id anew. Raises NameTaken."""
    check_name_free(connection, owner_id, name)
    said = {
        "summary": summary,
        "details": json.dumps(details, sort_keys=True),
        "settings": json.dumps(settings, sort_keys=True),
    }
    if connection.execute(select(algorithms.c.id).where(algorithms.c.id == algorithm_id)).first() is not None:
        keep(connection, algorithms, now, id=algorithm_id)
        connection.execute(update(algorithms).where(algorithms.c.id == algorithm_id).values(**said))
        return_algorithm(connection, algorithm_id, now)
        return
    connection.execute(
        algorithms.insert().values(
            id=algorithm_id, owner_id=owner_id, name=name, folded=names.folded(name), created_at=now, **said
        )
    )


def update_algorithm(
    connection: Connection,
    algorithm: AlgorithmRow,
    now: str,
    *,
    summary: str,
    details: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    """Says these things of an algorithm from now on; versions and builds keep what they have."""
    keep(connection, algorithms, now, id=algorithm.id)
    connection.execute(
        update(algorithms)
        .where(algorithms.c.id == algorithm.id)
        .values(
            summary=summary,
            details=json.dumps(details, sort_keys=True),
            settings=json.dumps(settings, sort_keys=True),
        )
    )


def is_member(connection: Connection, algorithm: AlgorithmRow, account_id: str) -> bool:
    """Whether the account is the algorithm's owner or belongs to it, now (ALG-26)."""
    return algorithm.owner_id == account_id or role_of(connection, algorithm.owner_id, account_id) is not None


def sees_private(connection: Connection, algorithm: AlgorithmRow, actor: Actor) -> bool:
    """Whether what is private about the algorithm is shown: to members, if the key that they ask with is for it."""
    member = is_member(connection, algorithm, actor.id)
    return actor.scope.sees(algorithm.subject) and member


def add_version(
    connection: Connection,
    build: BuildRow,
    permissions: Permissions,
    verdict: Verdict,
    *,
    notes: str,
    details: dict[str, Any],
    actor_id: str,
    now: str,
) -> str:
    """Publishes a build under the number of an allowing verdict, and gives the version's id.

    The database refuses a number that exists (ALG-02).
    """
    contract = document.with_permissions(build.contract, permissions)
    identity = str(uuid.uuid4())
    connection.execute(
        versions.insert().values(
            id=identity,
            algorithm_id=build.algorithm_id,
            build_id=build.id,
            **verdict.number._asdict(),
            visibility=permissions.visibility,
            permissions=json.dumps(permissions.as_dict(), sort_keys=True),
            contract=contract.decode(),
            contract_digest=document.digest(contract),
            verdict=json.dumps(verdict.as_dict(), sort_keys=True),
            policy_revision=verdict.policy_revision,
            notes=notes,
            details=json.dumps(details, sort_keys=True),
            published_by=actor_id,
            valid_from=now,
        )
    )
    return identity


def all_versions(connection: Connection, algorithm_id: str) -> list[VersionRow]:
    """Every published version of an algorithm, highest first."""
    rows = (
        _VERSION.where(versions.c.algorithm_id == algorithm_id)
        .order_by(versions.c.major.desc(), versions.c.minor.desc(), versions.c.revision.desc())
    )  # fmt: skip
    return [_version(row._mapping) for row in connection.execute(rows)]


def versions_page(
    connection: Connection,
    algorithm_id: str,
    limit: int,
    *,
    below: Number | None = None,
    visibility: str | None = None,
    since: str = "",
) -> list[VersionRow]:
    """So many versions published since a moment, highest first, below a number and of one visibility where these are given."""
    rows = _VERSION.where(versions.c.algorithm_id == algorithm_id, versions.c.valid_from >= since)
    if below is not None:
        rows = rows.where(tuple_(*_NUMBER) < tuple(below))
    if visibility is not None:
        rows = rows.where(versions.c.visibility == visibility)
    rows = rows.order_by(*(column.desc() for column in _NUMBER)).limit(limit)
    return [_version(row._mapping) for row in connection.execute(rows)]


def find_version(connection: Connection, algorithm_id: str, number: Number) -> VersionRow | None:
    """The version published under this number."""
    rows = _VERSION.where(versions.c.algorithm_id == algorithm_id, tuple_(*_NUMBER) == tuple(number))
    row = connection.execute(rows).first()
    return _version(row._mapping) if row else None


def numbers_of_builds(connection: Connection, build_ids: Collection[str]) -> dict[str, Number]:
    """The highest number under which each of the builds was published, by id; the others are left out."""
    rows = select(versions.c.build_id, *_NUMBER).where(versions.c.build_id.in_(build_ids)).order_by(*_NUMBER)
    return {row.build_id: Number(row.major, row.minor, row.revision) for row in connection.execute(rows)}


def lock_algorithm(connection: Connection, algorithm_id: str) -> None:
    """Keeps others from publishing on the algorithm until this transaction ends; SQLite has one writer anyway."""
    connection.execute(select(algorithms.c.id).where(algorithms.c.id == algorithm_id).with_for_update())


def history_of(connection: Connection, algorithm_id: str) -> History:
    """What the resolver and the policy need to know of an algorithm; nothing of one that does not exist."""
    algorithm = find_algorithm_by_id(connection, algorithm_id, even_deleted=True)
    numbers = (versions.c.major, versions.c.minor, versions.c.revision)
    published = connection.execute(
        select(*numbers, versions.c.permissions, versions.c.valid_from, builds.c.hash)
        .join(builds, builds.c.id == versions.c.build_id)
        .where(versions.c.algorithm_id == algorithm_id)
        .order_by(*numbers)
    )
    lines = [row for row in recorded(connection, algorithm_id) if row.retired_at is not None]
    built = connection.execute(select(builds.c.hash, builds.c.status).where(builds.c.algorithm_id == algorithm_id))
    return History(
        tuple(
            Published(
                Number(row.major, row.minor, row.revision),
                Permissions(**json.loads(row.permissions)),
                row.hash,
                floats=algorithm is not None and algorithm.floats(row.valid_from),
            )
            for row in published
        ),
        tuple(Built(row.hash, BuildStatus(row.status)) for row in built),
        retired=frozenset(row.major for row in lines),
        stopped=frozenset(row.major for row in lines if row.stopped),
    )


def contracts_of(connection: Connection, algorithm_id: str, major: int) -> dict[Number, bytes]:
    """The stored contracts of the versions of a major line."""
    rows = select(*_NUMBER, versions.c.contract).where(
        versions.c.algorithm_id == algorithm_id, versions.c.major == major
    )
    return {Number(row.major, row.minor, row.revision): row.contract.encode() for row in connection.execute(rows)}


_VERSION = (
    select(
        *(column.label(f"build_{column.name}") for column in COLUMNS),
        *(
            versions.c[name]
            for name in (
                "id", "major", "minor", "revision", "permissions", "contract_digest", "verdict", "policy_revision", "notes",
                "details", "valid_from",
            )
        ),
        accounts.c.name.label("published_by"),
    )
    .select_from(versions)
    .join(builds, builds.c.id == versions.c.build_id)
    .join(accounts, accounts.c.id == versions.c.published_by)
    .join(environments, environments.c.digest == builds.c.environment, isouter=True)
)  # fmt: skip


def _version(row: Any) -> VersionRow:
    return VersionRow(
        number=Number(row["major"], row["minor"], row["revision"]),
        permissions=Permissions(**json.loads(row["permissions"])),
        build=build_of([row[f"build_{column.name}"] for column in COLUMNS]),
        contract_digest=row["contract_digest"],
        verdict=json.loads(row["verdict"]),
        policy_revision=row["policy_revision"],
        notes=row["notes"],
        details=json.loads(row["details"]),
        id=row["id"],
        published_by=row["published_by"],
        published_at=row["valid_from"],
    )
