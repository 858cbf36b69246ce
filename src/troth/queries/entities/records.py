"""The journal, accounts, calls that were recorded, and the clauses of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, and_, false, func, literal, or_, select, true, union_all

from troth.access.scopes import reach_of
from troth.clock import stamp
from troth.queries.entities.rows import Entity, Sight, changing, column
from troth.queries.language.fields import Kind
from troth.registry.access_tables import account_details
from troth.registry.journal_facts import journal_facts
from troth.registry.tables import accounts, call_records, journal
from troth.versions.clauses import policy

_ACCOUNT_DELETED = account_details.c.deleted_at


def _decoded(values: Sequence[Any]) -> str:
    return bytes(values[0]).decode()


JOURNAL = Entity(
    "journal",
    "The record of all commands and what came of them.",
    "Administrators.",
    "query_journal",
    (
        column("position", Kind.INTEGER, journal_facts.c.position, "Its place, counted from 1."),
        column("at", Kind.MOMENT, journal_facts.c.at, "When it was added."),
        column("actor", Kind.TEXT, journal_facts.c.actor, "Whose command it was."),
        column("command", Kind.TEXT, journal_facts.c.command, "The command."),
        column("version", Kind.INTEGER, journal_facts.c.version, "Version of its wire format."),
        column("uuid", Kind.TEXT, journal_facts.c.uuid, "Its uuid."),
        column("outcome", Kind.TEXT, journal_facts.c.outcome, "done or refused."),
        column("clauses", Kind.TEXT, journal_facts.c.clauses, "The clauses of a refusal, with spaces between."),
        column("subject", Kind.TEXT, journal_facts.c.subject, "What it was about, as far as its payload says."),
        column("entry", Kind.DOCUMENT, journal.c.entry, "The entry, as it is hashed.", large=True, made=_decoded),
        column("digest", Kind.TEXT, journal.c.digest, "Its digest in the chain.", large=True),
        column("previous", Kind.TEXT, journal.c.previous, "Digest of the entry before.", large=True),
    ),
    journal_facts.join(journal, journal.c.position == journal_facts.c.position, isouter=True),
    lambda sight: sight.administers,
    lambda sight: sight.happened(journal_facts.c.at),
    ((journal_facts.c.position, False),),
    "by position",
    grant="read_journal",
)

ACCOUNTS = Entity(
    "accounts",
    "Users and organisations.",
    "Administrators.",
    "query_accounts",
    (
        column("name", Kind.TEXT, accounts.c.name, "Its name."),
        column("kind", Kind.TEXT, accounts.c.kind, "user or organization."),
        column("administrator", Kind.BOOLEAN, accounts.c.administrator, "Whether it administers this server."),
        column("created_at", Kind.MOMENT, accounts.c.created_at, "When it was made."),
        changing("external_id", Kind.TEXT, account_details.c.external_id, "What an outer directory knows it by.",
                 nullable=True),
        column("id", Kind.TEXT, accounts.c.id, "Its id."),
    ),
    accounts.join(account_details, account_details.c.account_id == accounts.c.id, isouter=True),
    lambda sight: and_(sight.administers, accounts.c.kind != "system"),
    lambda sight: and_(sight.happened(accounts.c.created_at), _account_held(sight)),
    ((accounts.c.folded, False),),
    "by name",
    grant="read_accounts",
)  # fmt: skip


def _account_held(sight: Sight) -> ColumnElement[bool]:
    if sight.moment is None:
        return _ACCOUNT_DELETED.is_(None)
    return or_(_ACCOUNT_DELETED.is_(None), sight.moment < _ACCOUNT_DELETED)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _stamped(values: Sequence[Any]) -> str | None:
    return None if values[0] is None else stamp(datetime.fromtimestamp(values[0], UTC))


def _own_calls(sight: Sight) -> ColumnElement[bool]:
    """`troth.calls.receipts.may_read` in SQL."""
    own = call_records.c.caller == sight.actor.name
    reach = None if sight.actor.scope.manage else reach_of(sight.actor.scope.algorithms)
    if reach is not None:
        begins = [*(f"{one}/" for one in sorted(reach.owners)), *(f"{one}/" for one in sorted(reach.subjects))]
        referred = call_records.c.reference + "/"
        own = and_(own, or_(*(func.substr(referred, 1, len(one)) == one for one in begins), false()))
    return or_(sight.administers, own)


CALLS = Entity(
    "calls",
    "The last calls, as long as they are kept; of the last second some may be missing.",
    "Everybody sees their own; administrators all.",
    "query_calls",
    (
        column("request", Kind.TEXT, call_records.c.request, "Its request id, which its receipt is asked for by."),
        column("at", Kind.MOMENT, call_records.c.at, "When it ended, to the second.", given=_seconds, made=_stamped),
        column("caller", Kind.TEXT, call_records.c.caller, "Who called."),
        column("reference", Kind.TEXT, call_records.c.reference, "What was called, as it was written."),
        column("outcome", Kind.TEXT, call_records.c.outcome, "ok, or what went wrong."),
        column("seconds", Kind.NUMBER, call_records.c.seconds, "How long it took."),
    ),
    call_records,
    _own_calls,
    lambda sight: true() if sight.moment is None else call_records.c.at <= _seconds(sight.moment),
    ((call_records.c.position, True),),
    "the newest first",
)


def _clause_rows() -> Any:
    """The policy as a table. It is the same for all, and small."""
    kinds = {"revision": Integer}
    names = ("id", "kind", "sentence", "affects", "enforcement", "source", "status", "revision")
    rows = [
        select(
            literal(number, Integer).label("place"),
            *(literal(getattr(one, name), kinds.get(name, Text)).label(name) for name in names),
        )
        for number, one in enumerate(policy().clauses.values())
    ]
    return union_all(*rows).subquery("clauses")


_CLAUSE = _clause_rows()
CLAUSES = Entity(
    "clauses",
    "The clauses of the policy in force.",
    "Everybody.",
    "query_clauses",
    (
        column("id", Kind.TEXT, _CLAUSE.c.id, "Its id, like ALG-05."),
        column("kind", Kind.TEXT, _CLAUSE.c.kind, "RULE, MAY, SEMANTICS, ADVICE or CONTEXT."),
        column("sentence", Kind.TEXT, _CLAUSE.c.sentence, "What it says."),
        column("affects", Kind.TEXT, _CLAUSE.c.affects, "Whom it protects."),
        column("enforcement", Kind.TEXT, _CLAUSE.c.enforcement, "What the machine makes of it."),
        column("source", Kind.TEXT, _CLAUSE.c.source, "Where it stands."),
        column("status", Kind.TEXT, _CLAUSE.c.status, "enforced, shown or planned."),
        column("revision", Kind.INTEGER, _CLAUSE.c.revision, "The revision of the policy in which it has this form."),
    ),
    _CLAUSE,
    lambda sight: true(),
    lambda sight: true(),
    ((_CLAUSE.c.place, False),),
    "as the policy lists them",
    as_of_note="The policy belongs to the release of troth that runs, so `as_of` changes nothing.",
)
