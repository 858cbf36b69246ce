"""Whether every call that an older callable takes is taken by a newer one, and means the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import griffe
from griffe import Parameter, ParameterKind

from troth.contracts.changes import ABSENT, Change
from troth.contracts.python_api.annotations import contained
from troth.contracts.python_api.reading import Scope, expression
from troth.contracts.rules.table import rule

_POSITIONAL = (ParameterKind.positional_only, ParameterKind.positional_or_keyword)
_NAMED = (ParameterKind.keyword_only, ParameterKind.positional_or_keyword)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comparison stands: the path that it tells, and what each side's annotations see."""

    path: str
    old: Scope
    new: Scope

    def at(self, path: str) -> Place:
        """The same scopes at another path."""
        return Place(path, self.old, self.new)


@dataclass(frozen=True, slots=True)
class Signature:
    """Parameters as a caller sees them, without the one that a method is bound to."""

    parameters: tuple[Parameter, ...]

    @property
    def positional(self) -> tuple[Parameter, ...]:
        """What is filled in order."""
        return tuple(one for one in self.parameters if one.kind in _POSITIONAL)

    def named(self, name: str) -> Parameter | None:
        """What a keyword fills."""
        return next((one for one in self.parameters if one.name == name and one.kind in _NAMED), None)

    def takes_any(self, kind: ParameterKind) -> bool:
        """Whether there is a parameter of this variadic kind."""
        return any(one.kind is kind for one in self.parameters)


def signature(function: griffe.Function, bound: bool) -> Signature:
    """The signature of a function. `bound` leaves out the first parameter of a method."""
    parameters = tuple(function.parameters)
    if bound and parameters and parameters[0].kind in _POSITIONAL:
        parameters = parameters[1:]
    return Signature(parameters)


def compared(old: Signature, new: Signature, place: Place, of: str = "parameter") -> Iterator[Change]:
    """The changes between two signatures. `of` is what the rules call a parameter here."""
    matched: dict[str, Parameter] = {}
    for index, parameter in enumerate(old.positional):
        yield from _positional(parameter, index, old, new, place, of, matched)
    for parameter in old.parameters:
        if parameter.kind is ParameterKind.keyword_only:
            yield from _keyword(parameter, new, place, of, matched)
    yield from _variadic(old, new, place)
    yield from _added(old, new, place, of, matched)


def _positional(
    parameter: Parameter,
    index: int,
    old: Signature,
    new: Signature,
    place: Place,
    of: str,
    matched: dict[str, Parameter],
) -> Iterator[Change]:
    at = place.at(f"{place.path}({parameter.name})")
    now = new.positional[index] if index < len(new.positional) else None
    harmless_name = parameter.kind is ParameterKind.positional_only
    elsewhere = next((one for one in new.parameters if one.name == parameter.name), None)
    if now is not None and (now.name == parameter.name or (harmless_name and _is_free(now, old))):
        yield from _same(parameter, now, at, of, matched)
    elif elsewhere is not None and elsewhere.kind in _POSITIONAL:
        position = new.positional.index(elsewhere)
        matched[elsewhere.name] = parameter
        yield rule(f"python-{of}-moved").found(at.path, index + 1, position + 1, f"{parameter.name} was moved")
    elif elsewhere is not None and elsewhere.kind is ParameterKind.keyword_only:
        matched[elsewhere.name] = parameter
        yield _kind(parameter, elsewhere, at, of)
    elif now is not None and now.name not in {one.name for one in old.parameters} and now.name not in matched:
        matched[now.name] = parameter
        yield rule(f"python-{of}-renamed").found(
            at.path, parameter.name, now.name, f"{parameter.name} is now called {now.name}"
        )
    elif not _swallowed(parameter, now, new):
        yield rule(f"python-{of}-removed").found(at.path, parameter.name, ABSENT, f"{parameter.name} is gone")


def _is_free(now: Parameter, old: Signature) -> bool:
    return now.name not in {one.name for one in old.parameters if one.kind in _NAMED}


def _swallowed(parameter: Parameter, now: Parameter | None, new: Signature) -> bool:
    by_place = now is None and new.takes_any(ParameterKind.var_positional)
    by_name = new.takes_any(ParameterKind.var_keyword)
    return by_place and (by_name or parameter.kind is ParameterKind.positional_only)


def _keyword(
    parameter: Parameter, new: Signature, place: Place, of: str, matched: dict[str, Parameter]
) -> Iterator[Change]:
    at = place.at(f"{place.path}({parameter.name})")
    now = next((one for one in new.parameters if one.name == parameter.name), None)
    if now is not None and now.kind in _NAMED:
        yield from _same(parameter, now, at, of, matched)
    elif now is not None and now.kind is ParameterKind.positional_only:
        matched[now.name] = parameter
        yield _kind(parameter, now, at, of)
    elif not new.takes_any(ParameterKind.var_keyword):
        yield rule(f"python-{of}-removed").found(at.path, parameter.name, ABSENT, f"{parameter.name} is gone")


def _same(old: Parameter, new: Parameter, at: Place, of: str, matched: dict[str, Parameter]) -> Iterator[Change]:
    matched[new.name] = old
    if old.kind is not new.kind and old.kind is not None and new.kind is not None:
        lost = (old.kind is ParameterKind.positional_or_keyword) or new.kind not in (*_NAMED, *_POSITIONAL)
        widened = new.kind is ParameterKind.positional_or_keyword
        if widened:
            yield rule(f"python-{of}-kind-widened").found(at.path, old.kind.value, new.kind.value)
        elif lost:
            yield _kind(old, new, at, of)
    yield from _defaults(old, new, at, of)
    yield from types(old.annotation, new.annotation, at, of)


def _kind(old: Parameter, new: Parameter, at: Place, of: str) -> Change:
    assert old.kind is not None
    assert new.kind is not None
    words = f"{old.name} was {old.kind.value} and is {new.kind.value}"
    return rule(f"python-{of}-kind").found(at.path, old.kind.value, new.kind.value, words)


def _defaults(old: Parameter, new: Parameter, at: Place, of: str) -> Iterator[Change]:
    before, after = old.default, new.default
    if before is not None and after is None:
        yield rule(f"python-{of}-required").found(at.path, str(before), ABSENT, f"{old.name} has to be given now")
    elif before is None and after is not None:
        yield rule(f"python-{of}-optional").found(at.path, ABSENT, str(after), f"{old.name} may be left out now")
    elif not same_expression(before, after):
        words = f"without {old.name}, {before} was meant, and now {after} is"
        yield rule(f"python-{of}-default").found(at.path, str(before), str(after), words)


def same_expression(one: Any, other: Any) -> bool:
    """Whether two pieces of source say the same, spaces and quotes aside."""
    if one is None or other is None or str(one) == str(other):
        return str(one) == str(other)
    read = [expression(str(text)) for text in (one, other)]
    return None not in read and ast.dump(read[0]) == ast.dump(read[1])  # type: ignore[arg-type]


def types(old: Any, new: Any, at: Place, of: str) -> Iterator[Change]:
    """The change of a type that callers give: it may grow, and must not shrink."""
    if old is None or new is None:
        if old is not None:
            yield rule(f"python-{of}-type-widened").found(at.path, str(old), ABSENT)
        elif new is not None:
            yield rule(f"python-{of}-type-added").found(at.path, ABSENT, str(new))
        return
    yield from _compared(old, new, at, of, given=True)


def returned(old: Any, new: Any, at: Place, of: str = "return") -> Iterator[Change]:
    """The change of a type that callers get: it may shrink, and must not grow."""
    if old is None or new is None:
        if old is not None:
            yield rule(f"python-{of}-type-removed").found(at.path, str(old), ABSENT)
        return
    yield from _compared(old, new, at, of, given=False)


def _compared(old: Any, new: Any, at: Place, of: str, *, given: bool) -> Iterator[Change]:
    """The change between two types that are both written; `given` says that callers give it, and not get it."""
    before, after = at.old.type_of(old), at.new.type_of(new)
    if before == after and before is not None:
        return
    if before is None or after is None:
        if not same_expression(old, new):
            yield rule(f"python-{of}-type-undecided").found(at.path, str(old), str(new))
        return
    wider, narrower = ("type-widened", "type-narrowed") if given else ("type-narrowed", "type-widened")
    answer = contained(before, after, at.new) if given else contained(after, before, at.new)
    suffix = {True: wider, False: narrower, None: "type-undecided"}[answer]
    yield rule(f"python-{of}-{suffix}").found(at.path, str(old), str(new))


def _variadic(old: Signature, new: Signature, place: Place) -> Iterator[Change]:
    for kind, mark in ((ParameterKind.var_positional, "*"), (ParameterKind.var_keyword, "**")):
        before = next((one for one in old.parameters if one.kind is kind), None)
        after = next((one for one in new.parameters if one.kind is kind), None)
        if before is not None and after is None:
            words = f"{mark}{before.name} is gone, and with it calls of any length or name"
            yield rule("python-variadic-removed").found(
                f"{place.path}({mark}{before.name})", before.name, ABSENT, words
            )
        elif before is None and after is not None:
            yield rule("python-variadic-added").found(f"{place.path}({mark}{after.name})", ABSENT, after.name)
        elif before is not None and after is not None:
            yield from types(
                before.annotation, after.annotation, place.at(f"{place.path}({mark}{after.name})"), "parameter"
            )


def _added(
    old: Signature, new: Signature, place: Place, of: str, matched: Sequence[str] | dict[str, Parameter]
) -> Iterator[Change]:
    for parameter in new.parameters:
        if parameter.name in matched or parameter.kind not in (*_POSITIONAL, ParameterKind.keyword_only):
            continue
        path = f"{place.path}({parameter.name})"
        if parameter.default is None:
            yield rule(f"python-{of}-added-required").found(
                path, ABSENT, parameter.name, f"{parameter.name} has to be given"
            )
        elif _was_swallowed(parameter, old):
            words = f"what went to a variadic parameter as {parameter.name} means something else now"
            yield rule("python-variadic-taken").found(path, ABSENT, parameter.name, words)
        else:
            yield rule(f"python-{of}-added").found(
                path, ABSENT, parameter.name, f"{parameter.name} is new and optional"
            )


def _was_swallowed(parameter: Parameter, old: Signature) -> bool:
    return parameter.kind in _POSITIONAL and old.takes_any(ParameterKind.var_positional)
