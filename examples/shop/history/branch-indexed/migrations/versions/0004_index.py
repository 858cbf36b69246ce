"""Items are found by their order."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("items_of_order", "items", ["order_id"])
