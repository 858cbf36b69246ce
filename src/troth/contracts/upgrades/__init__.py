"""One plan for an upgrade over several releases, instead of their notes one by one (PLX-04b)."""
