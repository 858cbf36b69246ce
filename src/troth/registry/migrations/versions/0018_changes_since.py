"""Indexes by which it is found what changed since a moment."""

from alembic import op

revision = '0018'
down_revision = '0017'

_TABLES = ('account_details', 'algorithms', 'api_versions', 'apis', 'builds', 'command_subjects', 'command_versions', 'products',
           'queued_commands')  # fmt: skip


def upgrade() -> None:
    for name in _TABLES:
        op.create_index(f'ix_former_{name}_valid_to', f'former_{name}', ['valid_to'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
