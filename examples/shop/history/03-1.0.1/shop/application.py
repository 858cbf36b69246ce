"""The shop as a WSGI application: GET and POST /orders."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import make_server

import sqlalchemy as sa

from shop.tables import orders

engine = sa.create_engine(os.environ.get("DATABASE_URL", "sqlite:///shop.sqlite"))


def application(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers one request."""
    if environment["PATH_INFO"] != "/orders":
        start_response("404 Not Found", [("Content-Type", "application/json")])
        return [b'{"error": "there is nothing"}']
    status, body = ("201 Created", made(environment)) if environment["REQUEST_METHOD"] == "POST" else ("200 OK", listed())
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]


def listed() -> list[dict[str, Any]]:
    """All orders, newest first."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(orders.c.id, orders.c.customer).order_by(orders.c.id.desc()))
        return [dict(row._mapping) for row in rows]


def made(environment: dict[str, Any]) -> dict[str, Any]:
    """The order that a request asks for."""
    given = json.loads(environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0)) or b"{}")
    with engine.begin() as connection:
        identity = connection.execute(orders.insert().values(customer=given["customer"])).inserted_primary_key
    return {"id": identity[0] if identity else 0, "customer": given["customer"]}


if __name__ == "__main__":
    make_server("127.0.0.1", 8000, application).serve_forever()
