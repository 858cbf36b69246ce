"""APIs: their versions, the moves between states, and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "apis",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("folded", sa.String(length=63), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=True),
        sa.Column("starting_point", sa.Integer(), nullable=True),
        sa.Column("documentation", sa.String(length=2000), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("newest", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_apis_owner_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_apis_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apis")),
        sa.UniqueConstraint("owner_id", "folded", name=op.f("uq_apis_owner_id_folded")),
    )
    op.create_index(op.f("ix_apis_product_id"), "apis", ["product_id"], unique=False)
    op.create_table(
        "api_versions",
        sa.Column("api_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", sa.String(length=128), nullable=True),
        sa.Column("deprecated_at", sa.String(length=27), nullable=True),
        sa.Column("extended", sa.String(length=128), nullable=True),
        sa.Column("sunset", sa.String(length=20), nullable=True),
        sa.Column("dropped_in", sa.String(length=128), nullable=True),
        sa.Column("contract", sa.Text(), nullable=True),
        sa.Column("contract_digest", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["api_id"], ["apis.id"], name=op.f("fk_api_versions_api_id")),
        sa.PrimaryKeyConstraint("api_id", "number", name=op.f("pk_api_versions")),
    )
    op.create_table(
        "api_moves",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("api_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("move", sa.String(length=16), nullable=False),
        sa.Column("release", sa.String(length=128), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("policy_revision", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("moved_by", sa.String(length=36), nullable=False),
        sa.Column("moved_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["api_id"], ["apis.id"], name=op.f("fk_api_moves_api_id")),
        sa.ForeignKeyConstraint(["moved_by"], ["accounts.id"], name=op.f("fk_api_moves_moved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_moves")),
        sa.UniqueConstraint("api_id", "position", name=op.f("uq_api_moves_api_id_position")),
    )
    op.create_table(
        "api_decisions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("api_id", sa.String(length=36), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("policy_revision", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(length=36), nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["api_id"], ["apis.id"], name=op.f("fk_api_decisions_api_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["accounts.id"], name=op.f("fk_api_decisions_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_decisions")),
    )
    op.create_index(op.f("ix_api_decisions_api_id"), "api_decisions", ["api_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("a registry is not taken back to an older release; restore a backup")
