"""Two versions of a module or package, object by object: what code that uses the older one finds changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import griffe

from troth.contracts.changes import ABSENT, Change, Comparison, concluded, invalid
from troth.contracts.python_api.class_comparison import class_changes
from troth.contracts.python_api.object_comparison import Walk, attribute_changes, function_changes
from troth.contracts.python_api.reading import Scope, Sources, UnreadableSource, expression, read, told_name
from troth.contracts.python_api.signatures import Place
from troth.contracts.rules.table import rule


def compare(old: str | Mapping[str, str], new: str | Mapping[str, str]) -> Comparison:
    """Whether code written for `old` works with `new`: each the text of a module, or texts by their paths.

    Cost: the sources are read once. `invalid` for what is no Python, or too large or deep to read.
    """
    try:
        newer = read(new)
        older = read(old, newer)
        return concluded(_modules(older, newer))
    except UnreadableSource as error:
        return invalid(str(error))
    except RecursionError:
        return invalid("the source is nested too deeply")


def _modules(older: Sources, newer: Sources) -> Iterator[Change]:
    walk = Walk(older, newer, class_changes)
    for name, module in older.modules.items():
        if not is_public_path(name):
            continue
        if name in newer.modules:
            yield from _module(module, newer.modules[name], walk)
        elif newer.find(name) is None:
            yield rule("python-module-removed").found(told_name(name), name, ABSENT, f"the module {name} is gone")
    for name in newer.modules:
        if is_public_path(name) and name not in older.modules:
            yield rule("python-module-added").found(told_name(name), ABSENT, name, f"the module {name} is new")


def is_public_path(name: str) -> bool:
    """Whether no part of a full name is marked as private."""
    return not any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def _module(old: griffe.Module, new: griffe.Module, walk: Walk) -> Iterator[Change]:
    before, after = public_names(old, walk.older), public_names(new, walk.newer)
    at = Place("", Scope(walk.older, old), Scope(walk.newer, new))
    lazy = "__getattr__" in new.members and "__getattr__" not in old.members
    yield from _statements(old, new, walk)
    for name in before:
        path = told_name(f"{old.path}.{name}")
        if isinstance(old.members.get(name), griffe.Module):
            continue
        if name not in new.members and newly_imported(new, name, walk) is None:
            gone = "python-name-undecided" if lazy else "python-name-removed"
            yield rule(gone).found(path, name, ABSENT, f"{path} is gone")
            continue
        if new.exports is not None and name not in after and not isinstance(new.members.get(name), griffe.Module):
            yield rule("python-export-removed").found(path, name, ABSENT, f"{name} is no longer exported by __all__")
        yield from object_changes(
            _meant(old.members.get(name), at.old), _meant(new.members.get(name), at.new), at.at(path), walk
        )
    for name in after:
        if name not in before and not isinstance(new.members.get(name), griffe.Module):
            path = told_name(f"{old.path}.{name}")
            yield rule("python-name-added").found(path, ABSENT, name, f"{path} is new")


def _statements(old: griffe.Module, new: griffe.Module, walk: Walk) -> Iterator[Change]:
    """What a module does when it is imported beside giving names: that it may raise, or change `__all__` in its own way."""
    path = told_name(old.path)
    raised = set(walk.older.raising.get(old.path, ()))
    for text in dict.fromkeys(walk.newer.raising.get(new.path, ())):
        if text not in raised:
            yield rule("python-import-undecided").found(path, ABSENT, text, "importing it may end in an error now")
    was, now = walk.older.other_exports.get(old.path, []), walk.newer.other_exports.get(new.path, [])
    if was != now:
        words = "__all__ is changed in another way, and what it holds then is not known"
        yield rule("python-name-undecided").found(f"{path}.__all__".lstrip("."), was, now, words)


def newly_imported(module: griffe.Module, name: str, walk: Walk) -> griffe.Object | None:
    """A submodule that a name of a package stands for."""
    return walk.newer.modules.get(f"{module.path}.{name}")


def public_names(module: griffe.Module, sources: Sources) -> list[str]:
    """What a module offers: its `__all__`, else its own names and, of a package, what it imports from itself."""
    if module.exports is not None:
        return [str(name) for name in dict.fromkeys(map(str, module.exports))]
    own = [name for name, member in module.members.items() if _is_offered(name, member, module, sources)]
    return [name for name in own if name not in _NOT_OFFERED]


_NOT_OFFERED = frozenset({"__all__", "__doc__", "__author__", "__slots__", "__dir__", "__getattr__"})


def _is_offered(name: str, member: griffe.Object | griffe.Alias, module: griffe.Module, sources: Sources) -> bool:
    if name.startswith("_") and not (name.startswith("__") and name.endswith("__")):
        return False
    if not isinstance(member, griffe.Alias):
        return True
    if member.target_path.endswith(f".{name}") and member.alias_lineno is None:
        return True  # brought by a star
    if name in sources.exported.get(module.path, ()):
        return True
    root = module.path.partition(".")[0]
    inside = member.target_path.partition(".")[0] == root
    return inside and (module.filepath.stem == "__init__" if not isinstance(module.filepath, list) else False)


def _meant(member: griffe.Object | griffe.Alias | None, scope: Scope) -> griffe.Object | griffe.Alias | None:
    """The object itself: behind imports, and behind `old = new` for a class or function."""
    if isinstance(member, griffe.Alias):
        return scope.sources.find(member.target_path) or member
    if isinstance(member, griffe.Attribute) and member.annotation is None and member.value is not None:
        node = expression(str(member.value))
        path = scope.full_name(str(member.value)) if node is not None else ""
        found = scope.sources.find(path) if scope.sources.holds(path) else None
        if isinstance(found, griffe.Class | griffe.Function):
            return found
    return member


def object_changes(old: Any, new: Any, at: Place, walk: Walk) -> Iterator[Change]:
    """The changes of one public name."""
    if isinstance(old, griffe.Alias) or isinstance(new, griffe.Alias) or old is None or new is None:
        yield from _outside(old, new, at)
        return
    if not walk.first_time(old, new):
        return
    at = Place(at.path, Scope(walk.older, old.module), Scope(walk.newer, new.module))
    if isinstance(old, griffe.Module) or isinstance(new, griffe.Module):
        if type(old) is not type(new):
            yield rule("python-kind-changed").found(at.path, old.kind.value, new.kind.value)
        return
    if isinstance(old, griffe.Class) and isinstance(new, griffe.Class):
        yield from class_changes(old, new, at, walk)
    elif isinstance(old, griffe.Function) and isinstance(new, griffe.Function):
        yield from function_changes(old, new, at, walk)
    elif isinstance(old, griffe.Attribute) and isinstance(new, griffe.Attribute):
        yield from attribute_changes(old, new, at)
    else:
        words = f"{at.path} was a {old.kind.value} and is a {new.kind.value}"
        yield rule("python-kind-changed").found(at.path, old.kind.value, new.kind.value, words)


def _outside(old: Any, new: Any, at: Place) -> Iterator[Change]:
    """Names that come from elsewhere: the same if they come from the same place."""
    before = old.target_path if isinstance(old, griffe.Alias) else old
    after = new.target_path if isinstance(new, griffe.Alias) else new
    if before != after and before is not None:
        was, now = (one if isinstance(one, str) else "defined here" for one in (before, after))
        yield rule("python-name-undecided").found(at.path, was, now, f"{at.path} comes from {now} now")
