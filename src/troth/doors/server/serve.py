"""Runs the server until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from troth.doors.server.application import Application
from troth.doors.server.assembly import Server, open_server
from troth.doors.server.protocol import protocol_of
from troth.errors import MalformedSetting
from troth.sandbox import sockets
from troth.sandbox.launcher import Launcher
from troth.settings import Settings

#: Told once the server can serve: its address, the server, and the owner's key where it was made just now.
Ready = Callable[[str, Server, str | None], None]


def serve(settings: Settings, ready: Ready) -> None:
    """Serves until SIGINT or SIGTERM. Raises MalformedSetting where the address cannot be had."""
    with listen(settings.host, settings.port) as listener, asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(run(settings, listener, ready))


async def run(
    settings: Settings,
    listener: socket.socket,
    ready: Ready,
    *,
    signals: bool = True,
    until: asyncio.Event | None = None,
) -> None:
    """Serves on a listening socket until a signal, or `until` is set; without `signals` the process's handlers stay."""
    server, key = await open_server(settings)
    try:
        application = Application(server)
        config = uvicorn.Config(
            application,
            http=protocol_of(application.calls, ordinary=settings.http == "asgi"),
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, int(settings.stop_seconds)),
        )
        host, port = listener.getsockname()[:2]
        with inner_socket(server.launcher) as inner:

            def started() -> None:
                server.serves()
                ready(f"http://{host}:{port}", server, key)

            front = _Front(config, inner, started, signals=signals)
            stopper = asyncio.ensure_future(front.stop_after(until)) if until else None
            if settings.fronts > 1:
                server.fronts.start(server, listener, str(server.launcher.api_socket), settings.fronts - 1)
            await front.serve(sockets=[listener])
            await asyncio.to_thread(server.fronts.stop, settings.stop_seconds)
            if stopper:
                stopper.cancel()
            await server.close(settings.stop_seconds)
    except BaseException:
        await server.close()
        raise


@contextmanager
def inner_socket(launcher: Launcher) -> Iterator[socket.socket]:
    """The Unix socket by which workers of this process reach it. Only this user enters its folder; sandboxes get the socket."""
    with tempfile.TemporaryDirectory(prefix="troth-api-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder, "api.sock")
        sockets.bind(listener, path)
        path.chmod(0o666)  # in a sandbox it is another user's
        listener.listen(128)
        launcher.api_socket = path
        yield listener


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises MalformedSetting."""
    try:
        return socket.create_server((host, port), backlog=2048, reuse_port=False)
    except (OSError, OverflowError) as error:
        raise MalformedSetting(
            f"{host}:{port} cannot be listened on: {error}", repair="name another with --host and --port"
        ) from None


class _Front(uvicorn.Server):
    """uvicorn's server, which also listens on the socket for workers, and tells when it can serve."""

    def __init__(
        self, config: uvicorn.Config, inner: socket.socket, started: Callable[[], None], *, signals: bool
    ) -> None:
        super().__init__(config)
        self._inner = inner
        self._told = started
        self._signals = signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)

        def connection() -> asyncio.Protocol:
            make = self.config.http_protocol_class
            return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]

        self.servers.append(await asyncio.get_running_loop().create_unix_server(connection, sock=self._inner))
        gc.collect()
        gc.freeze()  # what is there now stays, and need not be looked at while calls come
        self._told()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM stop the server, unless it is a guest in somebody else's process.

        uvicorn's own way raises the signal again when it has stopped, which would end us before our workers are.
        """
        loop = asyncio.get_running_loop()
        chosen = (signal.SIGINT, signal.SIGTERM) if self._signals else ()
        for number in chosen:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
        for number in chosen:
            loop.remove_signal_handler(number)

    async def stop_after(self, event: asyncio.Event) -> None:
        await event.wait()
        self.should_exit = True


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()
