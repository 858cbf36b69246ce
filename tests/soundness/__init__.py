"""The hunt for a counterexample to a "yes" of the schema checker: `python -m tests.soundness`."""
