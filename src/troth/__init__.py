"""troth: a version is a promise; troth keeps it."""

from importlib.metadata import version

from troth.authoring import algorithm

__all__ = ["__version__", "algorithm"]

__version__ = version("troth")
