"""One server's environments, as the tests use them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from troth.artifacts.store import ArtifactStore
from troth.builds.dependencies import read_dependencies
from troth.builds.environment_document import KIND, EnvironmentDocument
from troth.builds.environments import Environments
from troth.sandbox.launcher import Launcher


class Workshop:
    """Environments in a folder of their own, what they said, and what they found altered."""

    def __init__(
        self,
        launcher: Launcher,
        place: Path,
        cache: Path,
        surroundings: Mapping[str, str] | None = None,
        *,
        name: str = "environments",
        seconds: float = 120.0,
    ) -> None:
        self.launcher, self.place, self.cache, self.name = launcher, place, cache, name
        self.surroundings = {"UV_HTTP_RETRIES": "0", **(os.environ if surroundings is None else surroundings)}
        self.said: list[str] = []
        self.altered: list[tuple[str, list[str]]] = []
        self.artifacts = ArtifactStore(place / "artifacts")
        self.folder = place / name
        self.environments = Environments(
            self.folder,
            cache,
            self.artifacts,
            launcher,
            seconds=seconds,
            altered=lambda digest, files: self.altered.append((digest, files)),
            surroundings=self.surroundings,
        )

    def again(self, **changes: str) -> Workshop:
        """The same folders with other variables in the server's environment."""
        return Workshop(self.launcher, self.place, self.cache, {**self.surroundings, **changes}, name=self.name)

    def elsewhere(self, name: str, cache: Path | None = None) -> Workshop:
        """Another server beside it, with the same artifacts, and the same cache unless it is given another."""
        return Workshop(self.launcher, self.place, cache or self.cache, self.surroundings, name=name)

    def lock(self, *requirements: str, files: Mapping[str, bytes] | None = None) -> EnvironmentDocument:
        return self.environments.lock(read_dependencies(files or {}, requirements), self.said.append)

    def ready(self, digest: str) -> Path:
        site = self.environments.ready(digest, self.said.append)
        assert site is not None
        return site

    def built(self, *requirements: str) -> tuple[str, Path]:
        """Digest and folder of an environment with these."""
        digest = self.lock(*requirements).digest
        return digest, self.ready(digest)

    def put(self, document: EnvironmentDocument) -> str:
        """Stores a document as `lock` would."""
        return self.artifacts.put(KIND, document.to_bytes())

    @property
    def builds(self) -> int:
        """How often something was installed."""
        return sum(line.startswith("installing") for line in self.said)

    def scratch(self) -> list[str]:
        """What lies in the folders that is no environment and no record."""
        left = [path.name for path in self.folder.iterdir() if path.name.startswith(".")]
        return left + [path.name for path in (self.cache / "new").iterdir() if path.name.startswith(self.mark)]

    @property
    def mark(self) -> str:
        return self.environments._folders._mark


def overwrite(path: Path, content: bytes) -> None:
    """Changes a file in place, so that everything that is linked to it changes."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.write(content)
    path.chmod(mode & 0o777)


def add(path: Path, content: bytes) -> None:
    """Puts a file into a folder that nobody can write to."""
    path.parent.chmod(0o755)
    path.write_bytes(content)
    path.parent.chmod(0o555)


def remove(path: Path) -> None:
    """Takes a file out of a folder that nobody can write to."""
    path.parent.chmod(0o755)
    path.unlink()
    path.parent.chmod(0o555)
