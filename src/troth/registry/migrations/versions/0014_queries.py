"""What queries look up: facts of journal entries, the order of releases, and indexes."""

import json

import sqlalchemy as sa
from alembic import op

from troth.registry.journal_facts import facts_of
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.ordering import order_key

revision = '0014'
down_revision = '0013'

_ROWS = 500


def upgrade() -> None:
    op.create_table('journal_facts',
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.String(length=27), nullable=False),
    sa.Column('actor', sa.String(length=63), nullable=False),
    sa.Column('actor_id', sa.String(length=36), nullable=False),
    sa.Column('command', sa.String(length=200), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('clauses', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['position'], ['journal.position'], name=op.f('fk_journal_facts_position')),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_journal_facts'))
    )
    op.create_index('ix_journal_facts_at', 'journal_facts', ['at'], unique=False)
    op.create_index('ix_journal_facts_subject', 'journal_facts', ['subject', 'position'], unique=False)
    op.create_index('ix_journal_facts_command', 'journal_facts', ['command', 'position'], unique=False)
    op.create_index('ix_journal_facts_actor', 'journal_facts', ['actor', 'position'], unique=False)
    op.create_index('ix_accounts_name', 'accounts', ['name'], unique=False)
    op.create_index('ix_algorithms_name', 'algorithms', ['name'], unique=False)
    op.create_index('ix_builds_hash', 'builds', ['hash'], unique=False)
    op.create_index('ix_builds_started_at', 'builds', ['started_at'], unique=False)
    op.create_index('ix_versions_build', 'versions', ['build_id'], unique=False)
    op.create_index('ix_versions_valid_from', 'versions', ['valid_from'], unique=False)
    op.create_index('ix_call_records_caller', 'call_records', ['caller', 'position'], unique=False)
    op.add_column('releases', sa.Column('order_key', sa.Text(), nullable=False, server_default=''))
    _order_releases()
    _read_journal()


def _order_releases() -> None:
    table = sa.table('releases', sa.column('id'), sa.column('number'), sa.column('order_key'))
    bind = op.get_bind()
    for identity, number in bind.execute(sa.select(table.c.id, table.c.number)).all():
        key = order_key(ReleaseNumber.parse(number))
        bind.execute(sa.update(table).where(table.c.id == identity).values(order_key=key))


def _read_journal() -> None:
    names = ('position', 'at', 'actor', 'actor_id', 'command', 'version', 'uuid', 'outcome', 'clauses', 'subject')
    facts = sa.table('journal_facts', *(sa.column(name) for name in names))
    journal = sa.table('journal', sa.column('position'), sa.column('entry', sa.LargeBinary()))
    bind, after = op.get_bind(), 0
    while True:
        page = sa.select(journal).where(journal.c.position > after).order_by(journal.c.position).limit(_ROWS)
        rows = bind.execute(page).all()
        if not rows:
            return
        if found := [told for row in rows if (told := _facts(row.position, row.entry))]:
            bind.execute(sa.insert(facts), found)
        after = rows[-1].position


def _facts(position, entry):
    """None for what no server wrote: verifying the journal tells of it, and the upgrade goes on."""
    try:
        return facts_of(position, json.loads(entry))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
