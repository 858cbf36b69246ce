"""Typed inputs and results, without a worker."""
