"""The unmodified Node client of npm, installed by its lock into a folder of its own, driven through a subprocess."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "requirements" / "node"
SCRIPT = Path(__file__).parent / "scripts" / "node_client.js"


class Thrown(Exception):
    """The client threw this text."""


class NodeClient:
    """A client for the server at `address` with `key`, in a process of its own."""

    def __init__(self, module: Path, address: str, key: str) -> None:
        surroundings = {
            "PATH": os.environ["PATH"],
            "NODE_NO_WARNINGS": "1",  # it makes buffers as old versions of Node did
            "ALGORITHMIA_API": address,
            **({"ALGORITHMIA_API_KEY": key} if key else {}),
        }
        self._process = subprocess.Popen(
            ["node", str(SCRIPT), str(module)],
            env=surroundings,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def pipe(self, reference: str, given: Any, way: str = "pipe") -> Any:
        """What `client.algo(reference).pipe(given)` gives. Raises Thrown."""
        answer = self.ask(reference=reference, input=_sent(given), way=way)
        if "raised" in answer:
            raise Thrown(answer["raised"])
        return _received(answer["returned"])

    def data(self, kind: str, path: str, method: str, *arguments: Any) -> list[Any]:
        """What the callback of `client.KIND(path).METHOD(...)` is called with; `kind` is file or dir."""
        answer = self.ask(kind=kind, path=path, method=method, arguments=[_sent(one) for one in arguments])
        return [_received(one) for one in answer["returned"]]

    def listing(self, path: str) -> list[Any]:
        """The names that `client.dir(path).forEach` comes by."""
        found: list[Any] = self.ask(kind="dir", path=path, method="forEach", arguments=[])["returned"]
        return found

    def ask(self, **asked: Any) -> dict[str, Any]:
        """The answer to one line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the client died"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def module() -> Path:
    """The folder of the client's module, which is installed where it is not in the cache yet."""
    lock = (PACKAGE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "troth-tests"
    folder = cache / f"node-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PACKAGE / name, made)
            subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=made, check=True
            )
            try:
                made.rename(folder)
            except OSError:
                assert folder.exists()  # somebody else was faster
    return folder / "node_modules" / "algorithmia"


def _sent(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _received(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) and set(value) == {"base64"} else value
