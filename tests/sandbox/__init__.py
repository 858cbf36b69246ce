"""The parts of the sandbox, each by itself."""
