"""Every item has a size. It forgets the items that have none."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("items") as items:
        items.alter_column("size", existing_type=sa.String(8), nullable=False)
