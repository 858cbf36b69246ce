"""What the statements of a module do to its names beside binding them: `del`, changes of `__all__`, and errors on import."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import griffe

_SCOPED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_CHANGING = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "__setitem__", "__delitem__", "__iadd__"}
)


def carry_out(tree: ast.Module, module: griffe.Module) -> None:
    """Takes out of a module what it deletes, and adds to its exports what it appends to `__all__` in plain words."""
    _delete(tree.body, module)
    for statement in tree.body:
        if module.exports is not None:
            module.exports = [*module.exports, *(_appended(statement) or ())]


def other_exports(tree: ast.Module) -> list[str]:
    """The statements that change `__all__` in ways that are not followed, as text."""
    body = [one for one in tree.body if _appended(one) is None and not _is_assignment(one)]
    return [ast.unparse(one) for one in _own(body) if _changes_exports(one)]


def raising(tree: ast.Module) -> list[str]:
    """What a module may raise when it is imported, with the conditions for it, as text."""
    return [*_raising(tree.body, ())]


def _delete(body: Sequence[ast.stmt], holder: griffe.Module | griffe.Class) -> None:
    gone: set[str] = set()
    for statement in body:
        gone -= set(_bound(statement))
        if isinstance(statement, ast.Delete):
            gone |= {target.id for target in _flat(statement.targets) if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.ClassDef):
            inner = holder.members.get(statement.name)
            if isinstance(inner, griffe.Class):
                _delete(statement.body, inner)
    for name in gone & holder.members.keys():
        del holder.members[name]


def _flat(targets: Sequence[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield from _flat(target.elts)
        else:
            yield target


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds in its own scope."""
    for node in _own([statement]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _own(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Every part of syntax in a scope, without what lies in functions and classes in it."""
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPED):
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _appended(statement: ast.stmt) -> list[str] | None:
    """The names in `__all__.append("name")` and `__all__.extend(["name"])`; None for every other statement."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
        return None
    if not _is_exports(call.func.value) or call.func.attr not in ("append", "extend") or call.keywords:
        return None
    given = call.args[0]
    named = given.elts if call.func.attr == "extend" and isinstance(given, ast.List | ast.Tuple) else [given]
    names = [one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    is_text = call.func.attr == "extend" and isinstance(given, ast.Constant)
    return None if is_text or len(names) < len(named) else names


def _is_exports(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "__all__"


def _is_assignment(statement: ast.stmt) -> bool:
    """Whether a statement is one of those by which exports are read."""
    if isinstance(statement, ast.AugAssign):
        return _is_exports(statement.target) and isinstance(statement.op, ast.Add)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(map(_is_exports, targets)) or (isinstance(statement, ast.AnnAssign) and _is_exports(statement.target))


def _changes_exports(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _is_exports(node.func.value) and node.func.attr in _CHANGING
    if isinstance(node, ast.AugAssign):
        return _is_exports(node.target) and not isinstance(node.op, ast.Add)
    if isinstance(node, ast.Assign | ast.Delete):
        return any(isinstance(one, ast.Subscript) and _is_exports(one.value) for one in node.targets)
    return False


def _raising(body: Sequence[ast.stmt], conditions: tuple[str, ...]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.Raise):
            yield ": ".join((*conditions, ast.unparse(statement)))
        if isinstance(statement, _SCOPED):
            continue
        here = ast.unparse(statement.test) if isinstance(statement, ast.If | ast.While) else type(statement).__name__
        for name, inner in ast.iter_fields(statement):
            if not isinstance(inner, list):
                continue
            for part in inner:
                if isinstance(part, ast.ExceptHandler):
                    caught = ast.unparse(part.type) if part.type else ""
                    yield from _raising(part.body, (*conditions, f"except {caught}"))
                elif isinstance(part, ast.match_case):
                    yield from _raising(part.body, (*conditions, ast.unparse(part.pattern)))
            if all(isinstance(part, ast.stmt) for part in inner):
                yield from _raising(inner, (*conditions, f"{name} of {here}"))
