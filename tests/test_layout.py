"""The house: floors, sizes, names, and clauses that are proved."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import troth
from tests.conftest import LONGEST
from tests.mutants.table import MUTANTS
from troth.versions.clauses import policy

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "troth"
MIGRATIONS = SOURCE / "registry" / "migrations" / "versions"
DEMO_SOURCES = SOURCE / "doors" / "cli" / "demo" / "sources"
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common", "core", "misc"}


def modules() -> Iterator[Path]:
    for path in sorted(SOURCE.rglob("*.py")):
        if MIGRATIONS not in path.parents and DEMO_SOURCES not in path.parents:
            yield path


def functions() -> Iterator[tuple[str, int]]:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1


def test_the_floors_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_functions_and_files_are_small() -> None:
    sizes = dict(functions())
    assert statistics.median(sizes.values()) < 10
    assert {name: size for name, size in sizes.items() if size > 80} == {}
    assert {
        path.name: len(path.read_text().splitlines()) for path in modules() if len(path.read_text().splitlines()) > 400
    } == {}


def test_the_files_that_workers_begin_with_are_there() -> None:
    assert [file for file in LONGEST if not (ROOT / "tests" / file).exists()] == []


def test_names_say_what_is_inside() -> None:
    names = {part for path in modules() for part in path.relative_to(SOURCE).with_suffix("").parts}
    assert names & FORBIDDEN_NAMES == set()


def test_every_module_and_public_class_says_what_it_is() -> None:
    silent = []
    for path in modules():
        tree = ast.parse(path.read_text())
        if path.name != "__init__.py" and ast.get_docstring(tree) is None:
            silent.append(path.name)
        public = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
        if path.name not in (
            "launch.py",
            "worker.py",
            "probe.py",
            "egress_broker.py",
            "egress_entry.py",
            "egress_relay.py",
        ):
            silent += [f"{path.name}:{node.name}" for node in public if ast.get_docstring(node) is None]
    assert silent == []


def test_what_runs_inside_sandboxes_needs_the_standard_library_only() -> None:
    """And what else lies inside with it: the authoring modules, and the kit that stands for Algorithmia's."""
    inside = ("launch", "landlock", "probe", "egress_broker", "egress_entry", "egress_relay")
    alone = [SOURCE / "runtime" / "worker.py", SOURCE / "builds" / "compiler.py"]
    alone += [SOURCE / "sandbox" / f"{name}.py" for name in inside]
    supplied = {*sys.stdlib_module_names, "troth", "adk"}
    for path in [*alone, *(SOURCE / "authoring").glob("*.py"), *(SOURCE / "runtime" / "inside").rglob("*.py")]:
        legal = sys.stdlib_module_names if path in alone else supplied
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert all(module.split(".")[0] in legal for module in found), (path, found)
            assert not any(module.startswith("troth.") and not module.startswith("troth.authoring") for module in found)


def test_the_sdk_imports_without_the_server_s_libraries() -> None:
    code = (
        "import sys\n"
        "for name in ('sqlalchemy', 'starlette', 'uvicorn', 'ray', 'alembic', 'obstore'): sys.modules[name] = None\n"
        "import troth.sdk\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_commands_start_without_what_only_some_need() -> None:
    """A validator and a database take longer to import than most commands take to run."""
    code = (
        "import sys\n"
        "for name in ('jsonschema', 'sqlalchemy', 'starlette', 'uvicorn', 'griffe'): sys.modules[name] = None\n"
        "import troth.doors.cli.main\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_statuses_of_clauses_are_what_they_may_be() -> None:
    planned: set[str] = set()
    for row in policy().clauses.values():
        assert row.status != "shown" or row.kind in ("ADVICE", "CONTEXT"), row.id
        if row.id.startswith("ALG"):
            assert (row.status == "planned") == (row.id in planned), row.id
        for note in row.notes:
            assert note in policy().notes
    assert len(policy().clauses) == 95


def test_every_enforced_clause_has_mutants_and_a_marked_test() -> None:
    text = "".join(path.read_text() for path in (ROOT / "tests" / "clauses").glob("test_*.py"))
    for row in policy().clauses.values():
        if row.status == "enforced":
            assert MUTANTS.get(row.id), row.id
            assert f'clause("{row.id}")' in text, row.id
        else:
            assert row.id not in MUTANTS, row.id


def test_no_file_names_a_registry_s_host() -> None:
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        path = ROOT / name
        if path.is_file():
            content = path.read_bytes()
            assert not any(host.encode() in content for host in hosts), name


@pytest.mark.parametrize("tokens", [["--version"], ["--help"]])
def test_python_m_troth_is_the_command(tokens: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "troth", *tokens], capture_output=True, text=True, check=True)
    assert troth.__version__ in done.stdout or "promise" in done.stdout
