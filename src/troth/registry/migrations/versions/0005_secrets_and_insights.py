"""Secrets of algorithms, and figures that they report."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('secrets',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('owner_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.String(length=27), nullable=False),
    sa.Column('modified_at', sa.String(length=27), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_secrets')),
    sa.UniqueConstraint('owner_id', 'name', name=op.f('uq_secrets_owner_id_name'))
    )
    op.create_table('insights',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('request', sa.String(length=64), nullable=False),
    sa.Column('owner', sa.String(length=63), nullable=False),
    sa.Column('name', sa.String(length=63), nullable=False),
    sa.Column('version', sa.String(length=40), nullable=False),
    sa.Column('key', sa.String(length=100), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_insights'))
    )
    op.create_index('ix_insights_owner', 'insights', ['owner', 'name', 'at'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
