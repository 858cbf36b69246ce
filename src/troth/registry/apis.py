"""APIs and the states of their versions. Rows stay for good: a number is known for ever, whatever became of it."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from troth.access.roles import Actor
from troth.errors import NameTaken, NotFound
from troth.registry.accounts import role_of
from troth.registry.api_tables import api_decisions, api_moves, api_versions, apis
from troth.registry.former_rows import keep
from troth.registry.product_tables import products
from troth.registry.tables import accounts
from troth.versions import names
from troth.versions.lifecycles.rules import retires_in
from troth.versions.lifecycles.states import State
from troth.versions.lifecycles.subject import Api, Decided, Standing
from troth.versions.lifecycles.table import ApiVersion, StateTable
from troth.versions.releases.numbers import ReleaseNumber


@dataclass(frozen=True, slots=True)
class ApiRow:
    """One API. `product` is the OWNER/PRODUCT whose releases it follows, where it follows one."""

    id: str
    owner_id: str
    owner: str
    name: str
    summary: str
    public: bool
    product_id: str | None
    product: str | None
    starting_point: int | None
    documentation: str | None
    revision: int
    newest: ReleaseNumber | None
    created_at: str

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of an API, without its contract."""

    number: int
    state: State
    since: ReleaseNumber | None
    deprecated_at: str | None
    extended: ReleaseNumber | None
    sunset: str | None
    dropped_in: ReleaseNumber | None
    contract_digest: str | None
    created_at: str

    @property
    def standing(self) -> Standing:
        """The version as the policy sees it."""
        return Standing(self.number, self.state, self.since, self.extended, dropped=self.dropped_in is not None)


_OWNER, _PRODUCT_OWNER = accounts.alias(), accounts.alias()
_API = (
    select(
        apis.c.id, apis.c.owner_id, _OWNER.c.name.label("owner"), apis.c.name, apis.c.summary, apis.c.public,
        apis.c.product_id, (_PRODUCT_OWNER.c.name + "/" + products.c.name).label("product"), apis.c.starting_point,
        apis.c.documentation, apis.c.revision, apis.c.newest, apis.c.created_at,
    )
    .join(_OWNER, _OWNER.c.id == apis.c.owner_id)
    .join(products, products.c.id == apis.c.product_id, isouter=True)
    .join(_PRODUCT_OWNER, _PRODUCT_OWNER.c.id == products.c.owner_id, isouter=True)
)  # fmt: skip
_VERSION = select(
    api_versions.c.number, api_versions.c.state, api_versions.c.since, api_versions.c.deprecated_at,
    api_versions.c.extended, api_versions.c.sunset, api_versions.c.dropped_in,
    api_versions.c.contract_digest, api_versions.c.created_at,
)  # fmt: skip


def create_api(connection: Connection, owner_id: str, name: str, now: str, **values: Any) -> str:
    """The id of a new API. Raises NameTaken, also for a name that differs in letter case only."""
    folded = names.folded(names.check_algorithm(name))
    twin = select(apis.c.name).where(apis.c.owner_id == owner_id, apis.c.folded == folded)
    if (taken := connection.execute(twin).scalar()) is not None:
        raise NameTaken(
            f"there is an API {taken} already",
            why="the APIs of an account have different names, whatever the case of their letters",
            repair="choose another name",
            asked=name,
            found=taken,
        )
    row = {"id": str(uuid.uuid4()), "owner_id": owner_id, "name": name, "folded": folded, "created_at": now}
    connection.execute(apis.insert().values(**row, revision=0, **values))
    return row["id"]


def change_api(connection: Connection, api_id: str, now: str, **values: Any) -> None:
    """Sets columns of an API, from now on."""
    if "public" in values:
        keep(connection, apis, now, id=api_id)
    connection.execute(update(apis).where(apis.c.id == api_id).values(**values))


def find_api(connection: Connection, subject: str) -> ApiRow | None:
    """The API of exactly this owner/name."""
    owner, _, name = subject.partition("/")
    row = connection.execute(_API.where(_OWNER.c.name == owner, apis.c.name == name)).first()
    return _api_row(row) if row else None


def get_api(connection: Connection, api_id: str) -> ApiRow:
    """The API with this id, which there is."""
    return _api_row(connection.execute(_API.where(apis.c.id == api_id)).one())


def existing(connection: Connection, subject: str) -> ApiRow:
    """The API of that name. Raises NotFound."""
    if found := find_api(connection, subject):
        return found
    raise NotFound(
        f"there is no API {subject[:130]}",
        why="it was never made, or you may not know of it",
        repair=f"make it: troth api create {subject[:130]}",
        asked=subject[:200],
    )


def all_apis(connection: Connection) -> list[ApiRow]:
    """Every API, by name."""
    return [_api_row(row) for row in connection.execute(_API.order_by(_OWNER.c.name, apis.c.name))]


def following(connection: Connection, product_id: str) -> list[ApiRow]:
    """The APIs that follow the releases of a product."""
    return [_api_row(row) for row in connection.execute(_API.where(apis.c.product_id == product_id))]


def shows(connection: Connection, api: ApiRow, actor: Actor | None) -> bool:
    """Whether the actor may know of the API: what is private is its owner's, with a key that manages."""
    if api.public:
        return True
    if actor is None:
        return False
    return actor.administrator or belongs(connection, api, actor)


def belongs(connection: Connection, api: ApiRow, actor: Actor) -> bool:
    """Whether the actor is the owner of the API or a member of it, with a key that manages."""
    own = actor.id == api.owner_id or role_of(connection, api.owner_id, actor.id) is not None
    return actor.scope.manage and own


def versions_of(connection: Connection, api_id: str) -> list[VersionRow]:
    """The versions of an API, lowest first; what was dropped too."""
    rows = connection.execute(_VERSION.where(api_versions.c.api_id == api_id).order_by(api_versions.c.number))
    return [_version_row(row) for row in rows]


def contract_of(connection: Connection, api_id: str, number: int) -> tuple[str | None, str | None]:
    """(digest, text) of the OpenAPI document of a version; None where nobody gave one."""
    wanted = select(api_versions.c.contract_digest, api_versions.c.contract)
    row = connection.execute(wanted.where(api_versions.c.api_id == api_id, api_versions.c.number == number)).first()
    return (row[0], row[1]) if row else (None, None)


def subject_of(connection: Connection, api: ApiRow) -> Api:
    """The API as the policy sees it."""
    rows = {row.number: row.standing for row in versions_of(connection, api.id)}
    decisions = {
        one["about"]: Decided(one["about"], one["allowed"], one["reason"]) for one in decisions_of(connection, api.id)
    }
    return Api(rows, api.starting_point, tuple(decisions.values()), api.newest)


def set_version(connection: Connection, api_id: str, number: int, now: str, **values: Any) -> None:
    """Writes columns of a version, which is made where it is not there."""
    mine = (api_versions.c.api_id == api_id) & (api_versions.c.number == number)
    if "contract" in values:
        values["contract_digest"] = hashlib.sha256(values["contract"].encode()).hexdigest()
    if connection.execute(select(api_versions.c.number).where(mine)).first() is None:
        connection.execute(api_versions.insert().values(api_id=api_id, number=number, created_at=now, **values))
    else:
        keep(connection, api_versions, now, api_id=api_id, number=number)
        connection.execute(update(api_versions).where(mine).values(**values))


def add_move(connection: Connection, api_id: str, **values: Any) -> None:
    """Records a move that was allowed, behind the others."""
    last = connection.execute(select(func.max(api_moves.c.position)).where(api_moves.c.api_id == api_id)).scalar()
    connection.execute(
        api_moves.insert().values(id=str(uuid.uuid4()), api_id=api_id, position=(last or 0) + 1, **values)
    )


def moves_of(connection: Connection, api_id: str) -> list[dict[str, Any]]:
    """What happened to the versions of an API, oldest first, with the verdicts."""
    wanted = select(
        api_moves.c.number, api_moves.c.move, api_moves.c.release, api_moves.c.reason, api_moves.c.reference,
        api_moves.c.note, accounts.c.name.label("moved_by"), api_moves.c.moved_at, api_moves.c.policy_revision,
        api_moves.c.verdict,
    ).join(accounts, accounts.c.id == api_moves.c.moved_by)  # fmt: skip
    rows = connection.execute(wanted.where(api_moves.c.api_id == api_id).order_by(api_moves.c.position))
    return [{**row._mapping, "verdict": json.loads(row.verdict)} for row in rows]


def add_decision(connection: Connection, api_id: str, **values: Any) -> None:
    """Records what somebody decided; a later decision about the same thing holds instead."""
    connection.execute(api_decisions.insert().values(id=str(uuid.uuid4()), api_id=api_id, **values))


def decisions_of(connection: Connection, api_id: str) -> list[dict[str, Any]]:
    """What was decided of an API, oldest first."""
    wanted = select(
        api_decisions.c.about, api_decisions.c.allowed, api_decisions.c.reason, accounts.c.name.label("decided_by"),
        api_decisions.c.decided_at, api_decisions.c.policy_revision,
    ).join(accounts, accounts.c.id == api_decisions.c.decided_by)  # fmt: skip
    mine = wanted.where(api_decisions.c.api_id == api_id)
    rows = connection.execute(mine.order_by(api_decisions.c.decided_at, api_decisions.c.id))
    return [dict(row._mapping) for row in rows]


def state_table(api: ApiRow, versions: list[VersionRow]) -> StateTable:
    """The states of an API as doors and middleware go by them; what was dropped is not in it."""
    standing = [row for row in versions if row.dropped_in is None]
    current = next((row.number for row in standing if row.state is State.CURRENT), None)
    found = [_served(api, row, current) for row in standing]
    return StateTable.of(api.subject, api.revision, *found)


def _served(api: ApiRow, row: VersionRow, current: int | None) -> ApiVersion:
    planned = retires_in(row.standing)
    leaving = row.state in (State.DEPRECATED, State.RETIRED)
    return ApiVersion(
        number=row.number,
        state=row.state,
        since=_finished(row.since),
        retires_in=_finished(planned),
        sunset=row.sunset,
        successor=current if leaving else None,
        documentation=api.documentation,
        deprecated_at=row.deprecated_at,
    )


def _finished(number: ReleaseNumber | None) -> str | None:
    return None if number is None else str(number.finished)


def _parsed(text: str | None) -> ReleaseNumber | None:
    return None if text is None else ReleaseNumber.parse(text)


def _api_row(row: Any) -> ApiRow:
    values: Mapping[str, Any] = row._mapping
    return ApiRow(**{**values, "newest": _parsed(values["newest"])})


def _version_row(row: Any) -> VersionRow:
    number, state, since, deprecated_at, extended, sunset, dropped_in, digest, created_at = row
    return VersionRow(
        number,
        State(state),
        _parsed(since),
        deprecated_at,
        _parsed(extended),
        sunset,
        _parsed(dropped_in),
        digest,
        created_at,
    )
