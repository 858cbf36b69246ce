"""Collections and files of the data API."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0004'


def _long():
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('data_collections',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('owner_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('acl', sa.String(length=16), nullable=False),
    sa.Column('created_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['accounts.id'], name=op.f('fk_data_collections_owner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_collections')),
    sa.UniqueConstraint('owner_id', 'name', name=op.f('uq_data_collections_owner_id_name'))
    )
    op.create_table('data_files',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('collection_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('bytes', _long(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('modified_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['collection_id'], ['data_collections.id'], name=op.f('fk_data_files_collection_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_files')),
    sa.UniqueConstraint('collection_id', 'name', name=op.f('uq_data_files_collection_id_name'))
    )
    op.create_index('ix_data_files_digest', 'data_files', ['digest'], unique=False)
    op.create_table('data_accounts',
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('bytes', _long(), nullable=False),
    sa.Column('quota', _long(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_data_accounts_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_data_accounts'))
    )


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
