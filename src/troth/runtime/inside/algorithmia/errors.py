"""What the client raises, by the names that algorithms catch."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """The server refused."""


class ApiInternalError(ApiError):
    """The server failed."""


class DataApiError(ApiError):
    """The server refused something about data."""


class AlgorithmException(ApiError):
    """A call ended with an error: its words, its type, and its stack where the caller may see the source.

    One that nobody catches ends the call in which it came up with the same words and type.
    """

    def __init__(self, message: str, stack_trace: str | None = None, error_type: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.stack_trace = stack_trace
        self.error_type = error_type


def words_of(found: Any, status: int) -> str:
    """What an answer that is an error says."""
    error = found.get("error", found.get("message")) if isinstance(found, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return str(error) if error else f"the server answered {status}"


def algorithm_exception(found: Any, status: int) -> AlgorithmException:
    """The exception for an answer that is no result."""
    error = found.get("error") if isinstance(found, dict) else None
    detail = error if isinstance(error, dict) else {}
    return AlgorithmException(words_of(found, status), detail.get("stack_trace"), detail.get("error_type"))
