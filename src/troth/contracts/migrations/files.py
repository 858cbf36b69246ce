"""Chains of migrations read from files: numbered SQL, Alembic and Django. Nothing is imported and nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Final

from troth.contracts.migrations.chain import Chain, Fault, Migration, digest, graph_faults, ordered
from troth.contracts.product import Migrations
from troth.versions.releases.evidence import Kind

_SQL: Final = re.compile(r"V?(\d+)[_.-].*\.sql|V?(\d+)\.sql", re.IGNORECASE)
#: files that undo a migration
_BACKWARDS: Final = re.compile(r"[._-](down|rollback|undo)\.sql$", re.IGNORECASE)
#: longer numbers are times, between which there is no gap
_LONGEST_COUNT: Final = 6
_DJANGO: Final = re.compile(r"(?:.*/)?(\w+)/migrations/(\d\w*)\.py")
_UNREADABLE: Final = "mend the file, so that it can be read without being run"


def chain_of(kind: str, files: Mapping[str, bytes], folder: str) -> Chain:
    """The chain in these files, by their paths. `kind` is sql, alembic or django."""
    return _KINDS[kind](dict(sorted(files.items())), folder)


def told_faults(kind: str, migrations: Sequence[Migration], folder: str) -> tuple[Fault, ...]:
    """What is wrong with a chain that is told and not read: heads and gaps, by its parents or its numbers."""
    if kind == "sql":
        numbered = sorted(
            (replace(one, position=one.position or 0) for one in migrations),
            key=lambda one: (one.position or 0, one.id),
        )
        return tuple(_sql_faults(numbered, folder))
    groups: dict[str, dict[str, Migration]] = {}
    for one in migrations:
        groups.setdefault(one.id.partition(".")[0] if kind == "django" else "", {})[one.id] = one
    return tuple(fault for group, found in groups.items() for fault in graph_faults(found, folder, group))


def as_it_is_run(declared: Migrations, chain: Chain) -> Chain:
    """The chain without several heads as a fault, where they are run on purpose, as `alembic upgrade heads` does."""
    if "heads" not in declared.run:
        return chain
    return Chain(chain.migrations, tuple(one for one in chain.faults if one.kind is not Kind.MIGRATION_HEADS))


def is_migration(kind: str, path: str) -> bool:
    """Whether a file below the folder of migrations may be one."""
    name = PurePosixPath(path).name
    if kind == "sql":
        return _SQL.fullmatch(name) is not None and _BACKWARDS.search(name) is None
    if kind == "django":
        return _DJANGO.fullmatch(path) is not None
    return name.endswith(".py") and name not in ("env.py", "__init__.py")


# --- numbered SQL


def _sql(files: Mapping[str, bytes], folder: str) -> Chain:
    found = sorted(
        (_numbered(path, content) for path, content in files.items()), key=lambda one: (one.position or 0, one.id)
    )
    return Chain(tuple(found), tuple(_sql_faults(found, folder)))


def _numbered(path: str, content: bytes) -> Migration:
    name = PurePosixPath(path).name
    number = _SQL.fullmatch(name)
    assert number is not None
    text = "\n".join(line.rstrip() for line in content.decode(errors="surrogateescape").splitlines()).strip()
    return Migration(name.removesuffix(".sql"), path, (), digest(text), int(number[1] or number[2]))


def _sql_faults(found: Sequence[Migration], folder: str) -> Iterator[Fault]:
    for former, one in pairwise(found):
        assert former.position is not None
        assert one.position is not None
        if one.position == former.position:
            words = f"{former.id} and {one.id} have the same number"
            yield Fault(Kind.MIGRATION_HEADS, one.path, words, "give each a number of its own")
        elif one.position > former.position + 1 and len(str(one.position)) <= _LONGEST_COUNT:
            words = f"between {former.id} and {one.id} a number is missing"
            yield Fault(Kind.MIGRATION_GAP, one.path, words, "number migrations one after the other")


# --- modules of Python


def _alembic(files: Mapping[str, bytes], folder: str) -> Chain:
    found: dict[str, Migration] = {}
    faults: list[Fault] = []
    for path, content in files.items():
        names = _assigned(path, content, ("revision", "down_revision"), faults)
        if names is None or "revision" not in names:
            continue
        revision, parents = str(names["revision"]), _listed(names.get("down_revision"))
        if revision in found:
            words = f"{found[revision].path} and {path} are both {revision}"
            faults.append(Fault(Kind.MIGRATION_HEADS, path, words, "give each a revision of its own"))
        found[revision] = Migration(revision, path, parents, digest(names[""]))
    return Chain(tuple(ordered(found)), (*faults, *graph_faults(found, folder)))


def _listed(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value),)


def _django(files: Mapping[str, bytes], folder: str) -> Chain:
    apps: dict[str, dict[str, Migration]] = {}
    faults: list[Fault] = []
    for path, content in files.items():
        where = _DJANGO.fullmatch(path)
        names = _assigned(path, content, ("dependencies",), faults)
        if where is None or names is None or "dependencies" not in names:
            continue
        app, name = where[1], where[2]
        pairs = [one for one in names["dependencies"] or () if isinstance(one, tuple) and len(one) == 2]
        parents = tuple(f"{app}.{before}" for label, before in pairs if label == app and before != "__first__")
        apps.setdefault(app, {})[f"{app}.{name}"] = Migration(f"{app}.{name}", path, parents, digest(names[""]))
    for app, found in apps.items():
        faults += graph_faults(found, folder, app)
    return Chain(tuple(one for found in apps.values() for one in ordered(found)), tuple(faults))


def _assigned(path: str, content: bytes, wanted: Sequence[str], faults: list[Fault]) -> dict[str, Any] | None:
    """The plain values that a module gives these names, in it or in a class of it; under "" what the module means."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        faults.append(Fault(Kind.MIGRATION_GAP, path, f"{path} cannot be read: {error}", _UNREADABLE))
        return None
    names: dict[str, Any] = {"": _meaning(tree)}
    inner = [node for one in tree.body if isinstance(one, ast.ClassDef) for node in one.body]
    for node in [*tree.body, *inner]:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if isinstance(target, ast.Name) and target.id in wanted and value is not None:
                names[target.id] = _value(value)
    return names


def _value(node: ast.expr) -> Any:
    """A plain value; of a list, those of its elements that are plain."""
    if isinstance(node, ast.List | ast.Tuple):
        values = [_value(one) for one in node.elts]
        return tuple(one for one in values if one is not None)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return None


def _meaning(tree: ast.Module) -> str:
    """What a module does: comments, formatting and the text at its top are left out."""
    body = tree.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return ast.dump(ast.Module(body=body, type_ignores=[]))


_KINDS: Final[dict[str, Callable[[Mapping[str, bytes], str], Chain]]] = {
    "sql": _sql,
    "alembic": _alembic,
    "django": _django,
}
