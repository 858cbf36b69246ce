"""Versions of APIs and who calls them, commands with wire formats and what became of those that were accepted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, and_, case, false, literal, literal_column, null, or_, select, true

from troth.queries.entities.rows import Column, Entity, Sight, account, changing, column, subject
from troth.queries.language.fields import Kind
from troth.registry.api_tables import api_versions, apis
from troth.registry.command_tables import command_subjects, command_versions, queued_commands
from troth.registry.former_rows import FORMER, MOMENT, Former
from troth.registry.gateway_tables import api_callers
from troth.registry.tables import accounts

_PUBLISHER, _SENDER = accounts.alias("command_publisher"), accounts.alias("sender")
_EPOCH = date(1970, 1, 1)


def _owned(label: str, table: Any) -> tuple[Column, ...]:
    return (
        subject(label, accounts.c.name, table.c.name, f"OWNER/NAME of the {'API' if label == 'api' else label}."),
        account("owner", accounts.c.name, "The account that owns it."),
        column("name", Kind.TEXT, table.c.name, "Its name."),
    )


def _names_of(table: Any, sight: Sight) -> Any:
    """`owner/name` of everything in the table that a member asks about."""
    name = accounts.c.name + literal_column("'/'", table.c.name.type) + table.c.name
    joined = table.join(accounts, accounts.c.id == table.c.owner_id)
    return select(name).select_from(joined).where(table.c.owner_id.in_(sight.owner_ids)).correlate(None)


APIS = Entity(
    "apis",
    "Versions of APIs, with their states.",
    "Everybody sees those of public APIs; members of the owner and administrators all.",
    "query_apis",
    (
        *_owned("api", apis),
        column("version", Kind.INTEGER, api_versions.c.number, "Its number."),
        column("state", Kind.TEXT,
               lambda sight: (case((sight.was(api_versions.c.dropped_in).is_not(None), literal("dropped")),
                                   else_=sight.was(api_versions.c.state)),),
               "experimental, current, deprecated, retired or dropped.", former=FORMER["api_versions"]),
        changing("since", Kind.TEXT, api_versions.c.since, "The release in which it came into its state.", nullable=True),
        changing("deprecated_at", Kind.MOMENT, api_versions.c.deprecated_at, "When it was deprecated.", nullable=True),
        changing("sunset", Kind.TEXT, api_versions.c.sunset, "When it is to go.", nullable=True),
        changing("extended", Kind.TEXT, api_versions.c.extended, "The release that its retirement was put off to.",
                 nullable=True),
        changing("contract_digest", Kind.TEXT, api_versions.c.contract_digest, "Digest of what it promises.",
                 nullable=True),
        column("created_at", Kind.MOMENT, api_versions.c.created_at, "When it was made."),
        changing("public", Kind.BOOLEAN, apis.c.public, "Whether everybody may know of the API."),
    ),
    api_versions.join(apis, apis.c.id == api_versions.c.api_id).join(accounts, accounts.c.id == apis.c.owner_id),
    lambda sight: or_(sight.shown(apis.c.public), sight.administers, sight.manages(apis.c.owner_id)),
    lambda sight: sight.happened(api_versions.c.created_at),
    ((apis.c.owner_id, False), (apis.c.folded, False), (api_versions.c.number, False)),
    "by API and number",
    former=FORMER["apis"],
)  # fmt: skip


def _day(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() / 86400


def _dated(values: Sequence[Any]) -> str | None:
    return None if values[0] is None else f"{_EPOCH + timedelta(days=values[0])}T00:00:00.000000Z"


CALLERS = Entity(
    "callers",
    "Who called which version of an API, by day and operation.",
    "Members of the API's owner, with a key that manages, and administrators; everybody sees their own calls.",
    "query_api_callers",
    (
        column("api", Kind.TEXT, api_callers.c.api, "OWNER/NAME of the API."),
        column("version", Kind.INTEGER, api_callers.c.version, "The version that was called."),
        column("day", Kind.MOMENT, api_callers.c.day, "The day, in UTC, by its beginning.", given=_day, made=_dated),
        column("operation", Kind.TEXT, api_callers.c.operation, "What was called."),
        column(
            "parameter", Kind.TEXT, api_callers.c.parameter, "A parameter that came with it; empty: the call itself."
        ),
        column("caller", Kind.TEXT, api_callers.c.caller, "Who called; empty: somebody without a key."),
        column("calls", Kind.INTEGER, api_callers.c.calls, "How often."),
    ),
    api_callers,
    lambda sight: or_(
        sight.administers,
        and_(api_callers.c.caller == sight.actor.name, api_callers.c.caller != ""),
        api_callers.c.api.in_(_names_of(apis, sight)) if sight.actor.scope.manage else false(),
    ),
    lambda sight: true() if sight.moment is None else api_callers.c.day <= _day(sight.moment),
    (
        (api_callers.c.day, True),
        *((api_callers.c[name], False) for name in ("api", "version", "operation", "parameter", "caller")),
    ),
    "the newest day first",
    as_of_note="Days are counted whole: `as_of` takes in the day of that moment as it is now.",
)


def _member(sight: Sight) -> ColumnElement[bool]:
    return sight.belongs(command_subjects.c.owner_id, accounts.c.name, command_subjects.c.name)


def _of_members(
    name: str, value: Callable[[Sight], ColumnElement[Any]], summary: str, former: Former | None = None
) -> Column:
    def shown(sight: Sight) -> tuple[ColumnElement[Any]]:
        return (case((_member(sight), value(sight)), else_=null()),)

    return column(name, Kind.TEXT, shown, f"{summary} For members of the owner.", nullable=True, former=former)


COMMANDS = Entity(
    "commands",
    "Versions of commands, with their wire formats.",
    "Everybody sees those of public commands that the key is for; members of the owner and administrators all.",
    "list_commands",
    (
        *_owned("command", command_subjects),
        column("version", Kind.INTEGER, command_versions.c.version, "Its number."),
        changing("state", Kind.TEXT, command_versions.c.state, "Its state."),
        changing("serialisation", Kind.TEXT, command_versions.c.serialisation, "How payloads are written."),
        column("release", Kind.TEXT, command_versions.c.release, "The release of the owner's software in which it came."),
        changing("deprecated_in", Kind.TEXT, command_versions.c.deprecated_in, "The release that deprecated it.",
                 nullable=True),
        changing("retired_in", Kind.TEXT, command_versions.c.retired_in, "The release that retired it.", nullable=True),
        column("published_at", Kind.MOMENT, command_versions.c.published_at, "When it was published."),
        _of_members("published_by", lambda sight: _PUBLISHER.c.name, "Who published it."),
        _of_members("handler", lambda sight: sight.was(command_versions.c.handler), "What processes it.",
                    FORMER["command_versions"]),
        column("public", Kind.BOOLEAN, command_subjects.c.public, "Whether everybody may send it."),
        changing("flow", Kind.TEXT, command_subjects.c.flow, "running, paused or draining."),
        changing("schema", Kind.DOCUMENT, command_versions.c.schema, "Its wire format.", large=True),
    ),
    command_versions.join(command_subjects, command_subjects.c.id == command_versions.c.command_id)
    .join(accounts, accounts.c.id == command_subjects.c.owner_id)
    .join(_PUBLISHER, _PUBLISHER.c.id == command_versions.c.published_by, isouter=True),
    lambda sight: and_(
        sight.named(accounts.c.name, command_subjects.c.name),
        or_(command_subjects.c.public, command_subjects.c.owner_id.in_(sight.owner_ids), sight.administers),
    ),
    lambda sight: sight.happened(command_versions.c.published_at),
    ((command_subjects.c.owner_id, False), (command_subjects.c.folded, False), (command_versions.c.version, False)),
    "by command and number",
)  # fmt: skip


def _ended(sight: Sight, value: TableColumn[Any]) -> ColumnElement[Any]:
    """The value, where the command had ended by then; while it waits and is tried, nobody keeps its every moment."""
    if sight.moment is None:
        return value
    return case((sight.was(queued_commands.c.finished_at) <= MOMENT, sight.was(value)), else_=null())


COMMAND_RESULTS = Entity(
    "command-results",
    "Commands that were accepted, and what became of them, as long as they are kept.",
    "Everybody sees those that they sent; members of a command's owner those of it; administrators all.",
    "list_queued",
    (
        column("position", Kind.INTEGER, queued_commands.c.position, "Its place in the order of acceptance."),
        column("uuid", Kind.TEXT, queued_commands.c.uuid, "Its uuid."),
        column("command", Kind.TEXT, queued_commands.c.command, "The command."),
        column("version", Kind.INTEGER, queued_commands.c.version, "Version of its wire format."),
        column("state", Kind.TEXT, lambda sight: (_ended(sight, queued_commands.c.state),), "What became of it so far.",
               nullable=True, former=FORMER["queued_commands"]),
        column("attempts", Kind.INTEGER, lambda sight: (_ended(sight, queued_commands.c.attempts),),
               "How often it was tried.", nullable=True, former=FORMER["queued_commands"]),
        column("priority", Kind.INTEGER, queued_commands.c.priority, "Lower is sooner."),
        column("submitted_by", Kind.TEXT, _SENDER.c.name, "Who sent it.", nullable=True),
        column("accepted_at", Kind.MOMENT, queued_commands.c.accepted_at, "When it was durable."),
        column("finished_at", Kind.MOMENT, lambda sight: (_ended(sight, queued_commands.c.finished_at),),
               "When it ended.", nullable=True, former=FORMER["queued_commands"]),
        column("seconds", Kind.NUMBER, lambda sight: (_ended(sight, queued_commands.c.seconds),),
               "From acceptance to the end.", nullable=True, former=FORMER["queued_commands"]),
        column("outcome", Kind.DOCUMENT, lambda sight: (_ended(sight, queued_commands.c.outcome),),
               "What came of it.", nullable=True, former=FORMER["queued_commands"]),
    ),
    queued_commands.join(_SENDER, _SENDER.c.id == queued_commands.c.actor_id, isouter=True),
    lambda sight: or_(
        sight.administers,
        queued_commands.c.actor_id == sight.actor.id,
        queued_commands.c.command.in_(_names_of(command_subjects, sight)),
    ),
    lambda sight: sight.happened(queued_commands.c.accepted_at),
    ((queued_commands.c.position, True),),
    "the newest first",
    as_of_note="What came of a command is known of the past from its end on: before it, `state`, `attempts` and `outcome` are null.",
)  # fmt: skip
