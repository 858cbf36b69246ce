"""The same echo on other servers, each run by an environment of its own from the locked file beside it."""
