"""Waivers of any kind of subject."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'

_SUBJECT = """
    UPDATE waivers SET kind = 'algorithm', subject_id = algorithm_id,
    owner_id = (SELECT owner_id FROM algorithms WHERE algorithms.id = waivers.algorithm_id),
    subject = (SELECT accounts.name || '/' || algorithms.name FROM algorithms
               JOIN accounts ON accounts.id = algorithms.owner_id WHERE algorithms.id = waivers.algorithm_id)
"""


def upgrade() -> None:
    with op.batch_alter_table('waivers') as batch:
        batch.add_column(sa.Column('kind', sa.String(length=16), nullable=True))
        batch.add_column(sa.Column('subject_id', sa.String(length=36), nullable=True))
        batch.add_column(sa.Column('subject', sa.String(length=130), nullable=True))
        batch.add_column(sa.Column('owner_id', sa.String(length=36), nullable=True))
    op.execute(_SUBJECT)
    with op.batch_alter_table('waivers') as batch:
        batch.drop_index(op.f('ix_waivers_algorithm_id'))
        batch.drop_constraint(op.f('fk_waivers_algorithm_id'), type_='foreignkey')
        batch.drop_column('algorithm_id')
        batch.alter_column('kind', existing_type=sa.String(length=16), nullable=False)
        batch.alter_column('subject_id', existing_type=sa.String(length=36), nullable=False)
        batch.alter_column('subject', existing_type=sa.String(length=130), nullable=False)
        batch.alter_column('owner_id', existing_type=sa.String(length=36), nullable=False)
        batch.alter_column('number', existing_type=sa.String(length=40), type_=sa.String(length=128))
        batch.alter_column('hash', existing_type=sa.String(length=40), type_=sa.String(length=64))
        batch.create_foreign_key(op.f('fk_waivers_owner_id'), 'accounts', ['owner_id'], ['id'])
        batch.create_index(op.f('ix_waivers_subject_id'), ['subject_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
