"""Notices of owners, and the states of major lines of algorithms."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.create_table('line_notices',
    sa.Column('algorithm_id', sa.String(length=36), nullable=False),
    sa.Column('days', sa.Integer(), nullable=True),
    sa.Column('quiet_days', sa.Integer(), nullable=False),
    sa.Column('set_by', sa.String(length=36), nullable=False),
    sa.Column('set_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['algorithm_id'], ['algorithms.id'], name=op.f('fk_line_notices_algorithm_id')),
    sa.ForeignKeyConstraint(['set_by'], ['accounts.id'], name=op.f('fk_line_notices_set_by')),
    sa.PrimaryKeyConstraint('algorithm_id', name=op.f('pk_line_notices'))
    )
    op.create_table('line_states',
    sa.Column('algorithm_id', sa.String(length=36), nullable=False),
    sa.Column('major', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('deprecated_at', sa.String(length=27), nullable=False),
    sa.Column('retires_after', sa.String(length=27), nullable=False),
    sa.Column('retired_at', sa.String(length=27), nullable=True),
    sa.Column('retired_by', sa.String(length=36), nullable=True),
    sa.Column('stopped', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['algorithm_id'], ['algorithms.id'], name=op.f('fk_line_states_algorithm_id')),
    sa.ForeignKeyConstraint(['retired_by'], ['accounts.id'], name=op.f('fk_line_states_retired_by')),
    sa.PrimaryKeyConstraint('algorithm_id', 'major', name=op.f('pk_line_states'))
    )


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
