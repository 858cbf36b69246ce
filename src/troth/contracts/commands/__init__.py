"""What a team declares of its commands: wire formats, and the way of a payload from each version to the next."""
