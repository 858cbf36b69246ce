"""The isolated process that runs one version, one call at a time. Standard library only: it lives in users' environments.

Run as `python -I -S -B worker.py PLAN`, PLAN being JSON: `socket` (descriptor of the control link), `entry` (path of the
algorithm's module), `root` (folder of the source), `site` (folders to import libraries from), `inside` (folder of the files
that this one loads: `entry.py`, `codec.py`, `zygote.py`), `modules` (names of modules that the server hands in to their
files), `api` (path of the socket by which the server is reached, or nothing), `check` (import the module, report and end), `largest` (bytes of a result), `fork` (whether it may serve by forks),
`example` (JSON of an input to try a fork with, or null) and `limits` (names of the `resource` module to values).

When the version is loaded the process waits for orders on the control link (`inside/zygote.py`): to fork a worker, or to be
one. A worker has a link of its own. Links carry frames: the head `HEAD` (length of the body, call id, kind, flags, seconds),
then the body. The server passes callers' bodies through as they came; they are decoded here and nowhere else.
"""

from __future__ import annotations

import binascii
import json
import os
import resource
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib._bootstrap import module_from_spec
from importlib._bootstrap_external import PathFinder, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:  # a cold call waits for every module that is imported here
    from typing import Any, NoReturn

#: Raised whenever the worker's behaviour changes; every receipt names it.
WORKER_VERSION = 4

HEAD = struct.Struct("!IIBBd")

# kinds of frames; the first three are also the content types of a call
TEXT, JSON, BINARY = 1, 2, 3
ERROR, READY, EXITED = 4, 5, 6
# one of several results, and what follows the last
ITEM, END = 7, 8
# to a new worker, before everything else: what the keys of its calls are made of
KEY = 9
# flags of a call: the result as it is, keep what is printed, results one by one, and before the body the trace that it belongs to
RAW, CAPTURE, STREAM, TRACED = 1, 2, 4, 8
#: Length of a trace in the body of a call: two lines, which algorithms find under these names in their environment.
TRACE_HEAD = struct.Struct("!H")
TRACE_NAMES = ("TRACEPARENT", "TRACESTATE")

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
_LARGE = 64 * 1024


class InputError(Exception):
    """A body that does not hold what its content type says."""

    error_type = "ParsingError"


class TooLargeError(Exception):
    """A result beyond the limit."""


def main() -> None:
    global api
    plan: dict[str, Any] = json.loads(sys.argv[1])
    api = plan["api"]
    control = socket.socket(fileno=plan["socket"])
    os.set_inheritable(control.fileno(), False)
    for name, value in plan["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    hide(plan["inside"], *map(os.path.dirname, plan["modules"].values()))
    try:
        # before the algorithm, which can do anything to what they import
        entry, codec, zygote = (loaded_file(plan, name) for name in ("entry", "codec", "zygote"))
        form = entry.form_of(plan)
        if plan["check"]:
            send(control, 0, READY, entry.report(form, plan["site"]))
            os._exit(0)
        answering = Answering(form.start(), codec.codec_of(plan["site"]), plan["largest"])
    except BaseException as error:
        send(control, 0, ERROR, described(error, "LoadingError"))
        os._exit(1)
    try:
        zygote.obey(sys.modules[__name__], control, answering, form.after_fork, plan)
    except (EOFError, OSError):
        os._exit(0)


def loaded_file(plan: dict[str, Any], name: str) -> Any:
    """A module of the folder `inside`, by its file and not among the modules: an algorithm may have any name."""
    spec = spec_from_file_location(name, os.path.join(plan["inside"], f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Answering:
    """A loaded version that answers calls: the algorithm, how its values are written, and how large a result may be."""

    def __init__(self, apply: Callable[[Any], Any], codec: Any, largest: int) -> None:
        self.apply = apply
        self.decode: Callable[[bytearray], Any] = codec.decode
        self.encode: Callable[[Any], bytes] = codec.encode
        self.largest = largest
        #: what the keys of its calls are made of, and the number of the call that runs
        self.secret, self.call = "", 0

    def take_secret(self, link: socket.socket) -> None:
        """Receives what the keys of its calls are made of, which comes first on a link."""
        received = bytearray()
        _fill(link, received, HEAD.size)
        size = HEAD.unpack_from(received)[0]
        _fill(link, received, HEAD.size + size)
        self.secret = received[HEAD.size :].decode()

    def serve(self, link: socket.socket, calls: int = -1) -> NoReturn:
        """Answers so many calls, or all that come, and ends the process."""
        global _serving
        _serving = self
        received, traced = bytearray(), False
        while calls:
            calls -= 1
            _fill(link, received, HEAD.size)
            size, call, kind, flags, _ = HEAD.unpack_from(received)
            self.call = call
            _fill(link, received, HEAD.size + size)
            body = received[HEAD.size : HEAD.size + size]
            del received[: HEAD.size + size]
            if flags & TRACED or traced:
                traced = bool(flags & TRACED)
                _continue(body, traced)
            if flags & CAPTURE:
                _mark(call, 0)
            answer = self.answer(kind, flags, body, partial(send, link, call, ITEM))
            del body
            if flags & CAPTURE:
                _mark(call, 1)
            send(link, call, *answer)
            if answer[0] == EXITED:
                break
        os._exit(0)

    def answer(self, kind: int, flags: int, body: bytearray, item: Callable[[bytes], None]) -> tuple[int, bytes, float]:
        """Kind, body and seconds of what comes of one call; `item` takes results that come one by one."""
        started = time.perf_counter()
        try:
            given = self._decoded(kind, body)
            started = time.perf_counter()
            result = self.apply(given)
            if flags & STREAM:
                self._stream(result, item)
                return END, b"", time.perf_counter() - started
            if isinstance(result, Iterator):
                result = list(result)
            seconds = time.perf_counter() - started
            kind, encoded = self._encoded(result, bool(flags & RAW))
            return kind, encoded, seconds
        except SystemExit as error:
            status = 0 if error.code is None else int(error.code) if isinstance(error.code, int) else 1
            return EXITED, str(status & 0xFF).encode(), time.perf_counter() - started
        except BaseException as error:
            return ERROR, described(error, "AlgorithmError"), time.perf_counter() - started

    def _stream(self, result: Any, item: Callable[[bytes], None]) -> None:
        """Hands over each of the results as JSON; one result that is no iterator is the only one."""
        for value in result if isinstance(result, Iterator) else (result,):
            item(self._encoded(value, False)[1])

    def _decoded(self, kind: int, body: bytearray) -> Any:
        if kind == BINARY:
            return bytes(body)
        try:
            return body.decode("utf-8") if kind == TEXT else self.decode(body)
        except (ValueError, RecursionError) as error:
            what = "JSON" if kind == JSON else "UTF-8 text"
            raise InputError(f"the input is not {what}: {error}") from None

    def _encoded(self, result: Any, raw: bool) -> tuple[int, bytes]:
        """Content type and bytes of a result: bytes are binary, a string is text, everything else is JSON."""
        if isinstance(result, (bytes, bytearray, memoryview)):
            data = bytes(result)
            kind, encoded = BINARY, data if raw else b'"' + binascii.b2a_base64(data, newline=False) + b'"'
        elif isinstance(result, str) and raw:
            kind, encoded = TEXT, result.encode()
        else:
            try:
                kind, encoded = TEXT if isinstance(result, str) else JSON, self.encode(result)
            except (TypeError, ValueError, RecursionError) as error:
                raise TypeError(f"the algorithm returned what JSON cannot carry: {error}") from None
        if len(encoded) > self.largest:
            raise TooLargeError(f"the result has {len(encoded)} bytes, and {self.largest} are allowed")
        return kind, encoded


#: The socket by which the server is reached; empty where there is none.
api = ""
#: What answers calls in this process, once it does.
_serving: Answering | None = None


def key() -> str:
    """The key by which the call that runs acts for its caller; empty while none runs. It is made up when it is asked for."""
    return f"call-{_serving.secret}-{_serving.call}" if _serving is not None else ""


def described(error: BaseException, default: str) -> bytes:
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


def hide(*folders: str) -> None:
    """Leaves the frames of what lies in these folders out of stacks."""
    global _hidden
    _hidden += tuple(folder + os.sep for folder in folders)


#: where the standard library is, before the source's own folders come before it
_libraries = list(sys.path)


def _standard(name: str) -> Any:
    """A module of the standard library, whatever the source calls its own."""
    spec = PathFinder.find_spec(name, _libraries)
    known = sys.modules.get(name)
    if known is not None and (spec is None or getattr(known, "__file__", None) == spec.origin):
        return known
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    if known is None:
        sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _stack(error: BaseException) -> str:
    traceback = _standard("traceback")  # what a version that never fails need not wait for
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_hidden)]
    return "".join(traceback.format_list(frames) + traceback.format_exception_only(error))


#: The algorithm may put another in its place.
_environment = os.environ


def _continue(body: bytearray, traced: bool) -> None:
    """Moves a call's trace from its body into the environment, where processes that it starts find it too, or ends the last one's."""
    lines = ["", ""]
    if traced:
        end = TRACE_HEAD.size + TRACE_HEAD.unpack_from(body)[0]
        lines = body[TRACE_HEAD.size : end].decode("ascii").split("\n")
        del body[:end]
    for name, line in zip(TRACE_NAMES, lines, strict=True):
        if line:
            _environment[name] = line
        else:
            _environment.pop(name, None)


def _mark(call: int, end: int) -> None:
    """Separates one call's output from what was printed before and after it."""
    for stream in (sys.stdout, sys.stderr):
        _asked(stream.flush if stream else str, None)  # the algorithm may have put anything in its place
    try:
        os.write(1, MARK % (call, end))
    except OSError:
        pass  # the algorithm closed its own output


def _fill(link: socket.socket, received: bytearray, size: int) -> None:
    """Receives until `received` holds at least `size` bytes; small frames come several at a time, large ones in their place."""
    have = len(received)
    if size - have > _LARGE:
        received.extend(bytes(size - have))
        with memoryview(received) as view:
            while have < size:
                count = link.recv_into(view[have:])
                if not count:
                    raise EOFError
                have += count
    while len(received) < size:
        chunk = link.recv(_LARGE)
        if not chunk:
            raise EOFError
        received += chunk


def send(link: socket.socket, call: int, kind: int, body: bytes, seconds: float = 0.0) -> None:
    """Writes one frame."""
    head = HEAD.pack(len(body), call, kind, 0, seconds)
    if len(body) < _LARGE:
        link.sendall(head + body)
    else:
        link.sendall(head)
        link.sendall(body)


if __name__ == "__main__":
    main()
