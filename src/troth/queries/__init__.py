"""Reads of the registry, each showing only what its caller may see."""
