"""What code that imports a module relies on, and whether a newer module keeps it. Nothing is ever imported or run."""
