"""The state of an order, which those that are there already have too."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("state", sa.String(8), nullable=True))
    op.execute("UPDATE orders SET state = 'sent'")
    with op.batch_alter_table("orders") as orders:
        orders.alter_column("state", existing_type=sa.String(8), nullable=False, server_default="new")
