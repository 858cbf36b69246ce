"""troth's own API under `/api/v1`: commands, uploads and queries."""
