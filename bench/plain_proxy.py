"""What the gateway is measured against: a proxy of Starlette and httpx2 as one would write it by hand, and the upstream of both.

Run as `python -m bench.plain_proxy upstream` or `python -m bench.plain_proxy proxy ADDRESS`: listens on a free port of 127.0.0.1
and prints its address.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import httpx2
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

_HOP = frozenset(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"])


async def upstream(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers every request with its body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def proxy(address: str) -> Starlette:
    """Hands everything on, streaming both ways."""
    client = httpx2.AsyncClient(base_url=address, timeout=60, trust_env=False)

    async def handed_on(request: Request) -> StreamingResponse:
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP]
        content = request.stream() if "content-length" in request.headers else None
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = client.build_request(request.method, target, headers=headers, content=content)
        reply = await client.send(asked, stream=True)

        async def body() -> Any:
            try:
                async for piece in reply.aiter_raw():
                    yield piece
            finally:
                await reply.aclose()

        kept = {name: value for name, value in reply.headers.items() if name not in _HOP}
        return StreamingResponse(body(), reply.status_code, kept)

    return Starlette(routes=[Route("/{path:path}", handed_on, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])


async def _serve(app: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", access_log=False, log_level="warning", timeout_keep_alive=60
    )
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    app: Any = upstream if sys.argv[1] == "upstream" else proxy(sys.argv[2])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app))


if __name__ == "__main__":
    main()
