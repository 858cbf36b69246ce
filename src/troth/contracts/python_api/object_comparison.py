"""Functions, methods, properties and attributes, each in its older and its newer form."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import griffe

from troth.contracts.changes import ABSENT, Change, Level
from troth.contracts.python_api import classes
from troth.contracts.python_api.classes import decorated, value_type
from troth.contracts.python_api.reading import Scope, Sources, expression
from troth.contracts.python_api.signatures import (
    Place,
    Signature,
    compared,
    returned,
    same_expression,
    signature,
    types,
)
from troth.contracts.rules.table import rule

#: Decorators that change nothing for a caller, by the last part of their names.
_HARMLESS = frozenset(
    [
        "wraps",
        "cache",
        "lru_cache",
        "override",
        "overload",
        "final",
        "staticmethod",
        "classmethod",
        "property",
        "cached_property",
        "abstractmethod",
        "setter",
        "getter",
        "deleter",
        "no_type_check",
        "deprecated",
        "total_ordering",
        "runtime_checkable",
        "dataclass",
        "unique",
        "singledispatch",
        "singledispatchmethod",
        "contextmanager",
        "asynccontextmanager",
        "abstractproperty",
    ]
)
_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


@dataclass(slots=True)
class Walk:
    """One comparison under way: both sides, and the pairs that were compared already."""

    older: Sources
    newer: Sources
    compare_classes: Callable[[griffe.Class, griffe.Class, Place, Walk], Iterator[Change]]
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def first_time(self, old: griffe.Object, new: griffe.Object) -> bool:
        """Whether a pair is met for the first time: inherited and imported things are told once."""
        pair = (id(old), id(new))
        if pair in self._seen:
            return False
        self._seen.add(pair)
        return True


def function_changes(old: griffe.Function, new: griffe.Function, at: Place, walk: Walk) -> Iterator[Change]:
    """What changed for who calls a function or method."""
    yield from _way_of_calling(old, new, at, walk)
    yield from decorator_changes(old, new, at)
    if old.overloads or new.overloads:
        yield from _overloads(old, new, at)
        return
    found = _changes(old, new, at)
    if is_written_by_others(old, walk) and not any(change.level is Level.BREAKING for change in found):
        found = list(_for_writers(old, new, at)) or found
    yield from found


def is_written_by_others(function: griffe.Function, walk: Walk) -> bool:
    """Whether a method is one that others write: of a protocol, or an abstract one."""
    parent = function.parent
    if not isinstance(parent, griffe.Class):
        return False
    return classes.is_abstract(function) or classes.shape(parent, walk.older) == "protocol"


def _for_writers(old: griffe.Function, new: griffe.Function, at: Place) -> Iterator[Change]:
    """Who writes a method has to take all calls that are promised, and may give no more: any change breaks them."""
    backwards = Place(at.path, at.new, at.old)
    if _worst(_changes(new, old, backwards)):
        words = f"{at.path} as others wrote it is no longer what is asked for"
        yield rule("python-abstract-changed").found(at.path, _spelled(old), _spelled(new), words)


def _signature(function: griffe.Function) -> Signature:
    in_class = isinstance(function.parent, griffe.Class)
    return signature(function, in_class and "staticmethod" not in function.labels)


def _way_of_calling(old: griffe.Function, new: griffe.Function, at: Place, walk: Walk) -> Iterator[Change]:
    before, after = _way(old, at.old, walk.older), _way(new, at.new, walk.newer)
    if before != after:
        words = f"{at.path} was {before} and is {after}"
        yield rule("python-call-kind").found(at.path, before, after, words)
    before, after = _binding(old), _binding(new)
    if before != after and "method" in (before, after) and "function" not in (before, after):
        name = "python-binding-widened" if before == "method" else "python-binding"
        yield rule(name).found(at.path, before, after, f"{at.path} was a {before} and is a {after}")


def _way(function: griffe.Function, scope: Scope, sources: Sources) -> str:
    managed = [name for name in decorated(function, scope) if name in _MANAGERS]
    if managed:
        return "an asynchronous context manager" if "async" in managed[0] else "a context manager"
    generates = sources.is_generator(function)
    if "async" in function.labels:
        return "an asynchronous generator" if generates else "a coroutine"
    return "a generator" if generates else "a plain function"


def _binding(function: griffe.Function) -> str:
    if not isinstance(function.parent, griffe.Class):
        return "function"
    labels = function.labels
    return "static method" if "staticmethod" in labels else "class method" if "classmethod" in labels else "method"


def decorator_changes(
    old: griffe.Function | griffe.Class, new: griffe.Function | griffe.Class, at: Place
) -> Iterator[Change]:
    """Decorators that came or went: what they do is not known, but for those of the standard library."""
    before, after = set(decorated(old, at.old)), set(decorated(new, at.new))
    for name in sorted(before ^ after):
        last = name.rpartition(".")[2]
        if last == "deprecated" and name in after:
            yield rule("python-deprecated").found(at.path, ABSENT, name, f"{at.path} is deprecated now")
        elif last == "final" and name in after:
            yield rule("python-final").found(
                at.path, ABSENT, name, f"{at.path} can no longer be inherited from or overridden"
            )
        elif last not in _HARMLESS:
            was, now = (name, ABSENT) if name in before else (ABSENT, name)
            yield rule("python-decorator").found(at.path, was, now, f"what @{name} does to {at.path} is not known")


def _overloads(old: griffe.Function, new: griffe.Function, at: Place) -> Iterator[Change]:
    """Each older overload has to be taken by one of the newer."""
    before, after = list(old.overloads or [old]), list(new.overloads or [new])
    for index, one in enumerate(before):
        answers = [_changes(one, other, at) for other in after]
        if any(not _worst(changes) for changes in answers):
            continue
        undecided = any(
            all(change.undecided or change.level is not Level.BREAKING for change in changes) for changes in answers
        )
        name = "python-overload-undecided" if undecided else "python-overload-removed"
        words = f"calls of overload {index + 1} of {at.path} are no longer taken as they were"
        yield rule(name).found(at.path, _spelled(one), [_spelled(other) for other in after], words)
    if len(after) > len(before):
        yield rule("python-overload-added").found(at.path, len(before), len(after))


def _changes(one: griffe.Function, other: griffe.Function, at: Place) -> list[Change]:
    found = list(compared(_signature(one), _signature(other), at))
    return found + list(returned(one.returns, other.returns, at))


def _worst(changes: list[Change]) -> bool:
    return any(change.undecided or change.level is Level.BREAKING for change in changes)


def _spelled(function: griffe.Function) -> str:
    given = ", ".join(f"{one.name}: {one.annotation}" if one.annotation else one.name for one in function.parameters)
    return f"({given}) -> {function.returns}"


# --- attributes and properties


def attribute_changes(old: griffe.Attribute, new: griffe.Attribute, at: Place) -> Iterator[Change]:
    """What changed for who reads or sets an attribute, constant or property."""
    if "property" in new.labels:
        yield from _setting(old, new, at)
    if old.annotation is None and new.annotation is None and _is_text(old, new):
        yield from _values(old, new, at)
        return
    before, after = value_type(old), value_type(new)
    if before is not None and after is not None:
        yield from returned(before, after, at, "attribute")
    elif before is not None and old.annotation is not None:
        yield rule("python-attribute-type-removed").found(at.path, before, ABSENT)
    if "property" not in old.labels and "property" not in new.labels and at.path.rpartition(".")[2] != "__version__":
        yield from _constant(old, new, at)


def _is_text(old: griffe.Attribute, new: griffe.Attribute) -> bool:
    return old.value is not None and new.value is not None and value_type(old) is None


def _values(old: griffe.Attribute, new: griffe.Attribute, at: Place) -> Iterator[Change]:
    """Attributes whose type only their values could tell: aliases of types, and results of calls."""
    if same_expression(old.value, new.value):
        return
    before, after = at.old.type_of(old.value), at.new.type_of(new.value)
    if before is not None and after is not None:
        if before != after:
            yield rule("python-alias-changed").found(at.path, str(old.value), str(new.value))
        return
    if _built_by(old) != _built_by(new) or _built_by(old) in _FACTORIES or _built_by(old) in ("Subscript", "BinOp"):
        yield rule("python-value-undecided").found(at.path, str(old.value), str(new.value))
    else:
        yield rule("python-value-changed").found(at.path, str(old.value), str(new.value))


_FACTORIES = frozenset(
    {
        "TypedDict",
        "namedtuple",
        "NamedTuple",
        "Enum",
        "IntEnum",
        "StrEnum",
        "NewType",
        "TypeVar",
        "make_dataclass",
        "type",
    }
)


def _built_by(attribute: griffe.Attribute) -> str:
    node = expression(str(attribute.value))
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2]
    return type(node).__name__


def _constant(old: griffe.Attribute, new: griffe.Attribute, at: Place) -> Iterator[Change]:
    if old.value is not None and new.value is not None and not same_expression(old.value, new.value):
        yield rule("python-value-changed").found(at.path, str(old.value), str(new.value))


def _setting(old: griffe.Attribute, new: griffe.Attribute, at: Place) -> Iterator[Change]:
    for label, name in (("writable", "python-setter-removed"), ("deletable", "python-deleter-removed")):
        could = label in old.labels or ("property" not in old.labels and label == "writable")
        if could and label not in new.labels:
            words = f"{at.path} can no longer be {'set' if label == 'writable' else 'deleted'}"
            yield rule(name).found(at.path, label, ABSENT, words)
        elif label == "writable" and not could and label in new.labels:
            yield rule("python-setter-added").found(at.path, ABSENT, label, f"{at.path} can be set now")


def field_types(old: Any, new: Any, at: Place) -> Iterator[Change]:
    """The change of a type that is both given and read: any difference breaks the one or the other."""
    yield from types(old, new, at, "field")
