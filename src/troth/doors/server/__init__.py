"""The server: all parts put together, and the doors in front of them."""
