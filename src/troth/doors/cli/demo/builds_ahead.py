"""What ada builds, in the order of the story: each build goes on while the story tells of those before it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

from troth.doors.cli.demo.stage import Stage


class Source(NamedTuple):
    """One of the demonstration's sources."""

    name: str
    version: str
    network_access: str = "isolated"


_IN_ORDER = (
    Source("echo", "0.1.0"),
    Source("iris", "0.1.0"),
    Source("iris", "0.1.1"),
    Source("iris", "0.2.0"),
    Source("iris", "1.0.0"),
    Source("words", "0.1.0"),
    Source("iris", "1.0.0", "full"),
    Source("iris", "1.0.1"),
    Source("echo", "0.1.1"),
)


class BuildsAhead:
    """One after the other on a thread of its own, as pushes to a repository are."""

    def __init__(self, stage: Stage) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ada builds")
        self._builds: dict[Source, Future[str]] = {
            source: self._thread.submit(
                stage.compile, source.name, source.version, network_access=source.network_access
            )
            for source in _IN_ORDER
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def hash(self, name: str, version: str, network_access: str = "isolated") -> str:
        """The hash of the build, once it is there. Raises StoryBroken if the build failed."""
        return self._builds[Source(name, version, network_access)].result()
