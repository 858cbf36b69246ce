"""Writes schema/*.ndjson from the templates: `python -m tests.collections.make_schema`.

Labels come from what each template claims, never from a validator; test_schema.py holds the claims against one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.collections.templates import arrays, logic, objects, references, scalars
from tests.collections.templates.relations import DRAFT_7, PLACES, SPELLED, Template, inside, spelling

HERE = Path(__file__).parent
FAMILIES = {
    "scalars": scalars.ROWS,
    "arrays": arrays.ROWS,
    "objects": objects.ROWS,
    "logic": logic.ROWS,
    "references": references.ROWS,
}
URIS = {
    "draft-07": "http://json-schema.org/draft-07/schema#",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
EVERY = 3  # each third claim is repeated at another place
ALL_PLACES = [*PLACES, "not"]


def nested(rows: list[Template]) -> Iterator[Template]:
    """Every third claim once more, below the next place; references stay at the root, where their pointers start."""
    movable = [
        row for row in rows if '"$' not in json.dumps([row.old, row.new]) and not row.verbatim and not row.doubtful
    ]
    for number, row in enumerate(movable[::EVERY]):
        yield inside(row, ALL_PLACES[number % len(ALL_PLACES)])


def stamped(schema: Any, dialect: str) -> Any:
    """The schema with its `$schema`, where it is an object."""
    return {"$schema": URIS[dialect], **schema} if isinstance(schema, dict) else schema


def line(row: Template, dialect: str) -> dict[str, Any]:
    """One claim as it is written to the collection, without its id."""
    in_old_words = dialect == DRAFT_7 and not row.verbatim
    old, new = (spelling(side) if in_old_words else side for side in (row.old, row.new))
    out: dict[str, Any] = {
        "dialect": dialect,
        "keyword": SPELLED.get(row.keyword, row.keyword) if in_old_words else row.keyword,
        "change": row.change,
        "place": row.place,
        "old": stamped(old, dialect),
        "new": stamped(new, dialect),
        "label": {
            "old_in_new": "no" if row.old_not_new else "yes",
            "new_in_old": "no" if row.new_not_old else "yes",
        },
    }
    if row.old_not_new:
        out["witness_old_not_new"] = row.old_not_new[0]
    if row.new_not_old:
        out["witness_new_not_old"] = row.new_not_old[0]
    out["why"] = row.why
    if row.doubtful:
        out["doubtful"] = True
        out["doubt"] = row.doubtful
    return out


def lines(rows: list[Template]) -> Iterator[dict[str, Any]]:
    """All lines of a family, each pair of schemas once, with ids that say what they are about."""
    counted: Counter[str] = Counter()
    seen: set[str] = set()
    for row in [*rows, *nested(rows)]:
        for dialect in row.dialects:
            made = line(row, dialect)
            pair = json.dumps([dialect, made["old"], made["new"]], sort_keys=True)
            if pair in seen:
                continue
            seen.add(pair)
            stem = f"{dialect}/{re.sub(r'[^A-Za-z0-9-]+', '-', made['keyword']).strip('-')}/{made['change']}"
            counted[stem] += 1
            yield {"id": f"{stem}/{counted[stem]}", **made}


def main() -> None:
    """Writes the files and says how many lines each has."""
    (HERE / "schema").mkdir(exist_ok=True)
    for family, rows in FAMILIES.items():
        written = [json.dumps(made, ensure_ascii=True) + "\n" for made in lines(rows)]
        (HERE / "schema" / f"{family}.ndjson").write_text("".join(written))
        print(f"{family}: {len(written)}")


if __name__ == "__main__":
    main()
