"""Classes in their older and newer form: ancestors, constructor, fields, members, and what who inherits has to write."""

from __future__ import annotations

from collections.abc import Iterator

import griffe

from troth.contracts.changes import ABSENT, Change, Level
from troth.contracts.python_api import classes
from troth.contracts.python_api.annotations import canonical
from troth.contracts.python_api.object_comparison import Walk, attribute_changes, decorator_changes, function_changes
from troth.contracts.python_api.reading import plain_name
from troth.contracts.python_api.signatures import Place, Signature, compared
from troth.contracts.rules.table import rule

#: Members that every object has, or that the comparison of constructors and kinds speaks of.
_EVERYWHERE = frozenset(
    [
        "__init__",
        "__new__",
        "__slots__",
        "__doc__",
        "__module__",
        "__annotations__",
        "__post_init__",
        "__repr__",
        "__str__",
        "__eq__",
        "__ne__",
        "__hash__",
        "__init_subclass__",
        "__setattr__",
        "__delattr__",
        "__getattribute__",
        "__dir__",
        "__reduce__",
        "__reduce_ex__",
        "__sizeof__",
        "__format__",
        "__class_getitem__",
        "__match_args__",
        "__dict__",
        "__weakref__",
    ]
)
_FIELDS = ("dataclass", "named tuple", "typed dict")


def class_changes(old: griffe.Class, new: griffe.Class, at: Place, walk: Walk) -> Iterator[Change]:
    """What changed for who makes, uses, or inherits from a class."""
    before, after = classes.shape(old, walk.older), classes.shape(new, walk.newer)
    if before != after:
        yield rule(f"python-class-kind{'' if _matters(before, after) else '-widened'}").found(
            at.path, before, after, f"{at.path} was a {before} and is a {after}"
        )
        if _matters(before, after):
            return
    yield from _ancestors(old, new, at, walk)
    yield from decorator_changes(old, new, at)
    yield from _constructor(old, new, at, walk, before, after)
    yield from _made(old, new, at, walk)
    if before == after == "enum":
        yield from _enumeration(old, new, at, walk)
        skip = set(classes.enum_members(old, walk.older)) | set(classes.enum_members(new, walk.newer))
    elif before == after == "typed dict":
        yield from _keys(old, new, at, walk)
        return
    else:
        yield from _fields(old, new, at, walk, before, after)
        skip = _field_names(old, walk, before, True) | (_field_names(new, walk, after, False))
    if "enum" not in (before, after) and "named tuple" not in (before, after):
        yield from _comparing(old, new, at, walk, before, after)
    yield from _members(old, new, at, walk, skip)
    yield from _inheriting(old, new, at, walk)


def _matters(before: str, after: str) -> bool:
    return (before, after) not in {("class", "dataclass"), ("dataclass", "class"), ("class", "protocol")}


def _field_names(found: griffe.Class, walk: Walk, of: classes.Shape, older: bool) -> set[str]:
    sources = walk.older if older else walk.newer
    return set(classes.fields(found, sources, of)) if of in _FIELDS else set()


def _ancestors(old: griffe.Class, new: griffe.Class, at: Place, walk: Walk) -> Iterator[Change]:
    before, unknown_before = classes.ancestor_names(old, walk.older)
    after, unknown_after = classes.ancestor_names(new, walk.newer)
    before, after = before - _PLAIN, after - _PLAIN
    for name in sorted(before - after):
        undecided = unknown_after - unknown_before
        found = rule("python-base-undecided" if undecided else "python-base-removed")
        yield found.found(at.path, name, ABSENT, f"{at.path} is no longer a {name}")
    for name in sorted(after - before - (unknown_after if before - after else set())):
        yield rule("python-base-added").found(at.path, ABSENT, name, f"{at.path} is a {name} now")
    if _parameters(old, at, True) not in (0, _parameters(new, at, False)):
        yield rule("python-type-parameters").found(at.path, _parameters(old, at, True), _parameters(new, at, False))


_PLAIN = frozenset({"object", "Generic", "Hashable", "ABC", "Sized", "Container", "Collection", "Reversible"})


def _parameters(found: griffe.Class, at: Place, older: bool) -> int:
    scope = at.old if older else at.new
    for base in found.bases:
        if canonical(plain_name(str(base)), scope) == "Generic":
            return str(base).count(",") + 1
    return 0


def _constructor(
    old: griffe.Class, new: griffe.Class, at: Place, walk: Walk, before: classes.Shape, after: classes.Shape
) -> Iterator[Change]:
    if "typed dict" in (before, after) or "enum" in (before, after):
        return
    given = classes.constructor(old, walk.older, before)
    taken = classes.constructor(new, walk.newer, after)
    if given is None and taken is None:
        return
    if given is None or taken is None:
        if "protocol" not in (before, after) and (given or taken or ((), False))[0]:
            yield rule("python-constructor-undecided").found(at.path, given is not None, taken is not None)
        return
    of = "field" if given[1] and taken[1] else "parameter"
    found = compared(Signature(given[0]), Signature(taken[0]), at, of)
    yield from (change for change in found if after != "named tuple" or change.level is not Level.NOTE)


def _made(old: griffe.Class, new: griffe.Class, at: Place, walk: Walk) -> Iterator[Change]:
    """What changed of how calls of the class, and classes that inherit from it, are made by what is above it."""
    was, now = classes.metaclasses(old, walk.older), classes.metaclasses(new, walk.newer)
    for name in sorted(now - was):
        words = f"{at.path} is made by {name.partition('(')[0]} now, and what that takes is not known"
        yield rule("python-constructor-undecided").found(at.path, sorted(was), name, words)
    given, taken = classes.subclassing(old, walk.older), classes.subclassing(new, walk.newer)
    here = f"{at.path}.__init_subclass__"
    if given is not None and taken is not None:
        yield from compared(Signature(given), Signature(taken), at.at(here))
    elif given or taken:
        yield rule("python-constructor-undecided").found(here, given is not None, taken is not None)


def _fields(
    old: griffe.Class, new: griffe.Class, at: Place, walk: Walk, before: classes.Shape, after: classes.Shape
) -> Iterator[Change]:
    if before not in _FIELDS:
        return
    was, now = classes.fields(old, walk.older, before), classes.fields(new, walk.newer, after)
    known = classes.members(new, walk.newer)
    for name, field in was.items():
        if name.startswith("_"):
            continue
        if name not in known and (not field.in_constructor or after != before):
            yield rule("python-name-removed").found(f"{at.path}.{name}", name, ABSENT, f"{at.path}.{name} is gone")
    if before == after == "named tuple" and list(was) != list(now):
        yield rule("python-tuple-shape").found(at.path, list(was), list(now), f"{at.path} unpacks differently")
    if before == "dataclass":
        yield from _options(old, new, at)


def _options(old: griffe.Class, new: griffe.Class, at: Place) -> Iterator[Change]:
    before, after = classes.options(old, at.old) or {}, classes.options(new, at.new)
    if after is None:
        return
    if after["frozen"] and not before.get("frozen"):
        yield rule("python-frozen").found(at.path, False, True, f"fields of {at.path} can no longer be set")
    if before.get("order") and not after["order"]:
        yield rule("python-order-removed").found(at.path, True, False, f"{at.path} can no longer be sorted")
    if after.get("slots") and not before.get("slots"):
        yield rule("python-slots").found(at.path, False, True, f"{at.path} takes no other attributes any more")


def _comparing(
    old: griffe.Class, new: griffe.Class, at: Place, walk: Walk, before: classes.Shape, after: classes.Shape
) -> Iterator[Change]:
    """What changed of how instances are told apart."""
    was, now = classes.compares(old, walk.older, before), classes.compares(new, walk.newer, after)
    if was[1] and not now[1]:
        yield rule("python-unhashable").found(at.path, True, False, f"{at.path} can no longer be a key or lie in a set")
    elif was[0] != now[0]:
        how = "by value" if now[0] else "by identity"
        yield rule("python-equality").found(at.path, was[0], now[0], f"{at.path} is compared {how} now")


def _enumeration(old: griffe.Class, new: griffe.Class, at: Place, walk: Walk) -> Iterator[Change]:
    was, now = classes.enum_members(old, walk.older), classes.enum_members(new, walk.newer)
    for name, value in was.items():
        path = f"{at.path}.{name}"
        if name not in now:
            yield rule("python-member-removed").found(path, value, ABSENT, f"{path} is gone")
        elif now[name] != value:
            yield rule("python-member-value").found(path, value, now[name], f"{path} was {value} and is {now[name]}")
    for name in now:
        if name not in was:
            yield rule("python-member-added").found(f"{at.path}.{name}", ABSENT, now[name], f"{at.path}.{name} is new")


def _keys(old: griffe.Class, new: griffe.Class, at: Place, walk: Walk) -> Iterator[Change]:
    was, now = (classes.fields(one, sources, "typed dict") for one, sources in ((old, walk.older), (new, walk.newer)))
    for name, key in was.items():
        path = f"{at.path}[{name!r}]"
        if name not in now:
            yield rule("python-key-removed").found(path, name, ABSENT, f"{path} is gone")
            continue
        if key.required != now[name].required:
            found = rule("python-key-required" if now[name].required else "python-key-optional")
            yield found.found(path, key.required, now[name].required)
        yield from _key_type(key, now[name], at.at(path))
    for name in now:
        if name not in was:
            found = rule("python-key-added-required" if now[name].required else "python-key-added")
            yield found.found(f"{at.path}[{name!r}]", ABSENT, name, f"{at.path}[{name!r}] is new")


def _key_type(old: classes.Field, new: classes.Field, at: Place) -> Iterator[Change]:
    before, after = at.old.type_of(old.parameter.annotation), at.new.type_of(new.parameter.annotation)
    if before != after or before is None:
        told = (str(old.parameter.annotation), str(new.parameter.annotation))
        if told[0] != told[1]:
            yield rule("python-key-type").found(at.path, *told)


def _members(old: griffe.Class, new: griffe.Class, at: Place, walk: Walk, skip: set[str]) -> Iterator[Change]:
    was, now = classes.members(old, walk.older), classes.members(new, walk.newer)
    _, unknown_before = classes.ancestor_names(old, walk.older)
    _, unknown_after = classes.ancestor_names(new, walk.newer)
    for name, member in was.items():
        if not _is_offered(name) or name in skip or isinstance(member, griffe.Alias):
            continue
        path = f"{at.path}.{name}"
        if name not in now:
            gone = "python-name-undecided" if unknown_after - unknown_before else "python-name-removed"
            yield rule(gone).found(path, name, ABSENT, f"{path} is gone")
        else:
            yield from _member(member, now[name], at.at(path), walk)
    if classes.shape(new, walk.newer) == "protocol":
        return
    for name, member in now.items():
        if name not in was and _is_offered(name) and name not in skip and not isinstance(member, griffe.Alias):
            yield rule("python-name-added").found(f"{at.path}.{name}", ABSENT, name, f"{at.path}.{name} is new")


def _is_offered(name: str) -> bool:
    special = name.startswith("__") and name.endswith("__")
    return name not in _EVERYWHERE and (special or not name.startswith("_"))


def _member(old: griffe.Object, new: griffe.Object | griffe.Alias, at: Place, walk: Walk) -> Iterator[Change]:
    if isinstance(new, griffe.Alias) or not walk.first_time(old, new):
        return
    if isinstance(old, griffe.Function) and isinstance(new, griffe.Function):
        yield from function_changes(old, new, at, walk)
    elif isinstance(old, griffe.Attribute) and isinstance(new, griffe.Attribute):
        yield from attribute_changes(old, new, at)
    elif isinstance(old, griffe.Class) and isinstance(new, griffe.Class):
        yield from class_changes(old, new, at, walk)
    else:
        was, now = _kind(old), _kind(new)
        yield rule("python-kind-changed").found(at.path, was, now, f"{at.path} was a {was} and is a {now}")


def _kind(one: griffe.Object) -> str:
    return "property" if "property" in one.labels else one.kind.value


def _inheriting(old: griffe.Class, new: griffe.Class, at: Place, walk: Walk) -> Iterator[Change]:
    """What who inherits from, or matches, the class has to write."""
    before, after = classes.abstract(old, walk.older), classes.abstract(new, walk.newer)
    for name in sorted(after - before):
        words = f"who inherits from {at.path} has to write {name} now"
        yield rule("python-abstract-added").found(f"{at.path}.{name}", ABSENT, name, words)
    for name in sorted(before - after):
        if name in classes.members(new, walk.newer):
            yield rule("python-abstract-removed").found(f"{at.path}.{name}", name, ABSENT)
    if classes.shape(new, walk.newer) == classes.shape(old, walk.older) == "protocol":
        was, now = classes.members(old, walk.older), classes.members(new, walk.newer)
        for name in now:
            if name not in was and _is_offered(name) and name not in after:
                words = f"what has no {name} is no {at.path} any more"
                yield rule("python-protocol-member-added").found(f"{at.path}.{name}", ABSENT, name, words)
