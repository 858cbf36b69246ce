"""From a verified source on disk to what an engine needs of it: its libraries, how it wants to be run, and an example to try it
with."""

from __future__ import annotations

import json
from pathlib import Path

import structlog

from troth.artifacts.store import ArtifactStore
from troth.builds.environments import Environments
from troth.contracts.document import examples_in
from troth.contracts.project import FILE, parse_project
from troth.errors import TrothError
from troth.home import Home
from troth.observe.metrics import Faults
from troth.runtime.engine import Loaded
from troth.sandbox.launcher import Launcher
from troth.settings import Settings

log = structlog.get_logger()

_LARGEST_EXAMPLE = 4096


def loaded(root: Path, site: Path | None) -> Loaded:
    """The version whose source lies at `root`. What it declares was judged when it was built."""
    try:
        project = parse_project((root / FILE).read_bytes())
    except (FileNotFoundError, TrothError):  # a source may have no troth.toml, and one of an older release another form
        return Loaded(root, site)
    return Loaded(root, site, project.running, _example(root, project.contract.get("examples")))


def _example(root: Path, path: str | None) -> str | None:
    """The input of the first example, if there is a small one."""
    if path is None:
        return None
    try:
        examples = examples_in(path, (root / path).read_bytes())
    except (OSError, TrothError) as error:
        log.info("no example to try forks with", path=path, why=str(error))
        return None
    found = json.dumps(examples[0]["input"]) if examples else None
    return found if found is not None and len(found) <= _LARGEST_EXAMPLE else None


def environments_of(
    settings: Settings, home: Home, artifacts: ArtifactStore, launcher: Launcher, faults: Faults
) -> Environments:
    """The environments of a home; those that were altered are counted."""

    def altered(digest: str, files: list[str]) -> None:
        faults.altered_environments += 1

    cache, seconds = settings.package_cache_path(), settings.build_seconds
    return Environments(home.environments, cache, artifacts, launcher, seconds=seconds, altered=altered)
