"""The files that releases rest on, and what waits for a release."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0008'


def _long():
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('release_evidence',
    sa.Column('release_id', sa.String(length=36), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('bytes', _long(), nullable=False),
    sa.ForeignKeyConstraint(['release_id'], ['releases.id'], name=op.f('fk_release_evidence_release_id')),
    sa.PrimaryKeyConstraint('release_id', 'digest', name=op.f('pk_release_evidence'))
    )
    op.create_index(op.f('ix_release_evidence_digest'), 'release_evidence', ['digest'], unique=False)
    op.create_table('release_uploads',
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('bytes', _long(), nullable=False),
    sa.Column('uploaded_at', sa.String(length=27), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_release_uploads_account_id')),
    sa.PrimaryKeyConstraint('account_id', 'digest', name=op.f('pk_release_uploads'))
    )
    op.create_index(op.f('ix_release_uploads_digest'), 'release_uploads', ['digest'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
