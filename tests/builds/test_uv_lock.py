"""Locks that uv wrote, and what somebody may have made of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.builds.index import PackageIndex
from tests.builds.workshop import Workshop
from troth.builds.dependencies import Dependencies, read_dependencies
from troth.errors import BuildFailed

A, B, C = "a" * 64, "b" * 64, "c" * 64
REGISTRY = '{ registry = "https://example.invalid/simple" }'


def package(name: str, version: str = "1.0", digest: str = A, more: str = "", source: str = "") -> str:
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        f"source = {source or REGISTRY}\n"
        + (
            f'wheels = [{{ url = "https://example.invalid/x.whl", hash = "sha256:{digest}", size = 1 }}]\n'
            if digest
            else ""
        )
        + f"{more}\n"
    )


def project(*needs: str, more: str = "") -> str:
    listed = "".join(f"    {need},\n" for need in needs)
    return f'[[package]]\nname = "mine"\nversion = "0.1"\nsource = {{ virtual = "." }}\ndependencies = [\n{listed}]\n{more}\n'


def lock(*parts: str, head: str = 'version = 1\nrequires-python = ">=3.9"\n') -> Dependencies:
    return read_dependencies({"uv.lock": "\n".join([head, *parts]).encode()}, ())


def refusal(*parts: str, head: str = 'version = 1\nrequires-python = ">=3.9"\n') -> str:
    with pytest.raises(BuildFailed) as caught:
        lock(*parts, head=head)
    assert caught.value.why
    assert caught.value.repair
    assert caught.value.what.startswith("uv.lock: ")
    return caught.value.what


def test_what_the_root_reaches_here_is_pinned_with_the_hashes_of_its_wheels() -> None:
    found = lock(
        project('{ name = "One" }', '{ name = "windows", marker = "sys_platform == \'win32\'" }'),
        package("one", "1.2", A, 'dependencies = [{ name = "two", extra = ["fast"] }]'),
        package("two", "2.0", B, '[package.optional-dependencies]\nfast = [{ name = "three" }]'),
        package("three", "3.0", C, 'dependencies = [{ name = "one" }]'),
        package("windows"),
        package("unreached"),
    )
    assert found.requirements == ("one==1.2", "three==3.0", "two==2.0")
    assert found.hashes == {"one": {A}, "two": {B}, "three": {C}}
    assert found.origin == "uv.lock"


def test_development_groups_and_extras_of_the_project_are_left_out() -> None:
    more = (
        '[package.optional-dependencies]\nx = [{ name = "two" }]\n[package.dev-dependencies]\ndev = [{ name = "two" }]'
    )
    assert lock(project('{ name = "one" }', more=more), package("one"), package("two")).requirements == ("one==1.0",)


def test_one_of_several_versions_is_chosen_by_the_dependency() -> None:
    needs = [
        f'{{ name = "one", version = "{version}", source = {REGISTRY}, marker = "python_full_version {holds}" }}'
        for version, holds in (("1.0", "< '3'"), ("2.0", ">= '3'"))
    ]
    assert lock(project(*needs), package("one", "1.0"), package("one", "2.0", B)).hashes == {"one": {B}}


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('{ git = "https://example.invalid/x?rev=1#2" }', "does not come from a package index"),
        ('{ url = "https://example.invalid/x.whl" }', "does not come from a package index"),
        ('{ path = "/etc/x.whl" }', "does not come from a package index"),
        ('{ directory = "../x" }', "does not come from a package index"),
        ('{ editable = "packages/x" }', "does not come from a package index"),
        ('{ virtual = "." }', "2 projects at its root"),
        ('"registry"', "does not come from a package index"),
        ('{ registry = "x", git = "y" }', "does not come from a package index"),
    ],
)
def test_only_an_index_gives_packages(source: str, word: str) -> None:
    assert word in refusal(project('{ name = "one" }'), package("one", source=source))


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([project('{ name = "one" }')], "0 packages for 'one'"),
        ([project('{ name = "one" }'), package("one"), package("one", "2.0")], "2 packages for 'one'"),
        ([package("one")], "0 projects at its root"),
        ([project('{ name = "one" }'), package("one", digest="")], "'one' has no wheel"),
        ([project('{ name = "one" }'), package("one", digest="xyz")], "a hash of 'one'"),
        ([project('{ name = "one" }'), package("one", "1.0 ; evil")], "the version of 'one'"),
        ([project('{ name = "one" }'), package("one", "1.0\\nevil")], "the version of 'one'"),
        ([project('{ name = 1 }')], "the name of a package"),
        ([project('"one"')], "'dependencies' cannot be read"),
        ([project('{ name = "one", marker = "evil" }'), package("one")], "the marker"),
        ([project('{ name = "one", marker = 3 }'), package("one")], "the marker"),
        ([project('{ name = "one", marker = "' + "(" * 3900 + "os_name>'a'" + ")" * 3900 + '" }'), package("one")], "the marker"),
        ([project('{ name = "one", extra = "x" }'), package("one")], "a list of extras"),
        (["package = 3"], "'package' cannot be read"),
    ],
)  # fmt: skip
def test_what_uv_would_not_have_written_is_refused(parts: list[str], word: str) -> None:
    assert word in refusal(*parts)


def test_formats_and_interpreters_of_others_are_refused() -> None:
    assert "its format is '2'" in refusal(project(), head="version = 2\n")
    assert "leaves out Python" in refusal(project(), head='version = 1\nrequires-python = ">=3.99"\n')


@pytest.fixture
def locked(tmp_path: Path) -> bytes:
    """A lock that uv itself wrote, of a project that needs click, and tomli on older interpreters only."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.9"\n'
        'dependencies = ["click==8.1.8", "tomli; python_version < \'3.11\'", "colorama; sys_platform == \'win32\'"]\n'
        '[project.optional-dependencies]\nx = ["six"]\n[dependency-groups]\ndev = ["iniconfig"]\n'
    )
    subprocess.run([find_uv_bin(), "lock", "--quiet"], cwd=tmp_path, env=dict(os.environ), check=True)
    return (tmp_path / "uv.lock").read_bytes()


def test_a_lock_of_uv_is_locked_again_to_the_same(locked: bytes, workshop: Workshop) -> None:
    found = read_dependencies({"uv.lock": locked}, ())
    assert found.requirements == ("click==8.1.8",)
    assert workshop.lock(files={"uv.lock": locked}).packages == ("click==8.1.8",)


def test_a_wrong_hash_in_a_lock_is_told_of(own: Workshop, index: PackageIndex) -> None:
    index.add("one", "1.0", {"one.py": b""})
    content = "\n".join(["version = 1", project('{ name = "one" }'), package("one", digest=B)]).encode()
    with pytest.raises(BuildFailed, match=r"one==1\.0 is a package whose hash changed") as caught:
        own.lock(files={"uv.lock": content})
    assert "uv.lock allows other files" in caught.value.why
