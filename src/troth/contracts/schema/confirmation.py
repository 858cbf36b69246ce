"""A witness is shown only if a validator that is not ours agrees: jsonschema's, with exact numbers and ECMA patterns.

Some of its keywords are replaced: `multipleOf` divides floats there, patterns are Python's, and `additionalItems` breaks off
beside `items: true`. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

from troth.contracts.schema.answers import Dialect, Json
from troth.contracts.schema.documents import Document
from troth.contracts.schema.formats import CHECKER
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.texts import matcher
from troth.contracts.schema.values import exact


def _multiple(validator: Any, divisor: Json, instance: Json, schema: Json) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number") and (exact(instance) / exact(divisor)).denominator > 1:
        yield ValidationError(f"{instance!r} is not a multiple of {divisor}")


def _pattern(validator: Any, pattern: str, instance: Json, schema: Json) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not matcher(pattern)(instance):
        yield ValidationError(f"{instance[:200]!r} does not match {pattern[:200]!r}")


def _pattern_properties(validator: Any, patterns: Json, instance: Json, schema: Json) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, inner in patterns.items():
            for name in filter(matcher(pattern), instance):
                yield from validator.descend(instance[name], inner, path=name, schema_path=pattern)


def _additional(validator: Any, additional: Json, instance: Json, schema: Json) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    matchers = [matcher(pattern) for pattern in schema.get("patternProperties", {})]
    for name, value in instance.items():
        if name not in schema.get("properties", {}) and not any(matches(name) for matches in matchers):
            if additional is False:
                yield ValidationError(f"it has no property {name[:200]!r}")
                continue
            yield from validator.descend(value, additional, path=name)


def _additional_items(validator: Any, additional: Json, instance: Json, schema: Json) -> Iterator[ValidationError]:
    if validator.is_type(instance, "array") and isinstance(schema.get("items"), list):
        for place, item in enumerate(instance[len(schema["items"]) :], len(schema["items"])):
            yield from validator.descend(item, additional, path=place)


_REPLACED: dict[str, Any] = {
    "multipleOf": _multiple,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
}
#: Keywords that a validator looks at for one instance.
_MOST_KEYWORDS = 30_000


class _Sitting:
    """The validation of one instance: what is left of it, and which references it did well by, at which values."""

    def __init__(self) -> None:
        self.steps = Steps(_MOST_KEYWORDS)
        self.passed: set[tuple[int, int]] = set()
        self.failed: set[tuple[int, int]] = set()


_sitting: ContextVar[_Sitting] = ContextVar("_sitting")


def _counted(keyword: Callable[..., Any]) -> Callable[..., Iterator[ValidationError]]:
    def counted(validator: Any, value: Json, instance: Json, schema: Json) -> Iterator[ValidationError]:
        _sitting.get().steps.take()
        yield from keyword(validator, value, instance, schema) or ()

    return counted


def _once(reference: Callable[..., Any]) -> Callable[..., Iterator[ValidationError]]:
    """A reference followed once for each value: ways through references may double with each."""

    def once(validator: Any, value: Json, instance: Json, schema: Json) -> Iterator[ValidationError]:
        sitting, name = _sitting.get(), (id(schema), id(instance))
        sitting.steps.take()
        if name in sitting.failed:
            yield ValidationError("as before")
        elif name not in sitting.passed:
            failed = False
            for error in reference(validator, value, instance, schema) or ():
                failed = True
                sitting.failed.add(name)
                yield error
            if not failed:
                sitting.passed.add(name)

    return once


def _bounded(kind: Any, replaced: dict[str, Any]) -> Any:
    counted = {name: _counted(keyword) for name, keyword in {**kind.VALIDATORS, **replaced}.items()}
    return extend(kind, {**counted, "$ref": _once(kind.VALIDATORS["$ref"])})  # type: ignore[no-untyped-call]


_VALIDATORS: dict[Dialect, Any] = {
    Dialect.DRAFT_7: _bounded(Draft7Validator, {**_REPLACED, "additionalItems": _additional_items}),
    Dialect.DRAFT_2020_12: _bounded(Draft202012Validator, _REPLACED),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Where an instance breaks which keyword, from the root of it; what stands there is not told."""

    place: tuple[str | int, ...]
    keyword: str


class Confirmation:
    """The validator of one document."""

    def __init__(self, document: Document, *, formats: bool) -> None:
        kind = _VALIDATORS[document.dialect]
        self._validator = kind(document.root, registry=REGISTRY, format_checker=CHECKER if formats else None)

    def says(self, instance: Json) -> bool | None:
        """Whether `instance` is valid; None where the validator breaks off, or is at it for too long."""
        _sitting.set(_Sitting())
        try:
            return bool(self._validator.is_valid(instance))
        except Exception:  # whatever it stumbles over, the instance is not confirmed
            return None

    def fault(self, instance: Json) -> tuple[str, str] | None:
        """(place in the instance as a JSON Pointer, words) of the fault that says most; None where none is found."""
        _sitting.set(_Sitting())
        try:
            error = best_match(self._validator.iter_errors(instance))
        except Exception:  # as above
            return None
        if error is None:
            return None
        steps = [str(step).replace("~", "~0").replace("/", "~1") for step in error.absolute_path]
        return "".join(f"/{step}" for step in steps), error.message[:500]

    def faults(self, instance: Json) -> tuple[Fault, ...] | None:
        """Every fault; None where the validator breaks off, or is at it for too long."""
        _sitting.set(_Sitting())
        try:
            errors = list(self._validator.iter_errors(instance))
        except Exception:  # as above
            return None
        return tuple(Fault(tuple(error.absolute_path), str(error.validator)) for error in errors)
