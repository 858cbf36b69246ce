"""States of API versions, and what a reply says of them. Standard library only: the middleware of `troth.sdk` uses it too."""
