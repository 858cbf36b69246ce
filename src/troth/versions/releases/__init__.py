"""The promises of a product's numbers: which step a release has to take, and why (clauses PDB-05 to 09, 19, PLX-05 to 18)."""
