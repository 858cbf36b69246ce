"""Python source as a tree of griffe's objects, read from text alone: no file is opened and nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import griffe

from troth.contracts.python_api.annotations import Type
from troth.contracts.python_api.annotations import read as read_type
from troth.contracts.python_api.statements import carry_out, other_exports, raising

_LARGEST = 4 << 20
_MOST_NODES = 1_500_000
_DEEPEST = 100
_MOST_STEPS = 50
_AS = re.compile(r"\bas\b")
ONLY_MODULE = "module"
#: The name of a package whose own name is not told, because its `__init__.py` lies at the top.
_ROOT = "package"


class UnreadableSource(Exception):
    """A text that is no Python, or more of it than is read. The words name the place."""


@dataclass(frozen=True, slots=True)
class Sources:
    """All modules of one side, by their full names, and what annotations in them have to know."""

    modules: dict[str, griffe.Module]
    answers: dict[tuple[Type, Type], bool | None] = field(default_factory=dict)
    #: by module, the first lines of functions that yield
    generators: dict[str, set[int]] = field(default_factory=dict)
    #: by module, the names that are imported to be offered
    exported: dict[str, set[str]] = field(default_factory=dict)
    #: by module, the statements that change what it exports in ways that are not followed
    other_exports: dict[str, list[str]] = field(default_factory=dict)
    #: by module, what may be raised when it is imported
    raising: dict[str, list[str]] = field(default_factory=dict)
    #: what was worked out of classes, by what it is and their names
    worked_out: dict[tuple[str, str], Any] = field(default_factory=dict)
    #: types that were read before, by the module and the text of the annotation
    types: dict[tuple[str, str], Type | None] = field(default_factory=dict)
    #: the newer modules, where these are the older ones: a class that moved there is the same type
    newer: Sources | None = None

    def is_generator(self, function: griffe.Function) -> bool:
        """Whether a call gives a generator."""
        return function.lineno in self.generators.get(function.module.path, ())

    def find(self, path: str) -> griffe.Object | None:
        """The object at a full name, through as many imports as lie between, or None outside of these modules."""
        for _ in range(_MOST_STEPS):
            found = self._at(path)
            if not isinstance(found, griffe.Alias):
                return found
            path = found.target_path
        return None

    def holds(self, path: str) -> bool:
        """Whether the full name lies in one of these modules."""
        while path not in self.modules:
            path, dot, _ = path.rpartition(".")
            if not dot:
                return False
        return True

    def _at(self, path: str) -> griffe.Object | griffe.Alias | None:
        parts = path.split(".")
        for cut in range(len(parts), 0, -1):
            found: griffe.Object | griffe.Alias | None = self.modules.get(".".join(parts[:cut]))
            if found is None:
                continue
            for place, part in enumerate(parts[cut:], cut):
                if isinstance(found, griffe.Alias):
                    return self.find(".".join([found.target_path, *parts[place:]]))
                found = found.members.get(part) if found is not None else None
            return found
        return None


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that an annotation in one module sees."""

    sources: Sources
    module: griffe.Module

    @property
    def answers(self) -> dict[tuple[Type, Type], bool | None]:
        """What was answered before for these sources."""
        return self.sources.answers

    def full_name(self, name: str) -> str:
        """The name as every module would write it: through imports, and with its module where it is defined here."""
        first, dot, rest = name.partition(".")
        if first in self.module.imports:
            name = f"{self.module.imports[first]}{dot}{rest}"
        elif first in self.module.members:
            name = f"{self.module.path}.{name}"
        for sources in (self.sources, self.sources.newer):
            found = sources.find(name) if sources is not None and sources.holds(name) else None
            name = found.path if found is not None else name
        return name

    def alias(self, name: str) -> ast.expr | None:
        """What an alias of types stands for."""
        found = self.sources.find(name) if self.sources.holds(name) else None
        if not isinstance(found, griffe.Attribute) or found.value is None or not _may_be_alias(found):
            return None
        return expression(str(found.value))

    def bases(self, name: str) -> tuple[str, ...] | None:
        """The full names of the bases of a class of these sources."""
        found = self.sources.find(name) if self.sources.holds(name) else None
        if not isinstance(found, griffe.Class):
            return None
        scope = Scope(self.sources, found.module)
        return tuple(scope.full_name(plain_name(str(base))) for base in found.bases) or ("object",)

    def is_protocol(self, name: str) -> bool:
        """Whether a class is matched by its members."""
        return any(base.rpartition(".")[2] == "Protocol" for base in self.bases(name) or ())

    def type_of(self, annotation: Any) -> Type | None:
        """The type that an annotation spells."""
        key, known = (self.module.path, str(annotation)), self.sources.types
        if key not in known:
            known[key] = read_type(key[1], self)
        return known[key]


def plain_name(text: str) -> str:
    """The name of a base class without its arguments."""
    return text.partition("[")[0]


def expression(text: str) -> ast.expr | None:
    """A text as an expression, or None for what is none."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _may_be_alias(attribute: griffe.Attribute) -> bool:
    if attribute.annotation is not None:
        return str(attribute.annotation).rpartition(".")[2] == "TypeAlias"
    node = expression(str(attribute.value))
    return isinstance(node, ast.Subscript | ast.BinOp | ast.Name | ast.Attribute)


# --- from text


def read(source: str | Mapping[str, str], newer: Sources | None = None) -> Sources:
    """The modules of a side: one text, or texts by their paths in a package. Raises UnreadableSource."""
    texts = {f"{ONLY_MODULE}.py": source} if isinstance(source, str) else dict(source)
    if sum(map(len, texts.values())) > _LARGEST:
        raise UnreadableSource(f"the source is larger than {_LARGEST >> 20} MiB")
    sources = Sources({}, newer=newer)
    rooted = "__init__.py" in texts
    for path, text in sorted(texts.items(), key=lambda item: (item[0].count("/"), not _is_package(item[0]), item[0])):
        if path.endswith((".py", ".pyi")):
            _add(sources, path, text, rooted)
    for module in list(sources.modules.values()):
        _expand(sources, module)
    return sources


def _is_package(path: str) -> bool:
    return PurePosixPath(path).stem == "__init__"


def told_name(path: str) -> str:
    """A full name as who gave the sources would say it."""
    for root in (ONLY_MODULE, _ROOT):
        if path == root or path.startswith(f"{root}."):
            return path[len(root) + 1 :]
    return path


def _add(sources: Sources, path: str, text: str, rooted: bool) -> None:
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if parts and parts[0] in ("src", "/"):
        parts = parts[1:]
    if rooted:
        parts = [_ROOT, *parts]
    if len(parts) > 1 and parts[-1] == "__init__":
        parts = parts[:-1]
    tree = _checked(path, text)
    parent = sources.modules.get(".".join(parts[:-1]))
    try:
        module = griffe.visit(
            parts[-1],
            Path(path),
            text,
            extensions=griffe.Extensions(),
            parent=parent,
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableSource(f"{path}: {error}") from None
    if parent is not None:
        parent.members.setdefault(parts[-1], module)
    sources.modules[".".join(parts)] = module
    sources.generators[module.path] = _yielding(tree) if "yield" in text else set()
    sources.exported[module.path] = _said_again(tree) if _AS.search(text) else set()
    carry_out(tree, module)
    sources.other_exports[module.path] = other_exports(tree) if "__all__" in text else []
    sources.raising[module.path] = raising(tree) if "raise" in text else []


def _checked(path: str, text: str) -> ast.Module:
    """The syntax tree. Refuses what is no Python, and what is nested so deeply that reading it would take the stack."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise UnreadableSource(f"{path}, line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableSource(f"{path}: {error or 'it is nested too deeply'}") from None
    level: list[ast.AST] = [tree]
    total = 0
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        total += len(level)
        if total > _MOST_NODES:
            raise UnreadableSource(f"{path}: more than {_MOST_NODES} parts of syntax")
        if not level:
            return tree
    line = next((node.lineno for node in level if hasattr(node, "lineno")), 0)
    raise UnreadableSource(f"{path}, line {line}: nested more than {_DEEPEST} levels deep")


def _expand(sources: Sources, module: griffe.Module) -> None:
    """Puts in place what `from x import *` brings from modules of the same sources."""
    for name, member in list(module.members.items()):
        if isinstance(member, griffe.Alias) and member.wildcard:
            del module.members[name]
            target = sources.modules.get(member.wildcard)
            for brought in exposed(target) if target is not None else ():
                path = f"{member.wildcard}.{brought}"
                module.members.setdefault(brought, griffe.Alias(brought, path, parent=module))
                module.imports.setdefault(brought, path)


def exposed(module: griffe.Module) -> Iterator[str]:
    """The names that `from module import *` brings."""
    for name in module.members:
        if str(name) in (module.exports or ()) or (module.exports is None and not name.startswith("_")):
            yield name


def _said_again(tree: ast.Module) -> set[str]:
    """Names that are imported as themselves, `from m import x as x`, which says that they are offered."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname for node in imports for alias in node.names if alias.asname and alias.asname == alias.name}


def _yielding(tree: ast.Module) -> set[int]:
    """The first lines of functions that yield."""
    found: set[int] = set()
    rest: list[tuple[ast.AST, set[int]]] = [(tree, set())]
    while rest:
        node, function = rest.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = {node.lineno, *(decorator.lineno for decorator in node.decorator_list)}
        elif isinstance(node, ast.Lambda | ast.ClassDef):
            function = set()
        elif isinstance(node, ast.Yield | ast.YieldFrom):
            found |= function
        rest += [(child, function) for child in ast.iter_child_nodes(node)]
    return found
