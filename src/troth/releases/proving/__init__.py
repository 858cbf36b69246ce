"""Migrations run for a proof: from each supported release, on a database that is filled, by the project's own means."""
