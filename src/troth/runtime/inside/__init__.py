"""Modules that algorithms import and only workers have: the server hands them in, and they are installed nowhere."""
