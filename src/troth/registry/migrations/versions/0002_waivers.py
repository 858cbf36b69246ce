"""Waivers, and how examples were answered on each version of the worker."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('waivers',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('algorithm_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('hash', sa.String(length=40), nullable=False),
    sa.Column('clauses', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('requested_by', sa.String(length=36), nullable=False),
    sa.Column('requested_at', sa.String(length=27), nullable=False),
    sa.Column('expires_at', sa.String(length=27), nullable=False),
    sa.Column('approved_by', sa.String(length=36), nullable=True),
    sa.Column('approved_at', sa.String(length=27), nullable=True),
    sa.Column('signed', sa.Text(), nullable=True),
    sa.Column('revoked_by', sa.String(length=36), nullable=True),
    sa.Column('revoked_at', sa.String(length=27), nullable=True),
    sa.Column('revocation', sa.Text(), nullable=True),
    sa.Column('used_at', sa.String(length=27), nullable=True),
    sa.ForeignKeyConstraint(['algorithm_id'], ['algorithms.id'], name=op.f('fk_waivers_algorithm_id')),
    sa.ForeignKeyConstraint(['approved_by'], ['accounts.id'], name=op.f('fk_waivers_approved_by')),
    sa.ForeignKeyConstraint(['requested_by'], ['accounts.id'], name=op.f('fk_waivers_requested_by')),
    sa.ForeignKeyConstraint(['revoked_by'], ['accounts.id'], name=op.f('fk_waivers_revoked_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_waivers'))
    )
    op.create_index(op.f('ix_waivers_algorithm_id'), 'waivers', ['algorithm_id'], unique=False)
    op.create_table('worker_replays',
    sa.Column('version_id', sa.String(length=36), nullable=False),
    sa.Column('worker', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('faults', sa.Text(), nullable=False),
    sa.Column('replayed_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name=op.f('fk_worker_replays_version_id')),
    sa.PrimaryKeyConstraint('version_id', 'worker', name=op.f('pk_worker_replays'))
    )


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
