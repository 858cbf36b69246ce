"""Types as annotations spell them, brought to one form, and the question whether one is a part of another."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from troth.contracts.python_api import hierarchy


@dataclass(frozen=True, slots=True)
class Type:
    """A type in normal form: `Union` and `Literal` hold their members sorted, once each and never nested."""

    name: str
    arguments: tuple[Type, ...] = ()

    def __str__(self) -> str:
        if self.name == "Union":
            return " | ".join(map(str, self.arguments))
        if self.name == "list of parameters":
            return f"[{', '.join(map(str, self.arguments))}]"
        return f"{self.name}[{', '.join(map(str, self.arguments))}]" if self.arguments else self.name


ANY: Final = Type("Any")
NONE: Final = Type("None")
_DEEPEST = 40
_ANYTHING = frozenset({"Any", "object"})
#: Wrappers that say something about the name that is annotated, not about the type.
_TRANSPARENT = frozenset({"Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Unpack"})


class Names(Protocol):
    """What an annotation has to be told about the module that it stands in."""

    def full_name(self, name: str) -> str:
        """The name as every module would write it."""

    @property
    def answers(self) -> dict[tuple[Type, Type], bool | None]:
        """What was answered before: types that hold the same parts over and over are judged once."""

    def alias(self, name: str) -> ast.expr | None:
        """What a full name of an alias of types stands for."""

    def bases(self, name: str) -> tuple[str, ...] | None:
        """The full names of the bases of a class, or None where the class is not known."""

    def is_protocol(self, name: str) -> bool:
        """Whether a class is matched by its members and not by its name."""


def read(text: str, names: Names) -> Type | None:
    """The type that an annotation spells, or None for what is no type."""
    try:
        return _read(ast.parse(text.strip(), mode="eval").body, names, 0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, _Unreadable):
        return None


class _Unreadable(Exception):
    """An expression that is no type, or is nested too deeply."""


def _read(node: ast.expr, names: Names, depth: int) -> Type:
    if depth > _DEEPEST:
        raise _Unreadable
    match node:
        case ast.Constant(value=None):
            return NONE
        case ast.Constant(value=str(text)):
            return _read(ast.parse(text.strip(), mode="eval").body, names, depth + 1)
        case ast.Constant(value=value) if value is ...:
            return Type("...")
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return union([_read(left, names, depth + 1), _read(right, names, depth + 1)])
        case ast.List(elts=items):
            return Type("list of parameters", tuple(_read(item, names, depth + 1) for item in items))
        case ast.Subscript(value=value, slice=inner):
            return _subscript(canonical(ast.unparse(value), names), inner, names, depth)
        case ast.Name() | ast.Attribute():
            return _named(ast.unparse(node), names, depth)
    raise _Unreadable


def canonical(name: str, names: Names) -> str:
    """The one spelling of a type's name."""
    full = names.full_name(name)
    module, _, last = full.rpartition(".")
    if module in hierarchy.KNOWN_MODULES:
        full = "collections.abc.Set" if (module, last) == ("collections.abc", "Set") else last
    return hierarchy.SAME.get(full, full)


def _named(text: str, names: Names, depth: int) -> Type:
    name = canonical(text, names)
    if (meant := names.alias(name)) is not None:
        return _read(meant, names, depth + 1)
    if name == "ByteString":
        return union([Type("bytes"), Type("bytearray")])
    return Type(name)


def _subscript(name: str, inner: ast.expr, names: Names, depth: int) -> Type:
    items = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    if name == "Literal":
        return union(_literal(item, names) for item in items)
    if name in _TRANSPARENT:
        return _read(items[0], names, depth + 1)
    read_items = tuple(_read(item, names, depth + 1) for item in items)
    if name == "Optional":
        return union([*read_items, NONE])
    if name == "Union":
        return union(read_items)
    if name == "Generator":
        read_items = read_items[:1] if all(item in (NONE, ANY) for item in read_items[1:]) else read_items
    return Type(name, read_items)


def _literal(node: ast.expr, names: Names) -> Type:
    if isinstance(node, ast.Constant):
        return NONE if node.value is None else Type("Literal", (Type(repr(node.value), (type_of(node) or ANY,)),))
    if isinstance(node, ast.Attribute):
        owner = canonical(ast.unparse(node.value), names)
        return Type("Literal", (Type(f"{owner}.{node.attr}", (Type(owner),)),))
    return Type("Literal", (Type(ast.unparse(node), (ANY,)),))


def union(members: Iterable[Type]) -> Type:
    """The union of types: flat, sorted, each once; a single one is itself."""
    flat: set[Type] = set()
    for member in members:
        flat |= set(member.arguments) if member.name == "Union" else {member}
    if any(member.name in _ANYTHING for member in flat):
        return ANY
    if {Type("Literal", (Type("True", (Type("bool"),)),)), Type("Literal", (Type("False", (Type("bool"),)),))} <= flat:
        flat = {member for member in flat if member.name != "Literal" or member.arguments[0].name not in _BOOLEANS}
        flat.add(Type("bool"))
    ordered = tuple(sorted((member for member in flat if member.name != "Never"), key=str))
    if not ordered:
        return Type("Never")
    return ordered[0] if len(ordered) == 1 else Type("Union", ordered)


_BOOLEANS = frozenset({"True", "False"})


def type_of(value: ast.expr) -> Type | None:
    """The type of what a plain value is, where the text shows it."""
    match value:
        case ast.Constant(value=None):
            return NONE
        case ast.Constant(value=constant) if constant is not ...:
            return Type(type(constant).__name__)
        case ast.JoinedStr():
            return Type("str")
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return type_of(operand)
        case ast.List() | ast.ListComp():
            return Type("list")
        case ast.Dict() | ast.DictComp():
            return Type("dict")
        case ast.Set() | ast.SetComp():
            return Type("set")
        case ast.Tuple():
            return Type("tuple")
        case ast.Call(func=ast.Name(id=name)) if name in _BUILDERS:
            return Type(name)
    return None


_BUILDERS = frozenset({"int", "float", "str", "bytes", "bool", "list", "dict", "set", "frozenset", "tuple"})


# --- is every value of one type a value of another?


def contained(narrow: Type, wide: Type, names: Names) -> bool | None:
    """Whether every value of `narrow` is one of `wide`: yes, no, or None where the text does not tell."""
    if (narrow, wide) not in names.answers:
        names.answers[narrow, wide] = None  # a type that is defined by itself
        names.answers[narrow, wide] = _contained(narrow, wide, names)
    return names.answers[narrow, wide]


def _contained(narrow: Type, wide: Type, names: Names) -> bool | None:
    if narrow == wide or wide.name in _ANYTHING or narrow.name == "Never":
        return True
    if narrow.name == "Union":
        return _every(contained(member, wide, names) for member in narrow.arguments)
    if wide.name == "Union":
        return _some(contained(narrow, member, names) for member in wide.arguments)
    if narrow.name in _ANYTHING:
        return False
    if narrow.name == "Literal":
        return False if wide.name == "Literal" else contained(narrow.arguments[0].arguments[0], wide, names)
    if wide.name in ("Literal", "Never"):
        return False if wide.name == "Never" or _is_known(narrow.name, names) else None
    for special, handler in _SPECIAL.items():
        if special in (narrow.name, wide.name):
            decided = handler(narrow, wide, names)
            if decided is not _GO_ON:
                return decided if isinstance(decided, bool) else None
    if narrow.name == wide.name:
        return _arguments(narrow, wide, names)
    return _by_parents(narrow, wide, names)


def _every(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return False if False in found else None if None in found else True


def _some(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return True if True in found else None if None in found else False


_GO_ON: Final = object()


def _tuple(narrow: Type, wide: Type, names: Names) -> object:
    if narrow.name == wide.name == "tuple":
        return _tuples(narrow, wide, names)
    if narrow.name == "tuple" and wide.name in hierarchy.GENERIC:
        elements = union(item for item in narrow.arguments if item.name != "...") if narrow.arguments else ANY
        return contained(Type("Sequence", (elements,)), wide, names) if wide.arguments else _GO_ON
    return _GO_ON


def _tuples(narrow: Type, wide: Type, names: Names) -> bool | None:
    endless_wide, endless_narrow = (Type("...") in one.arguments or not one.arguments for one in (wide, narrow))
    first = wide.arguments[0] if wide.arguments else ANY
    if endless_wide:
        items = [item for item in narrow.arguments if item.name != "..."] or [ANY]
        return _every(contained(item, first, names) for item in items)
    if endless_narrow or len(narrow.arguments) != len(wide.arguments):
        return False
    return _every(contained(a, b, names) for a, b in zip(narrow.arguments, wide.arguments, strict=True))


def _callable(narrow: Type, wide: Type, names: Names) -> object:
    if narrow.name != wide.name:
        return None if wide.name == "Callable" else _GO_ON
    if not wide.arguments:
        return True
    if len(narrow.arguments) != 2 or len(wide.arguments) != 2:
        return None
    (taken, returned), (given, wanted) = narrow.arguments, wide.arguments
    answer = contained(returned, wanted, names)
    if given.name == "..." or taken.name == "...":
        return answer
    if "list of parameters" not in (given.name, taken.name) or given.name != taken.name:
        return None if given != taken else answer
    if len(given.arguments) != len(taken.arguments):
        return False
    pairs = zip(given.arguments, taken.arguments, strict=True)
    return _every([answer, *(contained(a, b, names) for a, b in pairs)])


_SPECIAL: Final[dict[str, Callable[[Type, Type, Names], object]]] = {"tuple": _tuple, "Callable": _callable}


def _arguments(narrow: Type, wide: Type, names: Names) -> bool | None:
    if not wide.arguments:
        return True
    own = narrow.arguments or tuple(ANY for _ in wide.arguments)
    if len(own) != len(wide.arguments):
        return None
    covariant = hierarchy.COVARIANT.get(narrow.name, frozenset())
    known = narrow.name in hierarchy.GENERIC
    answers: list[bool | None] = []
    for place, (a, b) in enumerate(zip(own, wide.arguments, strict=True)):
        answer = contained(a, b, names)
        if place not in covariant and known:
            answer = _every([answer, contained(b, a, names)])
        elif not known and a != b:
            answer = None
        answers.append(answer)
    return _every(answers)


def _by_parents(narrow: Type, wide: Type, names: Names) -> bool | None:
    if narrow.name in hierarchy.ELEMENTS and wide.name in hierarchy.GENERIC and wide.name != "Hashable":
        element = Type(hierarchy.ELEMENTS[narrow.name])
        if narrow.name == "bytearray" or wide.name not in ("MutableSequence", "list", "deque"):
            return contained(Type("Sequence", (element,)), wide, names)
        return False
    answers: list[bool | None] = []
    for parent in _parents(narrow, names) or ():
        answers.append(contained(parent, wide, names))
    if True in answers:
        return True
    if None in answers or not _is_known(narrow.name, names) or not _is_known(wide.name, names):
        return None
    return None if names.is_protocol(wide.name) else False


def _parents(one: Type, names: Names) -> tuple[Type, ...] | None:
    if one.name in hierarchy.GENERIC:
        own = one.arguments
        return tuple(
            Type(name, tuple(own[place] for place in places) if places and max(places) < len(own) else ())
            for name, places in hierarchy.GENERIC[one.name]
        )
    found = hierarchy.parents(one.name)
    if found is None:
        found = names.bases(one.name)
    return tuple(Type(canonical(name, names)) for name in found) if found is not None else None


def _is_known(name: str, names: Names) -> bool:
    """Whether all parents of a type are known."""
    seen: set[str] = set()
    rest = [name]
    while rest and len(seen) < 1000:
        current = rest.pop()
        if current in seen or current in _ANYTHING:
            continue
        seen.add(current)
        found = hierarchy.parents(current)
        if found is None:
            found = names.bases(current)
        if found is None:
            return False
        rest += [canonical(parent, names) for parent in found]
    return True
