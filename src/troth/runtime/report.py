"""What a checked worker says of its version. The algorithm ran in that process before, so every byte may be its own."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn

from troth.runtime.inside import entry

FORMS = ("apply", "adk", "algorithm")
#: levels of arrays and objects in a schema
_DEEPEST = 64
_LONGEST_PATH = 1024


@dataclass(frozen=True, slots=True)
class Report:
    """A contract with the keys `input`, `output` and `form`, and the paths of imported files."""

    contract: dict[str, Any]
    imported: tuple[str, ...]


ABSENT = Report({"input": None, "output": None, "form": None}, ())


def report_of(body: bytes) -> Report:
    """The report in the body of a frame; what is not as it should be is left out."""
    try:
        found = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return ABSENT
    if not isinstance(found, dict):
        return ABSENT
    return Report(_contract(found.get("contract")), _imported(found.get("imported")))


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _contract(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict) or found.get("form") not in FORMS:
        return dict(ABSENT.contract)
    schemas = {part: found.get(part) for part in ("input", "output")}
    return {**{part: schema if _is_schema(schema) else None for part, schema in schemas.items()}, "form": found["form"]}


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict) and _is_sound(value, _DEEPEST)


def _is_sound(value: Any, levels: int) -> bool:
    """Whether any database, any JSON reader and any recursive function can take the value."""
    if isinstance(value, dict):
        return levels > 0 and all(_is_text(key) and _is_sound(part, levels - 1) for key, part in value.items())
    if isinstance(value, list):
        return levels > 0 and all(_is_sound(part, levels - 1) for part in value)
    if isinstance(value, str):
        return _is_text(value)
    return not isinstance(value, float) or math.isfinite(value)


def _is_text(value: str) -> bool:
    """Whether it has no half characters and no nulls."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _imported(found: Any) -> tuple[str, ...]:
    listed = found[: entry.MOST_IMPORTED] if isinstance(found, list) else []
    return tuple(sorted({path for path in listed if _is_module_path(path)}))


def _is_module_path(path: Any) -> bool:
    """Whether it leads to a Python file below a folder, and nowhere else."""
    if not isinstance(path, str) or len(path) > _LONGEST_PATH or not path.endswith(".py") or not _is_text(path):
        return False
    return not set(path.split("/")) & {"", ".", ".."}
