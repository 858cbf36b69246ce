"""A small shop: orders over HTTP, kept in a database."""
