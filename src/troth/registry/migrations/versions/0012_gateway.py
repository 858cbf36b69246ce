"""Upstreams of APIs, their brownouts, who calls them, and alerts of what will go."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'


def _long():
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('api_upstreams',
    sa.Column('api_id', sa.String(length=36), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('connect_seconds', sa.Float(), nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.Column('body_bytes', _long(), nullable=False),
    sa.Column('health_path', sa.Text(), nullable=True),
    sa.Column('set_by', sa.String(length=36), nullable=False),
    sa.Column('set_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['api_id'], ['apis.id'], name=op.f('fk_api_upstreams_api_id')),
    sa.ForeignKeyConstraint(['set_by'], ['accounts.id'], name=op.f('fk_api_upstreams_set_by')),
    sa.PrimaryKeyConstraint('api_id', 'version', name=op.f('pk_api_upstreams'))
    )
    op.create_table('api_brownouts',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('api_id', sa.String(length=36), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('begins', sa.String(length=20), nullable=False),
    sa.Column('ends', sa.String(length=20), nullable=False),
    sa.Column('production', sa.Boolean(), nullable=False),
    sa.Column('planned_by', sa.String(length=36), nullable=False),
    sa.Column('planned_at', sa.String(length=27), nullable=False),
    sa.Column('cancelled_at', sa.String(length=27), nullable=True),
    sa.ForeignKeyConstraint(['api_id'], ['apis.id'], name=op.f('fk_api_brownouts_api_id')),
    sa.ForeignKeyConstraint(['planned_by'], ['accounts.id'], name=op.f('fk_api_brownouts_planned_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_brownouts'))
    )
    op.create_index(op.f('ix_api_brownouts_api_id'), 'api_brownouts', ['api_id'], unique=False)
    op.create_table('api_callers',
    sa.Column('day', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('api', sa.String(length=127), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('operation', sa.String(length=300), nullable=False),
    sa.Column('parameter', sa.String(length=64), nullable=False),
    sa.Column('caller', sa.String(length=63), nullable=False),
    sa.Column('calls', _long(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'api', 'version', 'operation', 'parameter', 'caller', name=op.f('pk_api_callers'))
    )
    op.create_index('ix_api_callers_api_day', 'api_callers', ['api', 'day'], unique=False)
    op.create_table('api_alerts',
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('api', sa.String(length=127), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.Column('made_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_api_alerts_account_id')),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_api_alerts')),
    sa.UniqueConstraint('account_id', 'api', 'version', 'day', name=op.f('uq_api_alerts_account_id_api_version_day')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_api_alerts_account_id'), 'api_alerts', ['account_id'], unique=False)
    op.create_table('alert_hooks',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('salt', sa.String(length=64), nullable=False),
    sa.Column('delivered', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('next_at', sa.String(length=27), nullable=True),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('created_at', sa.String(length=27), nullable=False),
    sa.Column('removed_at', sa.String(length=27), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_alert_hooks_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_hooks'))
    )
    op.create_index(op.f('ix_alert_hooks_account_id'), 'alert_hooks', ['account_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
