"""What troth is measured against: the same function inside a FastAPI process, as one would write it by hand.

Run as `python -m bench.fastapi_echo`: listens on a free port of 127.0.0.1 and prints its address.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
import uvloop
from fastapi import Body, FastAPI

app = FastAPI()


@app.post("/echo")
async def echo(data: Any = Body()) -> Any:
    """The value that was sent."""
    return data


@app.post("/echo_unannotated")
async def echo_unannotated(data: Any = Body()):  # type: ignore[no-untyped-def]
    """The same without a type for what is returned, which FastAPI then walks to find what it is."""
    return data


@app.post("/echo_def")
def echo_def(data: Any = Body()) -> Any:
    """The same from a plain function, which FastAPI runs in its thread pool."""
    return data


async def _serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    # with 1 MB in each request, the others wait longer than the 5 s after which uvicorn would close their connections
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=60,
    )
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())


if __name__ == "__main__":
    main()
