"""Recorded histories of releases, APIs and commands, judged event by event: `troth check history`."""
