"""Ray Serve with one replica and its defaults, access log off: `python ray_echo.py PORT`."""

from __future__ import annotations

import signal
import sys
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

_QUIET = {"enable_access_log": False}


class Echo:
    async def __call__(self, request: Request) -> Any:
        """The value that was sent."""
        return await request.json()


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", logging_level="error")
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])}, logging_config=_QUIET)
    echo = serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 0.2}, logging_config=_QUIET)(Echo)
    serve.run(echo.bind(), name="echo", route_prefix="/echo")
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    serve.shutdown()
    ray.shutdown()
