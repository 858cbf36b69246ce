"""What a class is to who uses it: its ancestors, its members with those that it inherits, its fields, its kind."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar

import griffe
from griffe import Parameter, ParameterKind

from troth.contracts.python_api import hierarchy
from troth.contracts.python_api.annotations import canonical, type_of
from troth.contracts.python_api.reading import Scope, Sources, expression, plain_name

Shape = Literal["class", "dataclass", "enum", "typed dict", "named tuple", "protocol"]
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum"})
_MOST_ANCESTORS = 500


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dataclass, a named tuple or a typed dict."""

    parameter: Parameter
    required: bool
    in_constructor: bool = True


Value = TypeVar("Value")


def _once(make: Callable[[griffe.Class, Sources], Value]) -> Callable[[griffe.Class, Sources], Value]:
    """The same function, which works out each class of the sources once."""

    @wraps(make)
    def known(found: griffe.Class, sources: Sources) -> Value:
        key = (make.__name__, found.path)
        if key not in sources.worked_out:
            sources.worked_out[key] = make(found, sources)
        value: Value = sources.worked_out[key]
        return value

    return known


@_once
def ancestors(found: griffe.Class, sources: Sources) -> list[griffe.Class]:
    """The class and those of its ancestors that are in these sources, the nearest first."""
    seen: dict[str, griffe.Class] = {}
    rest = [found]
    while rest and len(seen) < _MOST_ANCESTORS:
        current = rest.pop(0)
        if current.path in seen:
            continue
        seen[current.path] = current
        scope = Scope(sources, current.module)
        for base in current.bases:
            name = scope.full_name(plain_name(str(base)))
            parent = sources.find(name) if sources.holds(name) else None
            if isinstance(parent, griffe.Class):
                rest.append(parent)
    return list(seen.values())


@_once
def ancestor_names(found: griffe.Class, sources: Sources) -> tuple[set[str], set[str]]:
    """Names of everything that the class is, and of those among them whose own ancestors are not known."""
    known: set[str] = set()
    unknown: set[str] = set()
    for one in ancestors(found, sources):
        scope = Scope(sources, one.module)
        rest = [canonical(plain_name(str(base)), scope) for base in one.bases]
        while rest:
            name = rest.pop()
            if name in known:
                continue
            known.add(name)
            parents = hierarchy.parents(name)
            if parents is not None:
                rest += [canonical(parent, scope) for parent in parents]
            elif name != "object" and not isinstance(sources.find(name), griffe.Class):
                unknown.add(name)
    return known, unknown


@_once
def members(found: griffe.Class, sources: Sources) -> dict[str, griffe.Object | griffe.Alias]:
    """All members by name, those that are inherited included."""
    every: dict[str, griffe.Object | griffe.Alias] = {}
    for one in ancestors(found, sources):
        for name, member in one.members.items():
            every.setdefault(name, member)
    return every


@_once
def shape(found: griffe.Class, sources: Sources) -> Shape:
    """Which kind of class it is."""
    names, _ = ancestor_names(found, sources)
    scope = Scope(sources, found.module)
    if names & _ENUMS:
        return "enum"
    if "TypedDict" in names:
        return "typed dict"
    if "NamedTuple" in names:
        return "named tuple"
    if "Protocol" in {canonical(plain_name(str(base)), scope) for base in found.bases}:
        return "protocol"
    return "dataclass" if options(found, scope) is not None else "class"


def options(found: griffe.Class, scope: Scope) -> dict[str, Any] | None:
    """What `@dataclass` was told, with its defaults, or None for a class without it."""
    for decorator in found.decorators:
        node = expression(str(decorator.value))
        call = node if isinstance(node, ast.Call) else None
        name = ast.unparse(call.func if call else node) if node is not None else ""
        if canonical(name, scope) == "dataclass":
            said = _constants(call) if call else {}
            return {"init": True, "eq": True, "order": False, "frozen": False, "kw_only": False, **said}
    return None


def _constants(call: ast.Call) -> dict[str, Any]:
    return {
        word.arg: word.value.value
        for word in call.keywords
        if word.arg is not None and isinstance(word.value, ast.Constant)
    }


def fields(found: griffe.Class, sources: Sources, of: Shape) -> dict[str, Field]:
    """The fields in order, those of ancestors first."""
    every: dict[str, Field] = {}
    for one in reversed(ancestors(found, sources)):
        scope = Scope(sources, one.module)
        told = options(one, scope)
        if of == "dataclass" and told is None:
            continue
        keyword_only = bool((told or {}).get("kw_only"))
        for name, member in one.members.items():
            if not isinstance(member, griffe.Attribute) or member.annotation is None or "property" in member.labels:
                continue
            head = canonical(plain_name(str(member.annotation)), scope)
            if head == "KW_ONLY":
                keyword_only = True
            elif head != "ClassVar":
                every[name] = _field(name, member, of, keyword_only, _total(one), head, scope)
    return every


def _total(found: griffe.Class) -> bool:
    return str(found.keywords.get("total", "True")) != "False"


def _field(
    name: str, member: griffe.Attribute, of: Shape, keyword_only: bool, total: bool, head: str, scope: Scope
) -> Field:
    default, told = _default(member, scope)
    if of == "typed dict":
        required = head == "Required" or (total and head != "NotRequired")
        default = None if required else "..."
        return Field(_parameter(name, member, ParameterKind.keyword_only, default), required)
    keyword_only = bool(told.get("kw_only", keyword_only))
    kind = ParameterKind.keyword_only if keyword_only else ParameterKind.positional_or_keyword
    return Field(_parameter(name, member, kind, default), default is None, bool(told.get("init", True)))


def _parameter(name: str, member: griffe.Attribute, kind: ParameterKind, default: str | None) -> Parameter:
    return Parameter(name, annotation=member.annotation, kind=kind, default=default)


def _default(member: griffe.Attribute, scope: Scope) -> tuple[str | None, dict[str, Any]]:
    """The default of a field as text, and what `field(...)` was told beside it."""
    if member.value is None:
        return None, {}
    node = expression(str(member.value))
    if isinstance(node, ast.Call) and canonical(ast.unparse(node.func), scope) == "field":
        given = {word.arg: ast.unparse(word.value) for word in node.keywords if word.arg}
        default = given.get("default") or (f"{given['default_factory']}()" if "default_factory" in given else None)
        return default, _constants(node)
    return str(member.value), {}


def constructor(found: griffe.Class, sources: Sources, of: Shape) -> tuple[tuple[Parameter, ...], bool] | None:
    """The parameters of a call of the class, and whether they are fields. None where that is not known."""
    own = members(found, sources)
    own_init = "__init__" in found.members
    if of in ("dataclass", "named tuple", "typed dict") and not own_init:
        told = options(found, Scope(sources, found.module)) or {"init": True}
        if told["init"]:
            return tuple(one.parameter for one in fields(found, sources, of).values() if one.in_constructor), True
    if of in ("enum", "protocol"):
        return None
    for name in ("__init__", "__new__"):
        method = own.get(name)
        if isinstance(method, griffe.Function):
            return tuple(method.parameters)[1:], False
    _, unknown = ancestor_names(found, sources)
    names, _ = ancestor_names(found, sources)
    return None if unknown or names & _OTHER_CONSTRUCTORS else ((), False)


_OTHER_CONSTRUCTORS = frozenset(
    {"BaseException", "dict", "list", "set", "frozenset", "tuple", "str", "int", "float", "bytes"}
)


def subclassing(found: griffe.Class, sources: Sources) -> tuple[Parameter, ...] | None:
    """The parameters that a class statement which inherits from the class may give. None where that is not known."""
    method = members(found, sources).get("__init_subclass__")
    if isinstance(method, griffe.Function):
        return tuple(method.parameters)[1:]
    _, unknown = ancestor_names(found, sources)
    return None if method is not None or unknown else ()


@_once
def metaclasses(found: griffe.Class, sources: Sources) -> set[str]:
    """The names of what makes the class beside `type` and `ABCMeta`, with the parameters of its calls where those are known."""
    names = set()
    for one in ancestors(found, sources):
        name = Scope(sources, one.module).full_name(str(one.keywords.get("metaclass", "type")))
        made = sources.find(name) if sources.holds(name) else None
        called = members(made, sources).get("__call__") if isinstance(made, griffe.Class) else None
        taken = ", ".join(map(str, called.parameters)) if isinstance(called, griffe.Function) else ""
        if name.rpartition(".")[2] not in ("type", "ABCMeta"):
            names.add(f"{name}({taken})")
    return names


def enum_members(found: griffe.Class, sources: Sources) -> dict[str, str]:
    """The members of an enumeration and their values as text, `auto()` worked out."""
    names, _ = ancestor_names(found, sources)
    scope = Scope(sources, found.module)
    every: dict[str, str] = {}
    last = 0
    for one in reversed(ancestors(found, sources)):
        for name, member in one.members.items():
            if not isinstance(member, griffe.Attribute) or member.value is None or name.startswith("_"):
                continue
            if member.annotation is not None or "property" in member.labels:
                continue
            node = expression(str(member.value))
            if isinstance(node, ast.Call) and canonical(ast.unparse(node.func), scope) == "auto":
                every[name] = repr(name.lower()) if "StrEnum" in names else str(_next(last, names))
            else:
                every[name] = ast.unparse(node) if node is not None else str(member.value)
            last = int(every[name]) if every[name].lstrip("-").isdigit() else last
    return every


def _next(last: int, names: set[str]) -> int:
    return last + 1 if not names & {"Flag", "IntFlag"} else 1 << max(last, 0).bit_length()


def compares(found: griffe.Class, sources: Sources, of: Shape) -> tuple[bool, bool]:
    """Whether instances compare by value, and whether they have a hash."""
    own = members(found, sources)
    told = options(found, Scope(sources, found.module))
    by_value = "__eq__" in own or (of == "dataclass" and told is not None and bool(told["eq"]))
    if "__hash__" in own:
        return by_value, str(getattr(own["__hash__"], "value", "")) != "None"
    if of == "dataclass" and told is not None and by_value and "__eq__" not in found.members:
        return by_value, bool(told.get("unsafe_hash")) or bool(told["frozen"])
    return by_value, "__eq__" not in own


@_once
def abstract(found: griffe.Class, sources: Sources) -> set[str]:
    """The names of methods that who inherits has to write."""
    return {
        name
        for name, member in members(found, sources).items()
        if not isinstance(member, griffe.Alias) and is_abstract(member)
    }


def is_abstract(member: griffe.Object) -> bool:
    """Whether who inherits has to write this method."""
    if "abstractmethod" in member.labels:
        return True
    return any(str(one.value).rpartition(".")[2] == "abstractmethod" for one in getattr(member, "decorators", ()))


def value_type(attribute: griffe.Attribute) -> str | None:
    """The type of an attribute: what its annotation says, else what its value shows."""
    if attribute.annotation is not None:
        return str(attribute.annotation)
    node = expression(str(attribute.value)) if attribute.value is not None else None
    shown = type_of(node) if node is not None else None
    return str(shown) if shown is not None else None


def decorated(member: griffe.Function | griffe.Class, scope: Scope) -> Iterator[str]:
    """The full names of what decorates a function or class."""
    for decorator in member.decorators:
        node = expression(str(decorator.value))
        while isinstance(node, ast.Call):
            node = node.func
        if node is not None:
            yield canonical(ast.unparse(node), scope)
