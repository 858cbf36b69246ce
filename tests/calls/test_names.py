"""What people call a build that runs: told by look-ups, however much is published."""

from __future__ import annotations

from typing import Any

from immutables import Map

from troth.calls.routing import Route, RoutingTable, VersionFact, algorithm_routes
from troth.runtime.engine import VersionSpec


def _route(version: str, build: int) -> Route:
    spec = VersionSpec(f"id:{build}", "id", f"{build:040x}", "manifest", "src/x.py", "environment", "isolated")
    return Route(version, "manifest", spec, True, True)


def _fact(number: tuple[int, int, int], build: int, *, public: bool = True) -> VersionFact:
    return VersionFact(number, public, _route(".".join(map(str, number)), build))


class _LookUps:
    """A map that can be asked for one key, and cannot be walked."""

    def __init__(self, inside: Any) -> None:
        self.get = inside.get


def test_a_build_has_its_highest_public_number_and_else_what_there_is() -> None:
    published = [
        _fact((1, 0, 0), 1),
        _fact((1, 10, 0), 1),
        _fact((1, 9, 0), 1),
        _fact((2, 0, 0), 1, public=False),
        _fact((0, 1, 0), 2, public=False),
        _fact((0, 2, 0), 2, public=False),
    ]
    built = {f"{build:040x}": _route(f"{build:040x}", build) for build in (1, 2, 3)}
    routes: Any = algorithm_routes("owner", published, built)
    table = RoutingTable(_LookUps(Map({"ada/echo": routes})), Map(), Map(), _LookUps(Map({"id": "ada/echo"})))  # type: ignore[arg-type]
    assert table.name("id", "id:1") == ("ada/echo", "1.10.0")
    assert table.name("id", "id:2") == ("ada/echo", "0.2.0")
    assert table.name("id", "id:3") == ("ada/echo", f"{3:040x}")
    assert table.name("id", "id:4") == ("", "")
    assert table.name("gone", "id:1") == ("", "")
