"""What programs that speak an HTTP API rely on, read from its OpenAPI document, and whether a newer one keeps it."""
