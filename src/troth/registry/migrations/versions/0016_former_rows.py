"""What rows were before they were changed in place, as far as the journal tells."""

import sqlalchemy as sa
from alembic import op

from troth.registry.former_journal import read_former_rows

revision = '0016'
down_revision = '0015'


def _long():
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    _algorithms_and_apis()
    _commands_and_products()
    read_former_rows(op.get_bind())


def _algorithms_and_apis() -> None:
    op.create_table('former_account_details',
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('external_id', sa.String(length=200), nullable=True),
    sa.PrimaryKeyConstraint('account_id', 'valid_to', name=op.f('pk_former_account_details'))
    )
    op.create_table('former_algorithms',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('settings', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', 'valid_to', name=op.f('pk_former_algorithms'))
    )
    op.create_table('former_api_versions',
    sa.Column('api_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('since', sa.String(length=128), nullable=True),
    sa.Column('deprecated_at', sa.String(length=27), nullable=True),
    sa.Column('extended', sa.String(length=128), nullable=True),
    sa.Column('sunset', sa.String(length=20), nullable=True),
    sa.Column('dropped_in', sa.String(length=128), nullable=True),
    sa.Column('contract_digest', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('api_id', 'number', 'valid_to', name=op.f('pk_former_api_versions'))
    )
    op.create_table('former_apis',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', 'valid_to', name=op.f('pk_former_apis'))
    )
    op.create_table('former_builds',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=True),
    sa.Column('environment', sa.String(length=64), nullable=True),
    sa.Column('log', sa.Text(), nullable=False),
    sa.Column('started_by', sa.String(length=36), nullable=False),
    sa.Column('started_at', sa.String(length=27), nullable=False),
    sa.Column('finished_at', sa.String(length=27), nullable=True),
    sa.PrimaryKeyConstraint('id', 'valid_to', name=op.f('pk_former_builds'))
    )


def _commands_and_products() -> None:
    op.create_table('former_command_subjects',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('flow', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', 'valid_to', name=op.f('pk_former_command_subjects'))
    )
    op.create_table('former_command_versions',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('deprecated_in', sa.String(length=128), nullable=True),
    sa.Column('retired_in', sa.String(length=128), nullable=True),
    sa.Column('handler', sa.String(length=200), nullable=False),
    sa.Column('schema', sa.Text(), nullable=False),
    sa.Column('serialisation', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', 'valid_to', name=op.f('pk_former_command_versions'))
    )
    op.create_table('former_products',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', 'valid_to', name=op.f('pk_former_products'))
    )
    op.create_table('former_queued_commands',
    sa.Column('position', _long(), autoincrement=False, nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('finished_at', sa.String(length=27), nullable=True),
    sa.Column('seconds', sa.Float(precision=53), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('position', 'valid_to', name=op.f('pk_former_queued_commands'))
    )
    op.create_table('history_beginnings',
    sa.Column('name', sa.String(length=63), nullable=False),
    sa.Column('valid_from', sa.String(length=27), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_history_beginnings'))
    )


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
