"""Commands with wire formats, their versions, and the queue."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'


def _long():
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('command_subjects',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('owner_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=63), nullable=False),
    sa.Column('folded', sa.String(length=63), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.Column('flow', sa.String(length=16), nullable=False),
    sa.Column('created_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['accounts.id'], name=op.f('fk_command_subjects_owner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_command_subjects')),
    sa.UniqueConstraint('owner_id', 'folded', name=op.f('uq_command_subjects_owner_id_folded'))
    )
    op.create_table('queued_commands',
    sa.Column('position', _long(), nullable=False),
    sa.Column('actor_id', sa.String(length=36), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('command', sa.String(length=127), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('serialisation', sa.String(length=64), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('ordered_key', sa.String(length=64), nullable=True),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.String(length=27), nullable=False),
    sa.Column('accepted_at', sa.String(length=27), nullable=False),
    sa.Column('lease', sa.String(length=36), nullable=True),
    sa.Column('finished_at', sa.String(length=27), nullable=True),
    sa.Column('seconds', sa.Float(precision=53), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['actor_id'], ['accounts.id'], name=op.f('fk_queued_commands_actor_id')),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_queued_commands')),
    sa.UniqueConstraint('actor_id', 'uuid', name=op.f('uq_queued_commands_actor_id_uuid'))
    )
    op.create_index('ix_queued_commands_finished', 'queued_commands', ['state', 'finished_at'], unique=False)
    op.create_index('ix_queued_commands_next', 'queued_commands', ['state', 'priority', 'position'], unique=False)
    op.create_index('ix_queued_commands_order', 'queued_commands', ['command', 'ordered_key', 'position'], unique=False)
    op.create_table('command_versions',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('command_id', sa.String(length=36), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('schema', sa.Text(), nullable=False),
    sa.Column('serialisation', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('release', sa.String(length=128), nullable=False),
    sa.Column('deprecated_in', sa.String(length=128), nullable=True),
    sa.Column('retired_in', sa.String(length=128), nullable=True),
    sa.Column('ordered_by', sa.Text(), nullable=True),
    sa.Column('handler', sa.String(length=200), nullable=False),
    sa.Column('handler_by', sa.String(length=36), nullable=False),
    sa.Column('handler_scope', sa.Text(), nullable=False),
    sa.Column('up_conversion', sa.Text(), nullable=True),
    sa.Column('golden', sa.Text(), nullable=False),
    sa.Column('proof', sa.Text(), nullable=False),
    sa.Column('published_by', sa.String(length=36), nullable=False),
    sa.Column('published_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['command_id'], ['command_subjects.id'], name=op.f('fk_command_versions_command_id')),
    sa.ForeignKeyConstraint(['handler_by'], ['accounts.id'], name=op.f('fk_command_versions_handler_by')),
    sa.ForeignKeyConstraint(['published_by'], ['accounts.id'], name=op.f('fk_command_versions_published_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_command_versions')),
    sa.UniqueConstraint('command_id', 'version', name=op.f('uq_command_versions_command_id_version'))
    )


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
