"""Algorithmia's kit for algorithms: `ADK(apply, load).init()`. Standard library only.

The original reads calls from its standard input and cannot report an exception on a current Python. Here `init` tells the
worker which functions they are, and returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

#: The kits that were initialised, in order; a worker runs the first, as the original's never returned.
initialised: list[ADK] = []


class ModelData:
    """What a `load` with a parameter gets."""

    def get_model(self, model_name: str) -> str:
        """Would be the path of a model's file."""
        raise NotImplementedError(
            f"the model {model_name!r} is not here: model manifests come with a later release of troth;"
            " put the file beside the source and open it by its path"
        )


class ADK:
    """An algorithm of `apply(input)` or `apply(input, state)`, and of `load()` or `load(models)`, which gives the state."""

    def __init__(
        self, apply_func: Callable[..., Any], load_func: Callable[..., Any] | None = None, client: Any = None
    ) -> None:
        self.apply_func = apply_func
        self.load_func = load_func
        self.client = client
        self.load_arity = _arity(load_func) if load_func else 0
        if self.load_arity > 1:
            raise TypeError("load function expects 0 parameters or 1 parameter to be used to store algorithm state")

    def init(self, local_payload: Any = None, pprint: Callable[..., Any] = print, mlops: bool = False) -> None:
        """Makes this the algorithm of its module. Nothing is run: `local_payload` is for an author's own machine."""
        if mlops:
            raise NotImplementedError(
                "mlops=True sends figures to a service of DataRobot's, which troth has no part in"
            )
        initialised.append(self)

    def load(self) -> Any:
        """The state: what `load` returned, or None where there is no such function."""
        if self.load_func is None:
            return None
        return self.load_func(ModelData()) if self.load_arity else self.load_func()


def _arity(function: Callable[..., Any]) -> int:
    """How many parameters can be given by place."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions of C do not tell
        return 0
    return sum(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) for parameter in parameters
    )
