"""Byte-code in environments: made by troth alone, checked like every other file, and never missed when it is gone."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.builds.index import PackageIndex
from tests.builds.workshop import Workshop, overwrite, remove
from troth.builds.byte_code import place_of
from troth.builds.services import run
from troth.sandbox.launcher import Confinement, Launcher

MODULES = ["one/__init__.py", "one/more.py", "flat.py"]


@pytest.fixture
def built(own: Workshop, index: PackageIndex) -> tuple[str, Path]:
    """An environment with a package, a module, one that is no Python, and one that is no module."""
    files = {name: f"name = {name!r}\n".encode() for name in MODULES}
    index.add("one", "1.0", {**files, "wrong.py": b"this is no Python", "zero.py": b"\0", "data.txt": b"x = 1"})
    return own.built("one")


def byte_code(site: Path) -> list[str]:
    return sorted(str(path.relative_to(site)) for path in site.rglob("*.pyc"))


def test_byte_code_lies_where_the_interpreter_looks() -> None:
    for module in ("flat.py", "one/__init__.py", "one/two/more.thing.py"):
        assert place_of(module) == importlib.util.cache_from_source(module)


def test_modules_are_compiled_once(own: Workshop, built: tuple[str, Path]) -> None:
    digest, site = built
    content = own.environments.content(digest)
    assert byte_code(site) == []
    assert own.environments.warm(digest, MODULES[:2]) == 2
    assert own.environments.warm(digest, MODULES) == 1
    assert own.environments.warm(digest, MODULES) == 0
    assert byte_code(site) == sorted(map(place_of, MODULES))
    assert all(path.stat().st_mode & 0o222 == 0 for path in [site, *site.rglob("*")])
    own.ready(digest)
    assert own.environments.content(digest) == own.environments.rebuild(digest) == content
    assert (own.builds, own.altered, own.scratch()) == (1, [], [])


def test_what_was_compiled_is_what_is_imported(own: Workshop, built: tuple[str, Path], launcher: Launcher) -> None:
    digest, site = built
    own.environments.warm(digest, MODULES)
    code = (
        "import sys; sys.path.insert(0, '/environment')\n"
        "import importlib._bootstrap_external as b\n"
        "b.SourceLoader.source_to_code = None\n"  # compiling would fail
        "import one.more, flat; print(one.name, one.more.name, flat.name, flat.__cached__, one.more.__file__)"
    )
    confinement = Confinement([launcher.interpreter, "-I", "-S", "-B", "-c", code], [(str(site), "/environment")])
    ended = run(launcher, confinement, given=b"", seconds=20, most_output=4096)
    assert ended.succeeded, ended
    expected = [*MODULES, f"/environment/{place_of('flat.py')}", "/environment/one/more.py"]
    assert ended.output.decode().split() == expected


def test_what_is_no_module_of_the_environment_is_left_out(own: Workshop, built: tuple[str, Path]) -> None:
    digest, site = built
    hostile: list[Any] = [
        "../../etc/x.py", "/etc/x.py", "one/../flat.py", "data.txt", "gone.py", "", "flat.py\0", "wrong.py", "zero.py", None, 7,
        "one-1.0.dist-info/METADATA", "one", "./flat.py", b"flat.py", ("flat.py",), ["flat.py"], {},
    ]  # fmt: skip
    for module in hostile:
        assert own.environments.warm(digest, [module]) == 0, module
    assert byte_code(site) == []
    assert own.environments.warm(digest, [*hostile, "flat.py"]) == 1
    own.ready(digest)
    assert (own.builds, own.altered) == (1, [])


def test_modules_that_the_compiler_cannot_take_cost_nothing_else(own: Workshop, index: PackageIndex) -> None:
    deep = b"x = " + b"-" * 3_000_000 + b"1\n"
    large = b"#" * (17 << 20)
    index.add("one", "1.0", {"deep.py": deep, "large.py": large, "flat.py": b"x = 1\n"})
    digest, site = own.built("one")
    assert own.environments.warm(digest, ["deep.py", "large.py", "flat.py"]) == 1
    assert byte_code(site) == [place_of("flat.py")]
    own.ready(digest)
    assert own.altered == []


def test_byte_code_that_was_altered_is_found_and_made_again(own: Workshop, built: tuple[str, Path]) -> None:
    digest, site = built
    own.environments.warm(digest, MODULES)
    place = place_of("flat.py")
    good = (site / place).read_bytes()
    overwrite(site / place, good[:-3] + b"bad")
    own.ready(digest)
    assert own.altered == [(digest, [f"altered {place}"])]
    assert (site / place).read_bytes() == good
    assert byte_code(site) == sorted(map(place_of, MODULES))


def test_byte_code_that_nobody_made_is_found(own: Workshop, built: tuple[str, Path]) -> None:
    digest, site = built
    own.environments.warm(digest, ["flat.py"])
    other = site / "__pycache__" / "wrong.cpython-311.pyc"
    other.parent.chmod(0o755)
    other.write_bytes(b"evil")
    own.ready(digest)
    assert own.altered == [(digest, ["added __pycache__/wrong.cpython-311.pyc"])]
    assert byte_code(site) == [place_of("flat.py")]


def test_byte_code_that_is_gone_is_not_missed(own: Workshop, built: tuple[str, Path]) -> None:
    digest, site = built
    own.environments.warm(digest, MODULES)
    remove(site / place_of("flat.py"))
    own.ready(digest)
    assert (own.builds, own.altered) == (1, [])
    assert own.environments.warm(digest, MODULES) == 1


def test_byte_code_of_a_crash_is_known(own: Workshop, built: tuple[str, Path]) -> None:
    """The record is written first: what was not put in place is missing, and what was is checked by its hash."""
    digest, site = built
    own.environments.warm(digest, MODULES)
    folders = own.environments._folders
    record = folders.record(digest)
    assert record is not None
    unstamped = {place: known._replace(stamp=(0, 0, 0, 0)) for place, known in record.compiled.items()}
    folders.write_record(digest, type(record)(content=record.content, files=record.files, compiled=unstamped))
    remove(site / place_of("flat.py"))
    own.ready(digest)
    assert (own.builds, own.altered) == (1, [])
    assert own.environments.warm(digest, MODULES) == 1
