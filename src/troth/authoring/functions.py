"""A function under `@algorithm`, called with what callers send."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from troth.authoring.contract import Contract, described
from troth.authoring.declaration import Declaration, declared_in
from troth.authoring.plain import plain
from troth.authoring.reading import Reader, Unsupported, convert_with, hints_of
from troth.authoring.records import Member, Record
from troth.authoring.shapes import Anything, Shape


def typed_function_of(module: ModuleType) -> TypedFunction | None:
    """The function under `@algorithm` that makes this module an algorithm, if it has one.

    Raises ImportError where there are several, and Unsupported for types that cannot be read from JSON.
    """
    declaration = declared_in(module)
    return TypedFunction(declaration) if declaration else None


class TypedFunction:
    """A declared function with the types of its input and result."""

    def __init__(self, declaration: Declaration) -> None:
        self._function = declaration.function
        self._load = declaration.load
        self._hints = hints_of(declaration.function)
        parameters = _parameters(declaration)
        self._state = parameters.pop().name if declaration.load else None
        if not parameters:
            raise Unsupported(f"{declaration.name}() has no parameter for the input")
        self._only = parameters[0].name if len(parameters) == 1 else None
        self._input = self._shape(declaration.name, parameters)

    def start(self) -> Callable[[Any], Any]:
        """Runs what is to run before the first call; the algorithm, as a function of one plain value."""
        fixed = {self._state: self._load()} if self._load and self._state else {}
        function, only, shape = self._function, self._only, self._input

        def call(given: Any) -> Any:
            found = convert_with(shape, given)
            return plain(function(**({only: found} if only else found), **fixed))

        return call

    def contract(self) -> Contract:
        """What callers send and get, as JSON Schema; null where it is not annotated."""
        is_said = self._only is None or self._only in self._hints
        return {
            "input": described(lambda: self._input) if is_said else None,
            "output": described(lambda: Reader().read(self._hints["return"]), result=True),
        }

    def _shape(self, name: str, parameters: list[inspect.Parameter]) -> Shape:
        """The one parameter's type, or an object with a key for each parameter."""
        reader = Reader()
        members = {}
        for parameter in parameters:
            try:
                found = reader.read(self._hints[parameter.name]) if parameter.name in self._hints else Anything()
            except Unsupported as error:
                raise Unsupported(f"the parameter {parameter.name} of {name}(): {error}") from error
            members[parameter.name] = Member(found, required=parameter.default is parameter.empty)
        if self._only:
            return members[self._only].shape
        record = Record(dict)
        record.give(members)
        return record


def _parameters(declaration: Declaration) -> list[inspect.Parameter]:
    found = list(inspect.signature(declaration.function).parameters.values())
    for parameter in found:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise Unsupported(f"{declaration.name}() has {parameter}: an algorithm's arguments are given by name")
    return found
