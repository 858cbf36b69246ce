"""Products, their releases, those that are planned, and calendars."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def _long():
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    _calendars()
    _products()
    _planned_releases()
    _releases()
    _release_artifacts()


def _calendars() -> None:
    op.create_table('calendars',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.String(length=27), nullable=False),
    sa.Column('revoked_at', sa.String(length=27), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_calendars_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendars')),
    sa.UniqueConstraint('digest', name=op.f('uq_calendars_digest'))
    )
    op.create_index(op.f('ix_calendars_account_id'), 'calendars', ['account_id'], unique=False)


def _products() -> None:
    op.create_table('products',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('owner_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=63), nullable=False),
    sa.Column('folded', sa.String(length=63), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['accounts.id'], name=op.f('fk_products_owner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_products')),
    sa.UniqueConstraint('owner_id', 'folded', name=op.f('uq_products_owner_id_folded'))
    )


def _planned_releases() -> None:
    op.create_table('planned_releases',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('product_id', sa.String(length=36), nullable=False),
    sa.Column('due', sa.String(length=10), nullable=False),
    sa.Column('number', sa.String(length=128), nullable=True),
    sa.Column('occasion', sa.String(length=16), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('planned_by', sa.String(length=36), nullable=False),
    sa.Column('planned_at', sa.String(length=27), nullable=False),
    sa.Column('cancelled_at', sa.String(length=27), nullable=True),
    sa.Column('released', sa.String(length=128), nullable=True),
    sa.ForeignKeyConstraint(['planned_by'], ['accounts.id'], name=op.f('fk_planned_releases_planned_by')),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_planned_releases_product_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_planned_releases'))
    )
    op.create_index(op.f('ix_planned_releases_product_id'), 'planned_releases', ['product_id'], unique=False)


def _releases() -> None:
    op.create_table('releases',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('product_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.String(length=128), nullable=False),
    sa.Column('precedence', sa.String(length=128), nullable=False),
    sa.Column('prerelease', sa.Boolean(), nullable=False),
    sa.Column('former', sa.String(length=128), nullable=True),
    sa.Column('commit', sa.String(length=64), nullable=False),
    sa.Column('tag', sa.String(length=255), nullable=False),
    sa.Column('occasion', sa.String(length=16), nullable=False),
    sa.Column('policy_revision', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('evidence_digest', sa.String(length=64), nullable=False),
    sa.Column('docs_digest', sa.String(length=64), nullable=True),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.Column('migrations', sa.Text(), nullable=False),
    sa.Column('settings', sa.Text(), nullable=False),
    sa.Column('cut_by', sa.String(length=36), nullable=False),
    sa.Column('cut_at', sa.String(length=27), nullable=False),
    sa.Column('stable_by', sa.String(length=36), nullable=True),
    sa.Column('stable_at', sa.String(length=27), nullable=True),
    sa.Column('yanked_by', sa.String(length=36), nullable=True),
    sa.Column('yanked_at', sa.String(length=27), nullable=True),
    sa.Column('yank_reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['cut_by'], ['accounts.id'], name=op.f('fk_releases_cut_by')),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], name=op.f('fk_releases_product_id')),
    sa.ForeignKeyConstraint(['stable_by'], ['accounts.id'], name=op.f('fk_releases_stable_by')),
    sa.ForeignKeyConstraint(['yanked_by'], ['accounts.id'], name=op.f('fk_releases_yanked_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_releases')),
    sa.UniqueConstraint('product_id', 'precedence', name=op.f('uq_releases_product_id_precedence'))
    )


def _release_artifacts() -> None:
    op.create_table('release_artifacts',
    sa.Column('release_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('bytes', _long(), nullable=False),
    sa.ForeignKeyConstraint(['release_id'], ['releases.id'], name=op.f('fk_release_artifacts_release_id')),
    sa.PrimaryKeyConstraint('release_id', 'name', name=op.f('pk_release_artifacts'))
    )
    op.create_index(op.f('ix_release_artifacts_digest'), 'release_artifacts', ['digest'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
