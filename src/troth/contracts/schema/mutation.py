"""Instances that differ a little from one that is valid."""

from __future__ import annotations

from random import Random

from troth.contracts.schema.answers import Json
from troth.contracts.schema.pool import Pool
from troth.contracts.schema.values import is_number

_DEEPEST = 6


def mutated(value: Json, pool: Pool, chance: Random, depth: int = 0) -> Json:
    """`value` with one change, at the top or somewhere inside."""
    if isinstance(value, dict) and chance.random() < 0.85:
        return _object(value, pool, chance, depth)
    if isinstance(value, list) and chance.random() < 0.85:
        return _array(value, pool, chance, depth)
    if is_number(value) and chance.random() < 0.5:
        return value + chance.choice((1, -1, 0.5, 10, -10)) if abs(value) < 1e15 else 0
    if isinstance(value, str) and chance.random() < 0.5:
        return chance.choice((value + "a", value[:-1], value[1:], value + value, value.upper()))[:2000]
    return pool.any(chance)


def _object(value: dict[str, Json], pool: Pool, chance: Random, depth: int) -> dict[str, Json]:
    names = list(value)
    turn = chance.randrange(4)
    if turn == 0 and names:
        left = chance.choice(names)
        return {name: inner for name, inner in value.items() if name != left}
    if turn == 1 or not names:
        return {**value, chance.choice(pool.names): pool.any(chance)}
    name = chance.choice(names)
    inner = pool.any(chance) if depth >= _DEEPEST else mutated(value[name], pool, chance, depth + 1)
    return {**value, name: inner}


def _array(value: list[Json], pool: Pool, chance: Random, depth: int) -> list[Json]:
    turn = chance.randrange(5)
    if turn == 0 and value:
        place = chance.randrange(len(value))
        return value[:place] + value[place + 1 :]
    if turn == 1 or not value:
        return [*value, pool.any(chance)]
    place = chance.randrange(len(value))
    if turn == 2:
        return [*value, value[place]]
    inner = pool.any(chance) if depth >= _DEEPEST else mutated(value[place], pool, chance, depth + 1)
    return [*value[:place], inner, *value[place + 1 :]]
