"""Which types of the standard library are which others: the part of their hierarchy that annotations speak of."""

from __future__ import annotations

import builtins
from typing import Final

#: Spellings of one type. Names of typing, collections.abc and builtins lose their module before they are looked up.
SAME: Final = {
    "List": "list",
    "Dict": "dict",
    "Set": "set",
    "FrozenSet": "frozenset",
    "Tuple": "tuple",
    "Type": "type",
    "Text": "str",
    "Deque": "deque",
    "DefaultDict": "defaultdict",
    "AbstractSet": "collections.abc.Set",
    "NoneType": "None",
    "NoReturn": "Never",
    "typing.Pattern": "re.Pattern",
    "EnvironmentError": "OSError",
    "IOError": "OSError",
}

#: Modules whose names are known without them.
KNOWN_MODULES: Final = frozenset(
    {"typing", "typing_extensions", "collections", "collections.abc", "builtins", "types", "abc", "enum", "dataclasses"}
)

#: Parents of a generic type, each with its arguments: numbers are places in the type's own.
GENERIC: Final[dict[str, tuple[tuple[str, tuple[int, ...]], ...]]] = {
    "Iterable": (),
    "Container": (),
    "Collection": (("Iterable", (0,)), ("Container", (0,)), ("Sized", ())),
    "Reversible": (("Iterable", (0,)),),
    "Sequence": (("Collection", (0,)), ("Reversible", (0,))),
    "MutableSequence": (("Sequence", (0,)),),
    "list": (("MutableSequence", (0,)),),
    "deque": (("MutableSequence", (0,)),),
    "collections.abc.Set": (("Collection", (0,)),),
    "MutableSet": (("collections.abc.Set", (0,)),),
    "set": (("MutableSet", (0,)),),
    "frozenset": (("collections.abc.Set", (0,)), ("Hashable", ())),
    "KeysView": (("collections.abc.Set", (0,)),),
    "ValuesView": (("Collection", (0,)),),
    "Mapping": (("Collection", (0,)),),
    "MutableMapping": (("Mapping", (0, 1)),),
    "dict": (("MutableMapping", (0, 1)), ("Reversible", (0,))),
    "OrderedDict": (("dict", (0, 1)),),
    "defaultdict": (("dict", (0, 1)),),
    "Iterator": (("Iterable", (0,)),),
    "Generator": (("Iterator", (0,)),),
    "AsyncIterable": (),
    "AsyncIterator": (("AsyncIterable", (0,)),),
    "AsyncGenerator": (("AsyncIterator", (0,)),),
    "Awaitable": (),
    "Coroutine": (("Awaitable", (2,)),),
    "type": (("Hashable", ()),),
    "Sized": (),
    "Hashable": (),
    "Callable": (),
}

#: Places of arguments that may be narrower in a narrower type. The others have to be equal.
COVARIANT: Final[dict[str, frozenset[int]]] = {
    name: frozenset({0})
    for name in (
        "Iterable", "Container", "Collection", "Reversible", "Sequence", "collections.abc.Set", "frozenset", "KeysView",
        "ValuesView", "Iterator", "Generator", "AsyncIterable", "AsyncIterator", "AsyncGenerator", "Awaitable", "type",
    )
} | {"Mapping": frozenset({1}), "Coroutine": frozenset({0, 2}), "ValuesView": frozenset({0})}  # fmt: skip

#: Parents of types without arguments. The numbers are those that PEP 484 lets stand for each other.
_PLAIN: Final[dict[str, tuple[str, ...]]] = {
    "bool": ("int",),
    "int": ("float", "Hashable"),
    "float": ("complex", "Hashable"),
    "complex": ("Hashable",),
    "str": ("Hashable",),
    "bytes": ("Hashable",),
    "bytearray": (),
    "None": ("Hashable",),
    "range": ("Hashable",),
    "datetime.datetime": ("datetime.date",),
    "datetime.date": ("Hashable",),
    "datetime.time": ("Hashable",),
    "datetime.timedelta": ("Hashable",),
    "decimal.Decimal": ("Hashable",),
    "fractions.Fraction": ("Hashable",),
    "uuid.UUID": ("Hashable",),
    "pathlib.Path": ("pathlib.PurePath",),
    "pathlib.PosixPath": ("pathlib.Path",),
    "pathlib.PurePath": ("os.PathLike", "Hashable"),
    "os.PathLike": (),
    "IO": (),
    "TextIO": ("IO",),
    "BinaryIO": ("IO",),
    "Enum": ("Hashable",),
    "IntEnum": ("int", "Enum"),
    "StrEnum": ("str", "Enum"),
    "Flag": ("Enum",),
    "IntFlag": ("int", "Flag"),
    "ABC": (),
    "Generic": (),
    "Protocol": (),
    "NamedTuple": ("tuple",),
    "TypedDict": (),
}

#: What a string, bytes or a range is made of.
ELEMENTS: Final = {"str": "str", "bytes": "int", "bytearray": "int", "range": "int"}


def parents(name: str) -> tuple[str, ...] | None:
    """The direct parents of a type of the standard library, without arguments, or None where it is not known."""
    if name in _PLAIN:
        return _PLAIN[name]
    if name in GENERIC:
        return tuple(parent for parent, _ in GENERIC[name])
    if name == "tuple":
        return ("Sequence", "Hashable")
    if name in _EXCEPTIONS:
        return _EXCEPTIONS[name]
    return None


_EXCEPTIONS: Final = {
    name: tuple(parent.__name__ for parent in kind.__bases__ if parent is not object)
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}
