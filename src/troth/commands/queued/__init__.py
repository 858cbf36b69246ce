"""Commands of teams: accepted durably, processed behind, never lost."""
