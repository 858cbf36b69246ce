"""What owners announced of the major lines of their algorithms: the notice that they give, and each line's states."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Connection, ForeignKey, Integer, Table, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from troth.registry.column_types import MOMENT, UUID
from troth.registry.tables import accounts, members, metadata, usage
from troth.versions.lifecycles.lines import Notice, Recorded, Use

line_notices = Table(
    "line_notices",
    metadata,
    Column("algorithm_id", UUID, ForeignKey("algorithms.id"), primary_key=True),
    Column("days", Integer),  # null: a new major deprecates nothing
    Column("quiet_days", Integer, nullable=False),
    Column("set_by", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("set_at", MOMENT, nullable=False),
)

line_states = Table(
    "line_states",
    metadata,
    Column("algorithm_id", UUID, ForeignKey("algorithms.id"), primary_key=True),
    Column("major", Integer, primary_key=True, autoincrement=False),
    Column("deprecated_at", MOMENT, nullable=False),
    Column("retires_after", MOMENT, nullable=False),
    Column("retired_at", MOMENT),
    Column("retired_by", UUID, ForeignKey("accounts.id")),
    Column("stopped", Boolean, nullable=False),  # whether M.m and M.* lead nowhere
)


def notice_of(connection: Connection, algorithm_id: str) -> Notice:
    """What the owner set; where nothing was set, what holds for all."""
    columns = select(line_notices.c.days, line_notices.c.quiet_days)
    row = connection.execute(columns.where(line_notices.c.algorithm_id == algorithm_id)).first()
    return Notice(row.days, row.quiet_days) if row else Notice()


def set_notice(connection: Connection, algorithm_id: str, notice: Notice, actor_id: str, now: str) -> None:
    """Holds from now on."""
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"days": notice.days, "quiet_days": notice.quiet_days, "set_by": actor_id, "set_at": now}
    new = kind.insert(line_notices).values(algorithm_id=algorithm_id, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["algorithm_id"], set_=values))


def recorded(connection: Connection, algorithm_id: str) -> list[Recorded]:
    """What was announced of each line, the lowest first."""
    rows = select(line_states).where(line_states.c.algorithm_id == algorithm_id).order_by(line_states.c.major)
    return [
        Recorded(row.major, row.deprecated_at, row.retires_after, row.retired_at, row.stopped)
        for row in connection.execute(rows)
    ]


def deprecate(connection: Connection, algorithm_id: str, major: int, now: str, retires_after: str) -> None:
    """Notes that a line is deprecated from now on."""
    values = {"deprecated_at": now, "retires_after": retires_after, "stopped": False}
    connection.execute(line_states.insert().values(algorithm_id=algorithm_id, major=major, **values))


def retire(connection: Connection, algorithm_id: str, major: int, *, stopped: bool, actor_id: str, now: str) -> None:
    """Notes that a deprecated line is retired from now on."""
    of_line = (line_states.c.algorithm_id == algorithm_id) & (line_states.c.major == major)
    values = {"retired_at": now, "retired_by": actor_id, "stopped": stopped}
    connection.execute(update(line_states).where(of_line).values(**values))


def uses_of(connection: Connection, owner_id: str, owner: str, name: str, major: int, since: int) -> list[Use]:
    """Who called a line since a minute, most calls first, but for its owner and members of it.

    Counts that were merged, because the registry did not keep up, may be of any version and of anybody: they are of `*`.
    """
    own = select(accounts.c.name).where(
        or_(
            accounts.c.id == owner_id,
            accounts.c.id.in_(
                select(members.c.account_id).where(members.c.organization_id == owner_id, members.c.valid_to.is_(None))
            ),
        )
    )
    of_line = or_(usage.c.version.startswith(f"{major}.", autoescape=True), usage.c.version == "*")
    wanted = and_(usage.c.owner == owner, usage.c.name == name, of_line, usage.c.minute >= since)
    calls = func.sum(usage.c.calls)
    rows = (
        select(usage.c.caller, calls).where(wanted, usage.c.caller.not_in(own)).group_by(usage.c.caller)
        .order_by(calls.desc(), usage.c.caller)
    )  # fmt: skip
    return [Use(caller, int(count)) for caller, count in connection.execute(rows)]
