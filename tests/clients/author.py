"""An author as Algorithmia's users were: the Python client, and git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.clients.python import PythonClient
from tests.server import RunningServer
from tests.working_copy import WorkingCopy, cloned

DETAILS = {"label": "Hello", "summary": "greets", "tagline": "a greeting"}
SETTINGS = {
    "source_visibility": "closed",
    "license": "apl",
    "network_access": "isolated",
    "pipeline_enabled": False,
    "language": "python3-1",
    "environment": "cpu",
}


class Author:
    """A user of the server with a Python client. Each algorithm has a clone."""

    def __init__(self, server: RunningServer, connect: Callable[..., PythonClient], folder: Path) -> None:
        self.server = server
        self.name, _ = server.account("author")
        self.key = server.keys[self.name]
        self.client = connect(self.key)
        self._folder = folder
        self._clones: dict[str, WorkingCopy] = {}

    def new_reference(self) -> str:
        """The name of an algorithm that is not there yet."""
        return f"{self.name}/{self.server.new_name('algo')}"

    def created(self, **settings: Any) -> str:
        """The name of a new algorithm, made by the client."""
        reference = self.new_reference()
        self.client(reference, "create", details=DETAILS, settings={**SETTINGS, **settings})
        return reference

    def clone(self, reference: str) -> WorkingCopy:
        """The clone of an algorithm's repository."""
        if reference not in self._clones:
            folder = self._folder / reference.replace("/", "_")
            self._clones[reference] = cloned(folder, self.server.address, reference, self.name, self.key)
        return self._clones[reference]

    def pushed(self, reference: str, code: str) -> str:
        """The commit that was pushed with this code."""
        clone = self.clone(reference)
        clone.write(f"src/{reference.split('/')[1]}.py", code)
        commit = clone.commit()
        clone.push()
        return commit

    def compiled(self, reference: str, code: str = "") -> str:
        """The commit that was compiled: the head, or one with this code."""
        commit = self.pushed(reference, code) if code else ""
        built = self.client(reference, "compile")
        assert built["compilation"]["successful"], built
        found: str = built["version_info"]["git_hash"]
        assert not commit or found == commit
        return found

    def published(self, reference: str, mark: str, **how: Any) -> str:
        """The number of a new version that answers with `mark`."""
        self.compiled(reference, f"def apply(input):\n    return {mark!r}\n")
        number: str = self.client(reference, "publish", **how)["version_info"]["semantic_version"]
        return number
