"""LitServe with one worker and its defaults, access log off: `python litserve_echo.py PORT`."""

from __future__ import annotations

import sys
from typing import Any

import litserve


class Echo(litserve.LitAPI):
    def setup(self, device: str) -> None:
        pass

    def predict(self, x: Any) -> Any:
        """The value that was sent."""
        return x


if __name__ == "__main__":
    server = litserve.LitServer(Echo(api_path="/echo"), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning", access_log=False
    )
