"""The isolated process that runs one version, one call at a time. Standard library only: it lives in users' environments.

Run as `python -I -S -B worker.py PLAN`, PLAN being JSON: `socket` (descriptor of the link to the server), `entry`
(path of the algorithm's module), `root` (folder of the source), `site` (folders to import libraries from), `loader` (the
file `inside/entry.py`), `modules` (names of modules that the server hands in to their files), `check` (import the module,
report and end), `largest` (bytes of a result) and `limits` (names of the `resource` module to values).

The link carries frames: the head `HEAD` (length of the body, call id, kind, flags, seconds), then the body. The server
passes callers' bodies through as they came; they are decoded here and nowhere else.
"""

from __future__ import annotations

import binascii
import importlib.util
import json
import os
import resource
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

#: Raised whenever the worker's behaviour changes; every receipt names it.
WORKER_VERSION = 2

HEAD = struct.Struct("!IIBBd")

# kinds of frames; the first three are also the content types of a call
TEXT, JSON, BINARY = 1, 2, 3
ERROR, READY, EXITED = 4, 5, 6
# flags of a call
RAW, CAPTURE = 1, 2

#: What an algorithm may call its errors; any other name becomes AlgorithmError (algorithmia-api, section 3.1).
ERROR_TYPES = frozenset(
    [
        "AlgorithmError",
        "InputError",
        "UnsupportedError",
        "InitializationError",
        "OutOfMemoryError",
        "OutOfGpuMemoryError",
        "LanguageError",
        "TooLargeError",
        "ParsingError",
        "EntityNotFoundError",
        "ThirdPartyCredentialError",
    ]
)
#: Written to the output pipe around a call whose output is wanted; the server cuts there.
MARK = b"\x00\x1etroth-output-%d-%d\x1e\x00"
_MESSAGE_LIMIT = 64 * 1024


class InputError(Exception):
    """A body that does not hold what its content type says."""

    error_type = "ParsingError"


class TooLargeError(Exception):
    """A result beyond the limit."""


def main() -> None:
    plan: dict[str, Any] = json.loads(sys.argv[1])
    link = socket.socket(fileno=plan["socket"])
    os.set_inheritable(link.fileno(), False)
    for name, value in plan["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        call, report = _load(plan)
    except BaseException as error:
        _send(link, 0, ERROR, _described(error, "LoadingError"))
        os._exit(1)
    _send(link, 0, READY, report)
    if call is None:
        os._exit(0)
    try:
        _serve(link, call, plan["largest"])
    except (EOFError, OSError):
        os._exit(0)


def _load(plan: dict[str, Any]) -> tuple[Callable[[Any], Any] | None, bytes]:
    """The algorithm as a function of its input; with `check` the module is imported, nothing else is run, and a report made."""
    global _hidden
    _hidden += tuple(os.path.dirname(file) + os.sep for file in (plan["loader"], *plan["modules"].values()))
    # by its file, and not among the modules: an algorithm may have any name
    spec = importlib.util.spec_from_file_location("entry", plan["loader"])
    assert spec is not None
    assert spec.loader is not None
    entry: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entry)
    form = entry.form_of(plan)
    return (None, entry.report(form, plan["site"])) if plan["check"] else (form.start(), b"")


def _serve(link: socket.socket, apply: Callable[[Any], Any], largest: int) -> NoReturn:
    received = bytearray()
    while True:
        _fill(link, received, HEAD.size)
        size, call, kind, flags, _ = HEAD.unpack_from(received)
        _fill(link, received, HEAD.size + size)
        body = received[HEAD.size : HEAD.size + size]
        del received[: HEAD.size + size]
        if flags & CAPTURE:
            _mark(call, 0)
        answer = _answer(apply, kind, flags, body, largest)
        del body
        if flags & CAPTURE:
            _mark(call, 1)
        _send(link, call, *answer)
        if answer[0] == EXITED:
            os._exit(0)


def _answer(
    apply: Callable[[Any], Any], kind: int, flags: int, body: bytearray, largest: int
) -> tuple[int, bytes, float]:
    """Kind, body and seconds of what comes of one call."""
    started = time.perf_counter()
    try:
        given = _decoded(kind, body)
        started = time.perf_counter()
        result = apply(given)
        seconds = time.perf_counter() - started
        kind, encoded = _encoded(result, bool(flags & RAW))
        if len(encoded) > largest:
            raise TooLargeError(f"the result has {len(encoded)} bytes, and {largest} are allowed")
        return kind, encoded, seconds
    except SystemExit as error:
        status = 0 if error.code is None else int(error.code) if isinstance(error.code, int) else 1
        return EXITED, str(status & 0xFF).encode(), time.perf_counter() - started
    except BaseException as error:
        return ERROR, _described(error, "AlgorithmError"), time.perf_counter() - started


def _decoded(kind: int, body: bytearray) -> Any:
    if kind == BINARY:
        return bytes(body)
    try:
        text = body.decode("utf-8")
        return text if kind == TEXT else _decode(text)
    except (ValueError, RecursionError) as error:
        what = "JSON" if kind == JSON else "UTF-8 text"
        raise InputError(f"the input is not {what}: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# made once: json.loads and json.dumps with options make a new decoder or encoder each time
_decode = json.JSONDecoder(parse_constant=_no_constant).decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _encoded(result: Any, raw: bool) -> tuple[int, bytes]:
    """Content type and bytes of a result: bytes are binary, a string is text, everything else is JSON."""
    if isinstance(result, (bytes, bytearray, memoryview)):
        data = bytes(result)
        return BINARY, data if raw else b'"' + binascii.b2a_base64(data, newline=False) + b'"'
    if isinstance(result, str):
        return TEXT, (result if raw else _encode(result)).encode()
    try:
        return JSON, _encode(result).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"the algorithm returned what JSON cannot carry: {error}") from None


def _described(error: BaseException, default: str) -> bytes:
    """An exception as JSON, with its stack from the algorithm's own frames on."""
    name = type(error).__name__
    kind = "OutOfMemoryError" if isinstance(error, MemoryError) else _asked(lambda: error.error_type, name)  # type: ignore[attr-defined]
    if not isinstance(kind, str) or kind not in ERROR_TYPES:
        kind = name if name in ERROR_TYPES else default
    described = {
        "message": _asked(lambda: str(error)[:_MESSAGE_LIMIT] or name, name),
        "error_type": str(kind),
        "stacktrace": _asked(lambda: _stack(error)[-_MESSAGE_LIMIT:], ""),
    }
    return json.dumps(described).encode()


def _asked(question: Callable[[], Any], default: Any) -> Any:
    """What an exception says of itself; it is the algorithm's own object, and may fail as well."""
    try:
        return question()
    except BaseException:
        return default


#: Files whose frames are no part of the algorithm: they begin like this.
_hidden: tuple[str, ...] = (__file__, "<frozen importlib")


def _stack(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_hidden)]
    return "".join(traceback.format_list(frames) + traceback.format_exception_only(error))


def _mark(call: int, end: int) -> None:
    """Separates one call's output from what was printed before and after it."""
    for stream in (sys.stdout, sys.stderr):
        _asked(stream.flush if stream else str, None)  # the algorithm may have put anything in its place
    try:
        os.write(1, MARK % (call, end))
    except OSError:
        pass  # the algorithm closed its own output


def _fill(link: socket.socket, received: bytearray, size: int) -> None:
    """Receives until `received` holds at least `size` bytes; small frames come several at a time."""
    while len(received) < size:
        chunk = link.recv(max(65536, size - len(received)))
        if not chunk:
            raise EOFError
        received += chunk


def _send(link: socket.socket, call: int, kind: int, body: bytes, seconds: float = 0.0) -> None:
    head = HEAD.pack(len(body), call, kind, 0, seconds)
    if len(body) < 65536:
        link.sendall(head + body)
    else:
        link.sendall(head)
        link.sendall(body)


if __name__ == "__main__":
    main()
