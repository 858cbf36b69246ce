"""What a source needs from the package index, read from the files that its author wrote. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from packaging.utils import canonicalize_name

from troth.builds import requirements_file, uv_lock
from troth.builds.requirements import (
    MOST_REQUIREMENTS,
    Wanted,
    check_python,
    holds,
    read_toml,
    requirement_of,
    shown,
    text_of,
    wrong,
)

PYPROJECT = "pyproject.toml"
#: Files at a source's root that say what it needs; the first of them that is there is read, and no other.
DEPENDENCY_FILES = (uv_lock.FILE, requirements_file.FILE, PYPROJECT)
_DECLARED = "troth.toml"
_LARGEST_PYPROJECT = 256 * 1024
#: keys of [tool.uv] that change where packages come from or which are chosen
_STEERING = ("index-url", "extra-index-url", "find-links", "override-dependencies", "constraint-dependencies")


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Requirements that hold on this machine."""

    #: name, extras and specifiers each, sorted
    requirements: tuple[str, ...]
    #: by name, the SHA-256 of the files that the author allows; a name that is not here may have any
    hashes: Mapping[str, frozenset[str]]
    #: the file that they were read from, for messages
    origin: str


def read_dependencies(files: Mapping[str, bytes], declared: Sequence[str]) -> Dependencies:
    """What a source needs: `files` are those of DEPENDENCY_FILES that lie at its root, `declared` stands in its troth.toml.

    uv.lock counts, else requirements.txt, else pyproject.toml; what is declared is added. Raises BuildFailed for what
    cannot be read, and for everything but names, extras, versions and markers.
    """
    origin = next((name for name in DEPENDENCY_FILES if name in files), _DECLARED)
    wanted = _READERS[origin](files[origin]) if origin in files else Wanted()
    for text in declared:
        requirement = requirement_of(text, _DECLARED)
        if holds(requirement.marker, _DECLARED):
            wanted.add(requirement)
    texts = tuple(sorted({text_of(requirement) for requirement in wanted.requirements}))
    if len(texts) > MOST_REQUIREMENTS:
        raise wrong(origin, "it has too many requirements", f"at most {MOST_REQUIREMENTS} are read", "leave some out")
    return Dependencies(texts, MappingProxyType(wanted.hashes), origin)


def _read_pyproject(content: bytes) -> Wanted:
    """The `[project] dependencies`; a file without [project] needs nothing."""
    table = read_toml(content, PYPROJECT, _LARGEST_PYPROJECT)
    project = _table(table, "project")
    check_python(project.get("requires-python"), PYPROJECT)
    listed = project.get("dependencies", [])
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise wrong(PYPROJECT, "its dependencies are not a list of texts", "PEP 621 says so", "write a list of texts")
    if "dependencies" in _list(project, "dynamic"):
        raise wrong(
            PYPROJECT,
            "its dependencies are dynamic",
            "only running the project's build would tell them",
            "write them down, or publish a uv.lock or requirements.txt",
        )
    wanted = Wanted()
    for text in listed[: MOST_REQUIREMENTS + 1]:
        requirement = requirement_of(text, PYPROJECT)
        if holds(requirement.marker, PYPROJECT):
            wanted.add(requirement)
    _check_sources(_table(_table(table, "tool"), "uv"), wanted)
    return wanted


def _check_sources(settings: dict[str, Any], wanted: Wanted) -> None:
    """Raises BuildFailed where uv's own settings would take packages from elsewhere, or choose others."""
    indexes = [index for index in _list(settings, "index") if not (isinstance(index, dict) and index.get("explicit"))]
    for key in [key for key in _STEERING if settings.get(key)] + (["index"] if indexes else []):
        raise wrong(
            PYPROJECT,
            f"[tool.uv] has {key}",
            "where packages come from is a setting of the server, and versions are chosen from dependencies alone",
            "leave it out, or publish a uv.lock, whose versions and hashes hold as they stand",
        )
    names = {canonicalize_name(requirement.name) for requirement in wanted.requirements}
    for name in _table(settings, "sources"):
        if canonicalize_name(name) in names:
            raise wrong(
                PYPROJECT,
                f"[tool.uv.sources] takes {shown(name)} from elsewhere",
                "repositories, addresses and paths are not fetched; requirements come from the server's package index",
                "depend on a release of it in the package index, or publish its code as part of the source",
            )


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if isinstance(value, dict):
        return value
    raise wrong(PYPROJECT, f"{key} is not a table", "it holds keys and values", f"write [{key}]")


def _list(table: dict[str, Any], key: str) -> list[Any]:
    value = table.get(key, [])
    if isinstance(value, list):
        return value
    raise wrong(PYPROJECT, f"{key} is not a list", "it is one", f"write {key} = [...]")


_READERS = {uv_lock.FILE: uv_lock.read, requirements_file.FILE: requirements_file.read, PYPROJECT: _read_pyproject}
