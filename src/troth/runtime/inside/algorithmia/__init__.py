"""`Algorithmia`, for algorithms whose environment has no client of that name. Standard library only.

What algorithms use of the client is here: other algorithms, data, insights, the kit. It acts for the caller of the call that
runs, and is good during that call. What manages algorithms, users and servers is not: the key of a call cannot do it.
"""

from __future__ import annotations

from typing import Any

from adk import ADK  # type: ignore[import-not-found]  # the one beside this folder, by the worker's own finder

from .algorithm import Algorithm, OutputType
from .client import Client
from .errors import AlgorithmException, ApiError, ApiInternalError, DataApiError

__all__ = [
    "ADK",
    "Algorithm",
    "AlgorithmException",
    "ApiError",
    "ApiInternalError",
    "Client",
    "DataApiError",
    "OutputType",
    "algo",
    "client",
    "dir",
    "file",
]  # fmt: skip

#: a key of the author's own, where one was put here; else that of the call
apiKey: str | None = None


def client(
    api_key: str | None = None,
    api_address: str | None = None,
    ca_cert: Any = None,
    bearer_token: str | None = None,
) -> Client:
    """A client of this server. Without a key it acts for the caller of the call that runs."""
    return Client(api_key, api_address, ca_cert, bearer_token)


def algo(reference: str) -> Algorithm:
    """The algorithm of a reference such as `algo://owner/name/1.2`."""
    return Client(apiKey).algo(reference)


def file(url: str) -> Any:
    """The file of an address such as `data://owner/collection/file`."""
    return Client(apiKey).file(url)


def dir(url: str) -> Any:
    """The directory of an address such as `data://owner/collection`."""
    return Client(apiKey).dir(url)


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"Algorithmia.{name} is not in the client that troth hands to algorithms; to use all of Algorithmia's own client,"
        " add algorithmia to the dependencies"
    )
