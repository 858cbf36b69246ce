"""`python -m troth` is the `troth` command."""

from troth.doors.cli.main import run

run()
