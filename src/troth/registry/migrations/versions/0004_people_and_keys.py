"""What keys are for, when they were used, and what is known of people."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('key_scopes',
    sa.Column('key_id', sa.String(length=36), nullable=False),
    sa.Column('prefix', sa.String(length=8), nullable=False),
    sa.Column('algorithms', sa.Text(), nullable=False),
    sa.Column('data', sa.String(length=8), nullable=False),
    sa.Column('manage', sa.Boolean(), nullable=False),
    sa.Column('administrator', sa.Boolean(), nullable=False),
    sa.Column('production', sa.Boolean(), nullable=False),
    sa.Column('origin', sa.String(length=253), nullable=False),
    sa.Column('expires_at', sa.String(length=27), nullable=True),
    sa.Column('replaces', sa.String(length=36), nullable=True),
    sa.ForeignKeyConstraint(['key_id'], ['keys.id'], name=op.f('fk_key_scopes_key_id')),
    sa.ForeignKeyConstraint(['replaces'], ['keys.id'], name=op.f('fk_key_scopes_replaces')),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_key_scopes')),
    sa.UniqueConstraint('replaces', name=op.f('uq_key_scopes_replaces'))
    )
    op.create_table('key_uses',
    sa.Column('key_id', sa.String(length=36), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_key_uses'))
    )
    op.create_table('floating_calls',
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('reference', sa.String(length=200), nullable=False),
    sa.Column('key_id', sa.String(length=36), nullable=False),
    sa.Column('calls', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'reference', 'key_id', name=op.f('pk_floating_calls'))
    )
    op.create_table('account_details',
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('external_id', sa.String(length=200), nullable=True),
    sa.Column('deleted_at', sa.String(length=27), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_account_details_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_account_details'))
    )
    op.create_index(op.f('ix_account_details_external_id'), 'account_details', ['external_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
