"""Values that schemas speak of, and such as lie just beside them: what a search puts into instances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from troth.contracts.schema.answers import Json
from troth.contracts.schema.remembering import PATTERN_STEPS
from troth.contracts.schema.steps import Steps
from troth.contracts.schema.texts import samples_of
from troth.contracts.schema.values import is_number, type_of

_MOST = 200
_PLAIN: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    0.5,
    2,
    10,
    "",
    "a",
    "ab",
    "é",
    [],
    {},
    [None],
    {"a": 1},
    [1, 1],
)
_LENGTHS = frozenset(["minLength", "maxLength"])
_BOUNDS = frozenset(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"])


class Pool:
    """Values by type, and names of properties, from some documents. Raises Exhausted."""

    def __init__(self, documents: Sequence[Json], steps: Steps | None = None) -> None:
        self._steps = steps or Steps()
        self.values: dict[str, list[Json]] = {}
        self.names: list[str] = []
        names: dict[str, None] = dict.fromkeys(["a", "zz"])
        values: list[Json] = list(_PLAIN)
        for document in documents:
            for value, name in self._spoken_of(document):
                if name:
                    names.setdefault(value)
                else:
                    values.append(value)
        self.names = list(names)[:_MOST]
        for value in values[: _MOST * 2]:
            self.values.setdefault(type_of(value), []).append(value)

    def any(self, chance: Random, type_: str | None = None) -> Json:
        """One of the values."""
        of_type = self.values[type_ or chance.choice(list(self.values))]
        return of_type[chance.randrange(len(of_type))]

    def _spoken_of(self, document: Json) -> Iterator[tuple[Json, bool]]:
        """Values, and True for those that are names of properties. The document's size bounds the work."""
        waiting, seen = [document], 0
        while waiting and seen < 4000:
            schema = waiting.pop()
            seen += 1
            self._steps.take(1 + (len(schema) if isinstance(schema, dict | list) else 0) // 8)
            if isinstance(schema, list):
                waiting += [inner for inner in schema if isinstance(inner, dict | list)]
            elif isinstance(schema, dict):
                for word, value in schema.items():
                    yield from _of_keyword(word, value, self._steps)
                    if word not in ("enum", "const", "default", "examples") and isinstance(value, dict | list):
                        waiting.append(value)


def _of_keyword(word: str, value: Json, steps: Steps) -> Iterator[tuple[Json, bool]]:
    if word == "enum" and isinstance(value, list):
        yield from ((inner, False) for inner in value[:_MOST])
        yield from ((inner, True) for inner in value[:20] if isinstance(inner, str))
    elif word == "const":
        yield value, False
    elif word in _BOUNDS and is_number(value):
        yield from ((number, False) for number in (value, value + 1, value - 1, value * 2))
    elif word in _LENGTHS and is_number(value) and value <= 1000:
        yield from (("a" * length, False) for length in (int(value), int(value) + 1, max(0, int(value) - 1)))
    elif word == "pattern" and isinstance(value, str):
        texts = sampled(value, steps)
        yield from ((text, False) for text in texts)
        yield from ((text, True) for text in texts[:2])
    elif word == "patternProperties" and isinstance(value, dict):
        yield from ((text, True) for pattern in list(value)[:20] for text in sampled(pattern, steps)[:3])
    elif word in ("properties", "dependentSchemas", "dependentRequired", "dependencies") and isinstance(value, dict):
        yield from ((name, True) for name in list(value)[:_MOST])
    elif word == "required" and isinstance(value, list):
        yield from ((name, True) for name in value[:_MOST] if isinstance(name, str))


def sampled(pattern: str, steps: Steps) -> tuple[str, ...]:
    """A few texts that match `pattern`, and one that does not, for the steps that they cost."""
    texts, cost = samples_of(pattern)
    steps.take(1 + cost // PATTERN_STEPS)
    return texts
