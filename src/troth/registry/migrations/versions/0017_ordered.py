"""An index in the order in which queries answer: that of bytes, which on PostgreSQL an index has with the collation "C" only."""

from alembic import op

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('CREATE INDEX ix_algorithms_ordered ON algorithms (owner_id COLLATE "C", folded COLLATE "C")')
    else:
        op.create_index('ix_algorithms_ordered', 'algorithms', ['owner_id', 'folded'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
