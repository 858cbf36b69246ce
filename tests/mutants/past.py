"""The mutants of what was: queries of a moment, rollback, and commands that are done later than they were sent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, true

from tests.mutants.mutant import Mutant
from tests.mutants.mutant import replace_attribute as _replace
from troth.commands.bus import Bus, Handler, Transaction
from troth.commands.rolling_back import RollBack
from troth.queries import asking, former
from troth.queries.entities import ENTITIES
from troth.queries.entities.rows import Sight
from troth.registry import apis, command_subjects, former_journal
from troth.registry.accounts import belonging
from troth.registry.api_tables import api_versions
from troth.registry.command_tables import command_versions
from troth.registry.former_rows import MOMENT, Former, history_beginnings
from troth.versions.lifecycles.table import version_number

# --- queries of a moment


def _past_is_now() -> None:
    _replace(Former, "was", lambda self, name, keys: self.source.c[name])


def _one_too_early() -> None:
    """Behind a command it is answered what was before it."""

    def first_to_end(self: Any) -> Any:
        earlier = self.table.alias(f"earlier_{self.source.name}")
        of_row = self._same(earlier, self.table)
        sooner = exists().where(*of_row, earlier.c.valid_to >= MOMENT, earlier.c.valid_to < self.table.c.valid_to)
        return self.table.c.valid_to >= MOMENT, ~sooner.correlate(self.table)

    _replace(Former, "_first_to_end", property(first_to_end))


def _nothing_kept() -> None:
    _replace(Former, "keep", lambda *_, **__: None)


def _journal_unread() -> None:
    """What rows are is read from the journal, and not what they were."""

    def say(self: Any, table: str, at: str, subject: str, number: int = 0, **changes: Any) -> None:
        self.now[table].setdefault((subject, number), {}).update(changes)

    _replace(former_journal.Reading, "say", say)


def _journal_believed() -> None:
    original = former_journal.read_former_rows

    def read(connection: Any) -> None:
        original(connection)
        connection.execute(delete(history_beginnings))

    _replace(former_journal, "read_former_rows", read)


def _past_for_all() -> None:
    for row in ENTITIES.values():
        seen = row.visible
        object.__setattr__(row, "visible", lambda sight, seen=seen: seen(sight) if sight.moment is None else true())


def _public_since_ever() -> None:
    _replace(Sight, "shown", lambda self, public: public)


def _rights_of_then() -> None:
    """Who was a member once is asked as one."""
    ever = defaultdict[str, set[str]](set)

    def once(connection: Any, account_id: str) -> list[str]:
        ever[account_id].update(belonging(connection, account_id))
        return sorted(ever[account_id])

    _replace(asking, "belonging", once)


# --- rollback


def _past_the_rules() -> None:
    """A rollback writes states itself, and no ordinary command judges."""
    original = RollBack._done

    def done(
        self: RollBack, transaction: Transaction, named: Any, now: Any, order: Any, prepared: Any
    ) -> dict[str, Any]:
        connection, then = transaction.connection, {"state": order.payload.get("state")}
        if named.kind == "api-version":
            row, number = apis.existing(connection, named.about), version_number(named.part)
            connection.execute(
                api_versions.update()
                .where(api_versions.c.api_id == row.id, api_versions.c.number == number)
                .values(then)
            )
        elif named.kind == "command-version":
            subject = command_subjects.existing(connection, named.about)
            connection.execute(
                command_versions.update()
                .where(command_versions.c.command_id == subject.id, command_versions.c.version == int(named.part))
                .values(then)
            )
        else:
            return original(self, transaction, named, now, order, prepared)
        return {"command": order.command}

    _replace(RollBack, "_done", done)


def _anybody_rolls_back() -> None:
    _replace(RollBack, "authorise", lambda *_: None)


def _anybody_looks_back() -> None:
    _replace(former, "require", lambda *_: None)
    _anybody_rolls_back()


# --- commands that are done later


@dataclass
class _Unguarded:
    """A handler that asks for no authority."""

    handler: Handler

    def authorise(self, connection: Any, actor: Any, payload: Any) -> None:
        """Everybody may."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handler, name)


def _unasked_is_unguarded() -> None:
    """What is done unasked at the first attempt is done for everybody."""
    original = Bus._commit

    def commit(self: Bus, connection: Any, handler: Any, *given: Any, new: bool) -> Any:
        return original(self, connection, _Unguarded(handler) if new else handler, *given, new=new)

    _replace(Bus, "_commit", commit)


_PAST_THE_RULES = Mutant("past-the-rules", "a rollback sets states that no command may set", _past_the_rules)
#: Enforced clause to its mutants.
PAST_MUTANTS: dict[str, list[Mutant]] = {
    "ALG-25": [
        Mutant("past-for-all", "what is private is found by queries of the past", _past_for_all),
        Mutant("public-since-ever", "what is public now is shown as it was while it was private", _public_since_ever),
    ],
    "ALG-26": [
        Mutant("rights-of-then", "who was a member is told of the past as one", _rights_of_then),
        Mutant("anybody-rolls-back", "rollback asks for no authority", _anybody_rolls_back),
        Mutant("anybody-looks-back", "who is no member is told of former settings", _anybody_looks_back),
        Mutant("unasked-is-unguarded", "first attempts of queued commands ask for no authority", _unasked_is_unguarded),
    ],
    "PDB-04": [_PAST_THE_RULES],
    "PDB-11": [
        Mutant("past-is-now", "a moment of the past is answered with the states of now", _past_is_now),
        Mutant("one-too-early", "a moment is answered with what was before it", _one_too_early),
        Mutant("nothing-kept", "what is changed in place is not kept", _nothing_kept),
        Mutant("journal-unread", "an upgrade does not read from the journal what was", _journal_unread),
        Mutant("journal-believed", "what the journal cannot tell is answered as if it could", _journal_believed),
        _PAST_THE_RULES,
    ],
    "PDB-31": [_PAST_THE_RULES],
    "PDB-40": [_PAST_THE_RULES],
}
