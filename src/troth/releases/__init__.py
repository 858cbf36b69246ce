"""Releases of products, judged in their own repository: what changed since the last one, and whether migrations run."""
