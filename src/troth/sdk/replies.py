"""What a server's replies say: documents, results of calls, and errors as the classes of `troth.errors`."""

from __future__ import annotations

import base64
from typing import Any

import httpx2

from troth.errors import CallFailed, Failed, Forbidden, NotFound, Overloaded, TrothError, Unauthenticated

_NO_KEY = "authorization required"
_KEY_WANTED = "set TROTH_KEY, or name a file with the key by --key-file"


def document_of(reply: httpx2.Response) -> dict[str, Any]:
    """The document of a reply. Raises the error that it tells of."""
    found = _decoded(reply)
    if reply.status_code < 400:
        return found
    told = TrothError.from_problem(found, reply.status_code)
    if isinstance(told, Unauthenticated):  # the server speaks to programs, of a header
        raise Unauthenticated(told.what, why=told.why, repair=_KEY_WANTED, clauses=told.clauses)
    raise told


def answered_by(reply: httpx2.Response) -> dict[str, Any]:
    """The parts of `troth.sdk.Answer` in the reply to a call. Raises the error that it tells of."""
    found = _decoded(reply)
    receipt = {name[6:]: value for name, value in reply.headers.items() if name.startswith("troth-")}
    if error := found.get("error"):
        raise _call_error(error, reply, receipt)
    metadata = found["metadata"]
    result = base64.b64decode(found["result"]) if metadata["content_type"] == "binary" else found["result"]
    return {
        "result": result,
        "content_type": metadata["content_type"],
        "seconds": metadata["duration"],
        "stdout": metadata.get("stdout"),
        "receipt": receipt,
    }


def _call_error(error: dict[str, Any], reply: httpx2.Response, receipt: dict[str, str]) -> TrothError:
    message, kind = str(error.get("message")), error.get("error_type")
    if "version" in receipt and reply.status_code != 503:  # the words are the algorithm's own
        return CallFailed(message, why=f"{kind} in version {receipt['version']}", found=error.get("stacktrace"))
    if message.startswith(_NO_KEY):
        why = message.removeprefix(_NO_KEY).removeprefix(": ")
        return Unauthenticated(_NO_KEY, why=why or "no valid key came with the call", repair=_KEY_WANTED)
    if reply.status_code == 503:
        return Overloaded(message, repair="try again a little later")
    if message.startswith("algorithm algo://"):
        return NotFound(message, repair="look at its spelling; troth why tells members of its owner more")
    if message.startswith("this key is not for "):
        return Forbidden(message, repair="use a key that may call it, or make one: troth key create --algorithm")
    if kind is None:  # it was not the door of calls that answered
        return NotFound(message, repair=f"name the server without a path, perhaps as {_server_of(reply)}")
    return CallFailed(message, why=str(kind))


def _decoded(reply: httpx2.Response) -> dict[str, Any]:
    try:
        found = reply.json()
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    kind = reply.headers.get("content-type", "no content type")
    raise Failed(
        f"{reply.request.url} answered {reply.status_code} with something that is not troth's",
        why=f"troth answers in JSON, and this is {kind}",
        repair=f"is {_server_of(reply)} the address of a troth server?",
    )


def _server_of(reply: httpx2.Response) -> str:
    return f"{reply.request.url.scheme}://{reply.request.url.netloc.decode()}"
