"""The decorator under which an author puts the function that is the algorithm."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Declaration:
    """A function under the decorator, and what runs once before the first call."""

    function: Callable[..., Any]
    load: Callable[[], Any] | None

    @property
    def name(self) -> str:
        """The function's name."""
        return str(getattr(self.function, "__name__", self.function))


#: Every function that was decorated in this process.
declarations: list[Declaration] = []


@overload
def algorithm(function: Function, /) -> Function:
    """`@algorithm` above a function."""


@overload
def algorithm(*, load: Callable[[], Any] | None = None) -> Callable[[Function], Function]:
    """`@algorithm(load=load)` above a function."""


def algorithm(function: Any = None, /, *, load: Callable[[], Any] | None = None) -> Any:
    """The function itself, now known as the algorithm of its module.

    A call's input is converted to the annotated type of its one parameter. Of several parameters the keys of a JSON object
    are the arguments. `load` runs once before the first call, and what it returns becomes the last parameter, which is no
    part of the input then. The function can be called as before.
    """
    if function is None:
        return lambda function: _declared(function, load)
    return _declared(function, load)


def _declared(function: Any, load: Callable[[], Any] | None) -> Any:
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"@algorithm is for a function, not for {function!r}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"@algorithm is for a plain function, and {function.__name__} is asynchronous")
    if load is not None and not callable(load):
        raise TypeError(f"load of @algorithm is a function without parameters, not {load!r}")
    declarations.append(Declaration(function, load))
    return function


def declared_in(module: ModuleType) -> Declaration | None:
    """The declaration that makes `module` an algorithm: its own, or else one that it imported.

    Raises ImportError where there are several.
    """
    own = [each for each in declarations if getattr(each.function, "__module__", None) == module.__name__]
    names = {id(value) for value in vars(module).values()}
    found = own or [each for each in declarations if id(each.function) in names]
    if len(found) > 1:
        several = ", ".join(each.name for each in found)
        raise ImportError(
            f"an algorithm is one function under @algorithm, and {module.__name__} has several: {several}"
        )
    return found[0] if found else None
