"""Deletions of algorithms, failed calls, and places where others keep repositories."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('deletions',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('algorithm_id', sa.String(length=36), nullable=False),
    sa.Column('deleted_by', sa.String(length=36), nullable=False),
    sa.Column('valid_from', sa.String(length=27), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=True),
    sa.ForeignKeyConstraint(['algorithm_id'], ['algorithms.id'], name=op.f('fk_deletions_algorithm_id')),
    sa.ForeignKeyConstraint(['deleted_by'], ['accounts.id'], name=op.f('fk_deletions_deleted_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deletions'))
    )
    op.create_index('ix_deletions_algorithm', 'deletions', ['algorithm_id', 'valid_to'], unique=False)
    op.create_table('failures',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('request', sa.String(length=64), nullable=False),
    sa.Column('caller', sa.String(length=63), nullable=False),
    sa.Column('owner', sa.String(length=63), nullable=False),
    sa.Column('name', sa.String(length=63), nullable=False),
    sa.Column('version', sa.String(length=40), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('error_type', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_failures'))
    )
    op.create_index('ix_failures_algorithm', 'failures', ['owner', 'name', 'position'], unique=False)
    op.create_index('ix_failures_caller', 'failures', ['caller', 'position'], unique=False)
    op.create_table('scms',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('provider', sa.String(length=40), nullable=False),
    sa.Column('base', sa.Text(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('preferred', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.String(length=27), nullable=False),
    sa.Column('valid_to', sa.String(length=27), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scms'))
    )
    op.create_table('origins',
    sa.Column('algorithm_id', sa.String(length=36), nullable=False),
    sa.Column('scm_id', sa.String(length=36), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('linked_by', sa.String(length=36), nullable=False),
    sa.ForeignKeyConstraint(['algorithm_id'], ['algorithms.id'], name=op.f('fk_origins_algorithm_id')),
    sa.ForeignKeyConstraint(['linked_by'], ['accounts.id'], name=op.f('fk_origins_linked_by')),
    sa.ForeignKeyConstraint(['scm_id'], ['scms.id'], name=op.f('fk_origins_scm_id')),
    sa.PrimaryKeyConstraint('algorithm_id', name=op.f('pk_origins'))
    )
    op.create_index(op.f('ix_origins_scm_id'), 'origins', ['scm_id'], unique=False)
