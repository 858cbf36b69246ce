"""Every rule by which contracts are compared, as one table."""
