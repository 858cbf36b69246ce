"""The promises of commands with wire formats: their numbers, their states, and what a new version may be (PDB-40 to PDB-47)."""
