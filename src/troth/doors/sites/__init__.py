"""`/docs`: the documentation of releases, as it was uploaded."""
