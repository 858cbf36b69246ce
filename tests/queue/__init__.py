"""Commands with wire formats, and the queue."""
