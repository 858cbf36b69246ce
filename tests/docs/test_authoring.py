"""The examples of the page on authoring are algorithms, and its tables and limits are those of the code."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, Optional

import pytest

from docs.generate import FOLDER
from tests.docs.pages import files, prose, session, tables
from tests.docs.terminal import Terminal
from troth.authoring import schema_of
from troth.authoring.reading import DIALECT
from troth.builds import dependencies, environment_files, requirements, requirements_file, uv, uv_lock
from troth.builds.dependencies import read_dependencies
from troth.contracts import document, project
from troth.runtime import report, worker
from troth.runtime.inside import entry
from troth.sdk.folder import IGNORED
from troth.versions import manifest
from troth.versions.permissions import Permissions

PAGE = FOLDER / "authoring.md"
_MEBIBYTE, _KIBIBYTE = 1 << 20, 1 << 10


def test_every_example_runs_and_is_built_and_answers_the_same(terminal: Terminal) -> None:
    for path, text in files(PAGE).items():
        terminal.write(path, text)
    terminal.start("troth up --owner ada")
    terminal.play(PAGE)
    runs = [step for step in session(PAGE) if not any(line.startswith("error: ") for line in step.printed)]
    assert len(runs) >= 5
    for step in runs:
        options, folder, given = re.fullmatch(r"troth run (--algorithm \S+ )?(\w+) (.+)", step.command).groups("")  # type: ignore[union-attr]
        built = json.loads(terminal.ask(f"troth compile --json {options}{folder}"))
        assert built["status"] == "succeeded"
        assert terminal.ask(f"troth call {built['algorithm']}/{built['hash']} {given}").splitlines() == step.printed


def test_schemas_of_types() -> None:
    known = {"Any": Any, "Literal": Literal, "Optional": Optional}
    for annotation, _, schema in tables(PAGE)[0]:
        expected = {"$schema": DIALECT, **json.loads(schema.strip("`"))}
        assert schema_of(eval(annotation.strip("`"), known)) == expected


def test_requirements_of_the_example() -> None:
    found = read_dependencies({"requirements.txt": files(PAGE)["requirements.txt"].encode()}, [])
    assert found.requirements == ("idna<4,>=3", "six==1.17.0")
    assert set(found.hashes) == {"six"}


def test_every_key_is_listed() -> None:
    listed = " ".join(row[0] for row in tables(PAGE)[1])
    keys = project._KEYS | project._CONTRACT_KEYS | set(Permissions().as_dict())
    assert sorted(key for key in keys if f"{key}`" not in listed) == []


def test_every_type_of_error_is_listed() -> None:
    assert sorted(kind for kind in worker.ERROR_TYPES if f"`{kind}`" not in PAGE.read_text()) == []


def test_everything_that_is_left_out_is_listed() -> None:
    assert sorted(name for name in IGNORED if f"`{name}`" not in PAGE.read_text()) == []


@pytest.mark.parametrize("option", [*requirements_file._GRANTED, *requirements_file._FILES, *requirements_file._CODE])
def test_options_of_requirements_are_listed(option: str) -> None:
    shorter = {"--requirement": "-r", "--constraint": "-c", "--editable": "-e"}
    assert f"`{shorter.get(option, option)}`" in PAGE.read_text()


def test_limits() -> None:
    said = {row[0].strip("`"): row[1] for row in tables(PAGE)[3]}
    assert said == {
        "a source": f"{manifest.LARGEST_SOURCE // _MEBIBYTE} MiB in {manifest.MOST_FILES:,} files",
        "a path in it": f"{manifest._LONGEST_PATH} bytes, {manifest._LONGEST_PART} for each part; printable; no two that differ"
        " by case only",
        "troth.toml": f"{project._LARGEST // _KIBIBYTE} KiB",
        "a schema or the examples": f"{document._LARGEST // _MEBIBYTE} MiB; {document._MOST_EXAMPLES:,} examples",
        "requirements.txt": f"{requirements_file._LARGEST // _MEBIBYTE} MiB,"
        f" {requirements_file._LONGEST_LINE:,} characters a line",
        "uv.lock": f"{uv_lock._LARGEST // _MEBIBYTE} MiB",
        "pyproject.toml": f"{dependencies._LARGEST_PYPROJECT // _KIBIBYTE} KiB",
        "requirements": f"{requirements.MOST_REQUIREMENTS:,}, each of {requirements.LONGEST_REQUIREMENT:,} characters",
        "wheels of one environment": f"{uv._LARGEST_DOWNLOAD // (_KIBIBYTE * _MEBIBYTE)} GiB to download,"
        f" {environment_files._MOST_FILES:,} files",
        "a contract from annotations": f"{entry.LARGEST_REPORT // _MEBIBYTE} MiB, {report._DEEPEST} levels",
        "memory, time, input and result of a call": "[settings](settings.md) of the server",
    }


def test_every_file_of_dependencies_is_named_in_order() -> None:
    found = re.findall(r"^\d\. `([\w.]+)`", prose(PAGE), re.MULTILINE)
    assert tuple(found) == dependencies.DEPENDENCY_FILES
