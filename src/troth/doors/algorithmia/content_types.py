"""What the body of a call is, by its content type."""

from __future__ import annotations

from troth.doors.algorithmia.answers import CallError
from troth.runtime import worker

_KINDS = {
    b"text/plain": worker.TEXT,
    b"application/text": worker.TEXT,
    b"application/json": worker.JSON,
    b"application/octet-stream": worker.BINARY,
}


def kind_of(content_type: bytes) -> int:
    """The frame kind of the worker. Raises CallError for what is none of the three types."""
    kind = _KINDS.get(content_type) or _KINDS.get(content_type.split(b";")[0].strip().lower())
    if kind is None:
        said = content_type.decode("latin-1")[:80]
        raise CallError(
            f"the content type {said!r} is not one of text/plain, application/json and application/octet-stream"
            if said
            else "the content type is missing: text/plain, application/json or application/octet-stream"
        )
    return kind
