"""The Algorithmia wire API under `/v1`, as its clients speak it."""
