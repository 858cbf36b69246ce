"""troth, as algorithms see it."""

from troth.authoring import algorithm

__all__ = ["algorithm"]
