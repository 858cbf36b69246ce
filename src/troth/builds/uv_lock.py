"""A source's uv.lock: the versions and hashes that its author's resolver chose, as far as they are wanted on this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from troth.builds.requirements import (
    LONGEST_REQUIREMENT,
    MOST_REQUIREMENTS,
    Wanted,
    check_python,
    holds,
    read_toml,
    requirement_of,
    sha256_of,
    shown,
    wrong,
)
from troth.errors import BuildFailed

FILE = "uv.lock"
_LARGEST = 4 << 20
_FORMAT = 1
_HERE = ("virtual", "editable", "directory")

_Table = dict[str, Any]


def read(content: bytes) -> Wanted:
    """Pins of every distribution that the locked project needs here, without its extras and development groups.

    Raises BuildFailed for what uv would not have written, and for distributions that do not come from an index.
    """
    table = read_toml(content, FILE, _LARGEST)
    if table.get("version") != _FORMAT:
        raise wrong(
            FILE,
            f"its format is {shown(str(table.get('version')))}",
            f"format {_FORMAT} is read",
            "write it with a uv that writes that format, or publish a requirements.txt",
        )
    check_python(table.get("requires-python"), FILE)
    return _Walk(_tables(table, "package")).wanted()


class _Walk:
    """From the root along dependencies whose markers hold."""

    def __init__(self, packages: list[_Table]) -> None:
        self._by_name: dict[str, list[_Table]] = defaultdict(list)
        for package in packages:
            self._by_name[canonicalize_name(_text(package, "name"))].append(package)
        roots = [package for package in packages if _is_root(package)]
        if len(roots) != 1:
            raise wrong(
                FILE, f"it has {len(roots)} projects at its root", "it is the lock of one project", "run uv lock again"
            )
        self._root = roots[0]

    def wanted(self) -> Wanted:
        wanted = Wanted()
        for package in self._reached():
            if package is not self._root:
                wanted.add(_pin(package), _wheel_hashes(package))
        if len(wanted.requirements) > MOST_REQUIREMENTS:
            raise wrong(FILE, "it needs too many packages", f"at most {MOST_REQUIREMENTS} are installed", "need fewer")
        return wanted

    def _reached(self) -> list[_Table]:
        found: dict[int, _Table] = {}
        seen: set[tuple[int, str]] = set()
        waiting = [(self._root, "")]
        while waiting:
            package, extra = waiting.pop()
            if (id(package), extra) in seen:
                continue
            seen.add((id(package), extra))
            found[id(package)] = package
            for needed in _needs(package, extra):
                following = self._package(needed)
                waiting += [(following, ""), *((following, name) for name in _extras(needed))]
        return list(found.values())

    def _package(self, needed: _Table) -> _Table:
        """The one package that a dependency names. Version and source are given where the name alone is not enough."""
        name = canonicalize_name(_text(needed, "name"))
        fitting = [
            package
            for package in self._by_name.get(name, [])
            if all(key not in needed or needed[key] == package.get(key) for key in ("version", "source"))
        ]
        if len(fitting) != 1:
            raise wrong(
                FILE, f"it has {len(fitting)} packages for {shown(name)}", "it has to have one", "run uv lock again"
            )
        return fitting[0]


def _is_root(package: _Table) -> bool:
    source = package.get("source")
    return isinstance(source, dict) and any(source.get(kind) == "." for kind in _HERE)


def _needs(package: _Table, extra: str) -> Iterator[_Table]:
    """Dependencies of a package, or of one of its extras, that are wanted here."""
    if extra:
        optional = package.get("optional-dependencies", {})
        listed = _tables(optional if isinstance(optional, dict) else {}, extra)
    else:
        listed = _tables(package, "dependencies")
    for needed in listed:
        marker = needed.get("marker")
        if marker is None or holds(_marker(marker), FILE):
            yield needed


def _marker(text: Any) -> Marker:
    try:
        if isinstance(text, str) and len(text) <= 8 * LONGEST_REQUIREMENT:
            return Marker(text)
    except (InvalidMarker, ValueError, RecursionError):
        pass
    raise _unreadable(f"the marker {shown(str(text))}")


def _extras(needed: _Table) -> list[str]:
    extras = needed.get("extra", [])
    if isinstance(extras, list) and all(isinstance(extra, str) for extra in extras):
        return extras
    raise _unreadable("a list of extras")


def _pin(package: _Table) -> Requirement:
    name = _text(package, "name")
    source = package.get("source")
    if not isinstance(source, dict) or set(source) != {"registry"}:
        raise wrong(
            FILE,
            f"{shown(name)} does not come from a package index",
            "repositories, addresses and paths are not fetched",
            "depend on a release of it in the package index, or publish its code as part of the source",
        )
    version = _text(package, "version")
    try:
        return requirement_of(f"{name}=={Version(version)}", FILE)
    except InvalidVersion:
        raise _unreadable(f"the version of {shown(name)}") from None


def _wheel_hashes(package: _Table) -> frozenset[str]:
    """SHA-256 of the package's wheels. Raises BuildFailed where there is none: only wheels are installed."""
    name = _text(package, "name")
    digests = [sha256_of(str(wheel.get("hash"))) for wheel in _tables(package, "wheels")]
    if not digests:
        raise wrong(
            FILE,
            f"{shown(name)} has no wheel",
            "building from source would run its author's code, so only wheels are installed",
            "choose a version with a wheel, and run uv lock again",
        )
    if None in digests:
        raise _unreadable(f"a hash of {shown(name)}")
    return frozenset(digest for digest in digests if digest)


def _tables(table: _Table, key: str) -> list[_Table]:
    value = table.get(key, [])
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise _unreadable(shown(key))


def _text(table: _Table, key: str) -> str:
    value = table.get(key)
    if isinstance(value, str) and value:
        return value
    raise _unreadable(f"the {key} of a package")


def _unreadable(part: str) -> BuildFailed:
    return wrong(FILE, f"{part} cannot be read", "it is not as uv writes it", "run uv lock again")
