"""The unmodified Python client of PyPI, in a virtual environment of its own, driven through a subprocess."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements" / "clients.txt"
SCRIPT = Path(__file__).parent / "scripts" / "python_client.py"


class Raised(Exception):
    """The client raised; `kind` is the class, `message` the text."""

    def __init__(self, kind: str, message: str, error_type: str | None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.error_type = error_type


class PythonClient:
    """A client for the server at `address` with `key`, in a process of its own."""

    def __init__(self, interpreter: Path, address: str, key: str) -> None:
        surroundings = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "ALGORITHMIA_API": address,
            "no_proxy": "127.0.0.1",
            **({"ALGORITHMIA_API_KEY": key} if key else {}),
        }
        self._process = subprocess.Popen(
            [str(interpreter), str(SCRIPT)], env=surroundings, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __call__(
        self, reference: str, method: str, *arguments: Any, set_options: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        """What `client.algo(reference).method(...)` returns. Raises Raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"reference": reference, "method": method, "arguments": [_sent(value) for value in arguments],
                 "options": options, "set_options": set_options or {}}  # fmt: skip
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if "raised" in answer:
            raise Raised(answer["raised"], answer["message"], answer["error_type"])
        return answer["returned"]

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def interpreter() -> Path:
    """The interpreter of the client's environment, which is made where it is not in the cache yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "troth-tests"
    made_by = f"{sys.version} {sys.base_prefix}".encode()
    folder = cache / f"clients-{hashlib.sha256(REQUIREMENTS.read_bytes() + made_by).hexdigest()[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _make(Path(scratch) / "made")
            try:
                (Path(scratch) / "made").rename(folder)
            except OSError:
                assert folder.exists()  # somebody else was faster
    return folder / "bin" / "python"


def _make(folder: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(folder)], check=True)
    wanted = ["--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS)]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *wanted], check=True)


def _sent(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
