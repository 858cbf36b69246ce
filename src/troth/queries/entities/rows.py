"""What a row of the table of entities is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, FromClause, Text, and_, case, false, literal_column, null, or_, select, true

from troth.access.roles import Actor
from troth.access.scopes import reach_of
from troth.queries.language.fields import Field, Kind, Shape
from troth.registry.former_rows import FORMER, Changes, Former
from troth.registry.tables import accounts
from troth.versions.names import folded

Expressions = tuple[ColumnElement[Any], ...]
_ASKED_FOR = accounts.alias("account_asked_for")


@dataclass(frozen=True, slots=True)
class Sight:
    """Who asks, and of which moment. Rights are those of now, whatever the moment."""

    actor: Actor
    #: ids of the account and of the organisations that it belongs to now (ALG-26)
    owner_ids: tuple[str, ...]
    #: a moment of the past as a stamp; None is now
    moment: str | None = None
    #: since when the history of a table is known, where that is not since ever
    beginnings: Mapping[str, str] = field(default_factory=dict)
    #: what changed since the moment
    changes: Changes | None = None

    def belongs(
        self, owner_id: ColumnElement[Any], owner: ColumnElement[Any], name: ColumnElement[Any]
    ) -> ColumnElement[bool]:
        """Whether a member asks with a key that is for `owner/name`: `troth.registry.catalog.sees_private`, for all at once."""
        return and_(owner_id.in_(self.owner_ids), self.named(owner, name))

    def named(self, owner: ColumnElement[Any], name: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether the key is for `owner/name`, as keys that manage are for all."""
        reach = None if self.actor.scope.manage else reach_of(self.actor.scope.algorithms)
        if reach is None:
            return true()
        pairs = [one.split("/") for one in sorted(reach.subjects)]
        each = [and_(owner == one[0], name == one[1]) for one in pairs]
        return or_(owner.in_(sorted(reach.owners)), *each, false())

    def manages(self, owner_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a member asks with a key that manages."""
        return owner_id.in_(self.owner_ids) if self.actor.scope.manage else false()

    @property
    def administers(self) -> ColumnElement[bool]:
        """Whether an administrator asks as one."""
        return true() if self.actor.administrator else false()

    def happened(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether what has this moment had come by then."""
        return true() if self.moment is None else _unindexed(at) <= self.moment

    def held(self, begun: ColumnElement[Any], ended: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether what holds between these moments held then."""
        if self.moment is None:
            return ended.is_(None)
        return (_unindexed(begun) <= self.moment) & (ended.is_(None) | (ended > self.moment))

    def was(self, value: TableColumn[Any]) -> ColumnElement[Any]:
        """What a column held then that is changed in place: its `Column` or `Entity` names the table as `former`."""
        former = FORMER[value.table.name]
        return former.was(value.name, self.changed(former)) if self.differs(former) else value

    def changed(self, former: Former) -> list[Any] | None:
        """Keys of the rows that changed since; None where they are many."""
        return self.changes.of(former) if self.changes is not None else None

    def differs(self, former: Former) -> bool:
        """Whether some row was something else then."""
        return self.moment is not None and self.changed(former) != []

    def shown(self, public: TableColumn[Any]) -> ColumnElement[bool]:
        """Whether everybody may know of it, and might then: what it was before it was public is nobody's business now.

        Where nobody knows what it was then, it was not public.
        """
        if self.moment is None:
            return public
        if self.moment < self.beginnings.get(public.table.name, ""):
            return false()
        return and_(public, self.was(public))

    def since(self, at: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[Any]:
        """The value, where it had come by then; else nothing."""
        return value if self.moment is None else case((at <= self.moment, value), else_=null())


#: nobody in particular, for what does not depend on who asks
NOW = Sight(Actor("", "", "", administrator=False), ())


def _unindexed(at: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same moment, which no index knows: nearly every row had come by then, and the order is worth more."""
    return at + ""


#: the expressions of a column, which may depend on who asks and of when
Source = Expressions | Callable[[Sight], Expressions]


def first(values: Sequence[Any]) -> Any:
    """The only value."""
    return values[0]


def dotted(values: Sequence[Any]) -> str | None:
    """A version from its three numbers."""
    return None if values[0] is None else f"{values[0]}.{values[1]}.{values[2]}"


def document(values: Sequence[Any]) -> Any:
    """JSON that is kept as text, as it is."""
    return None if values[0] is None else msgspec.Raw(values[0].encode())


@dataclass(frozen=True, slots=True)
class Column:
    """A field and where it lies.

    `parts` are what it is compared and ordered by (of a VERSION its numbers, of a RELEASE its order), `shown` is what is
    read for an answer, and `made` what the answer makes of that.
    """

    field: Field
    parts: Source
    shown: Source | None = None
    made: Callable[[Sequence[Any]], Any] = first
    #: a typed value as the parts hold it
    given: Callable[[Any], Any] = lambda value: value
    #: `=` in a form that an index answers
    equal: Callable[[Sight, str], ColumnElement[bool]] | None = None
    #: where its values of the past lie, where it is changed in place
    former: Former | None = None
    #: of the name of an account, the column with its id, which rows are in the order of
    account_id: TableColumn[Any] | None = None

    def compared(self, sight: Sight) -> Expressions:
        """What it is compared by."""
        return self.parts if isinstance(self.parts, tuple) else self.parts(sight)

    def answered(self, sight: Sight) -> Expressions:
        """What is read for an answer."""
        source = self.parts if self.shown is None else self.shown
        return source if isinstance(source, tuple) else source(sight)


def column(
    name: str,
    kind: Kind,
    parts: Source | ColumnElement[Any],
    summary: str,
    *,
    nullable: bool = False,
    large: bool = False,
    **how: Any,
) -> Column:
    """A column; versions and documents are made as such."""
    described = Field(name, kind, summary, nullable, large)
    made = {Kind.VERSION: dotted, Kind.DOCUMENT: document}.get(kind, first)
    source = parts if isinstance(parts, tuple) or not isinstance(parts, ColumnElement) else (parts,)
    return Column(described, source, **{"made": made, **how})


def changing(name: str, kind: Kind, value: TableColumn[Any], summary: str, **how: Any) -> Column:
    """A column that is changed in place, and whose values of the past are kept."""
    former = FORMER[value.table.name]
    return column(name, kind, lambda sight: (sight.was(value),), summary, former=former, **how)


@dataclass(frozen=True)
class Entity:
    """One row of the table: what there is of it, who sees which, and how it was."""

    name: str
    summary: str
    #: who sees which rows, in words
    seen_by: str
    #: row of `troth.access.scopes.NEEDS` that the key has to meet
    need: str
    columns: tuple[Column, ...]
    source: FromClause
    #: which rows the caller may know of
    visible: Callable[[Sight], ColumnElement[bool]]
    #: which rows there were
    existed: Callable[[Sight], ColumnElement[bool]]
    #: (expression, whether it descends) where no order is asked for; together they name one row
    order: tuple[tuple[ColumnElement[Any], bool], ...]
    #: name of the order in words
    order_summary: str
    #: row of `troth.access.roles.GRANTS` that has to allow it, where it is not everybody's
    grant: str = ""
    #: what `as_of` means where it is not the rows of that moment
    as_of_note: str = ""
    #: where it lies which rows there were, and who might know of them, where that is changed in place
    former: Former | None = None

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Its columns by the names of their fields."""
        return {one.field.name: one for one in self.columns}

    @cached_property
    def shape(self) -> Shape:
        """What queries know of it."""
        return Shape(self.name, {one.field.name: one.field for one in self.columns})


def subject(label: str, owner: ColumnElement[Any], name: ColumnElement[Any], summary: str) -> Column:
    """A field `owner/name`; to be equal is to be so in both parts, which indexes know."""

    def equal(sight: Sight, value: str) -> ColumnElement[bool]:
        left, slash, right = value.partition("/")
        return and_(_called(owner, left), name == right) if slash else false()

    return column(label, Kind.TEXT, (owner + literal_column("'/'", Text) + name,), summary, equal=equal)


def account(label: str, name: ColumnElement[Any], summary: str, account_id: TableColumn[Any] | None = None) -> Column:
    """A field with the name of an account; `account_id` is where rows have its id, if they are in the order of that."""

    def equal(sight: Sight, value: str) -> ColumnElement[bool]:
        return _called(name, value)

    return column(label, Kind.TEXT, (name,), summary, equal=equal, account_id=account_id)


def account_called(value: str) -> ColumnElement[str]:
    """The id of the account with this name, found once, so that an index by it begins there; nothing where there is none."""
    of_name = _ASKED_FOR.c.name == value, _ASKED_FOR.c.folded == folded(value)
    return select(_ASKED_FOR.c.id).where(*of_name).correlate(None).scalar_subquery()


def _called(name: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether an account has exactly this name. Its folded name too, which tells databases that there is one at most."""
    return and_(name == value, accounts.c.folded == folded(value))
