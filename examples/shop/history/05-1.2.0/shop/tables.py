"""The tables of the shop."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer", sa.String(80), nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("state", sa.String(8), nullable=False, server_default="new"),
)

items = sa.Table(
    "items",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("order_id", sa.Integer, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("price", sa.Numeric(10, 2), nullable=False),
    sa.Column("size", sa.String(8)),
)
