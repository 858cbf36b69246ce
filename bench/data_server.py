"""What the data API is measured against: Starlette streaming bodies to files and back, as one would write it by hand.

Run as `python -m bench.data_server FOLDER`: listens on a free port of 127.0.0.1 and prints its address. It asks for no key,
computes no digest and does not wait for the disk, except for what goes to `/synced/NAME`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else ".")


async def put(request: Request) -> Response:
    """Writes the body to a file, piece by piece."""
    with open(FOLDER / request.path_params["name"], "wb") as file:
        async for piece in request.stream():
            file.write(piece)
        if request.url.path.startswith("/synced/"):
            file.flush()
            await asyncio.to_thread(os.fdatasync, file.fileno())
    return Response("{}", media_type="application/json")


async def get(request: Request) -> Response:
    """The file."""
    return FileResponse(FOLDER / request.path_params["name"])


async def _serve() -> None:
    routes = [Route(path, put, methods=["PUT"]) for path in ("/{name}", "/synced/{name}")]
    app = Starlette(routes=[*routes, Route("/{name}", get)])
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", access_log=False, log_level="warning")
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())


if __name__ == "__main__":
    main()
