"""Migrations as they lie in files: which there are, in which order, and whether those that were released are as they were."""
