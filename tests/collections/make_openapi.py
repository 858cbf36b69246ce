"""Writes openapi/*.ndjson from the claims: `python -m tests.collections.make_openapi`. No checker is asked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.collections.templates import api_parts, api_shapes
from tests.collections.templates.api import Claim, description, edited, pairs

HERE = Path(__file__).parent
FAMILIES = {"parts": api_parts.ROWS, "shapes": api_shapes.ROWS}
YAML = """\
# The pets, written by hand.
openapi: "%s"
info: {version: 1.0.0, title: Pets}
paths:
  /pets:
    get:
      responses:
        200:
          description: Pets.
          content:
            application/json:
              schema: {type: array, items: {type: string, enum: [cat, "no"]}}
      parameters:
        - {name: q, in: query, schema: {type: string%s}}
"""
AS_JSON: dict[str, Any] = {
    "info": {"title": "Pets", "version": "1.0.0"},
    "paths": {
        "/pets": {
            "get": {
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "Pets.",
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"type": "string", "enum": ["cat", "no"]}}
                            }
                        },
                    }
                },
            }
        }
    },
}


def texts() -> Iterator[dict[str, Any]]:
    """Descriptions as YAML text: a status may be a number there, and comments and order have no meaning."""
    for version, full in (("3.0", "3.0.3"), ("3.1", "3.1.0")):
        plain = YAML % (full, "")
        shorter = YAML % (full, ", maxLength: 5")
        for number, (old, new, label, why) in enumerate(
            (
                ({"openapi": full, **AS_JSON}, plain, "compatible", "one description as JSON and as YAML"),
                (plain, shorter, "breaking", "long values of q were legal"),
                (shorter, plain, "compatible", "longer values of q are legal as well"),
                (plain, plain.replace("# The pets", "# All pets"), "compatible", "a comment"),
                (plain, plain.replace("[cat, ", "[cat, dog, "), "breaking", "one value more in what the client reads"),
            ),
            1,
        ):
            about = {"openapi": version, "object": "text", "old": old, "new": new}
            yield {"id": f"{version}/text/{number}", **about, "label": label, "why": why}


def unneeded(old: dict[str, Any], new: dict[str, Any], whole: str) -> list[tuple[str, str]]:
    """The components that are the same in both and that nothing in `whole`, the text of both, refers to."""
    return [
        (kind, name)
        for kind, parts in old["components"].items()
        for name, part in parts.items()
        if new["components"].get(kind, {}).get(name) == part and not refers(whole, kind, name)
    ]


def differing(old: dict[str, Any], new: dict[str, Any]) -> set[tuple[str, str]]:
    """The components that are not the same in both."""
    kinds = {*old["components"], *new["components"]}
    return {
        (kind, name)
        for kind in kinds
        for name in {*old["components"].get(kind, {}), *new["components"].get(kind, {})}
        if old["components"].get(kind, {}).get(name) != new["components"].get(kind, {}).get(name)
    }


def reached(document: dict[str, Any], part: Any) -> set[tuple[str, str]]:
    """The components that a part of a document needs, and those that these need in turn."""
    found: set[tuple[str, str]] = set()
    waiting = [part]
    while waiting:
        text = json.dumps(waiting.pop())
        for kind, parts in document["components"].items():
            for name in parts:
                if (kind, name) not in found and refers(text, kind, name):
                    found.add((kind, name))
                    waiting.append(parts[name])
    return found


def refers(text: str, kind: str, name: str) -> bool:
    """Whether a text refers to a component; security schemes are referred to by their names alone."""
    secured = kind == "securitySchemes" and (f'{{"{name}": [' in text or f', "{name}": [' in text)
    return secured or f'"#/components/{kind}/{name}"' in text


def needed(old: dict[str, Any], new: dict[str, Any], item: Any) -> bool:
    """Whether a path that is the same in both leads to something that is not: by references, or by the security of all."""
    operations = [one for one in item.values() if isinstance(one, dict)]
    secured = any("responses" in one and "security" not in one for one in operations)
    differs = differing(old, new)
    return any(differs & reached(one, [item, one.get("security", []) if secured else []]) for one in (old, new))


def pruned(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both without the paths and components that are the same in both and that nothing needs; links need operations."""
    whole = json.dumps([old, new])
    alike = [path for path, item in old["paths"].items() if new["paths"].get(path) == item]
    alike = [path for path in alike if not needed(old, new, old["paths"][path])]
    if '"links"' not in whole:
        for path in alike[: len(old["paths"]) - 1]:
            del old["paths"][path], new["paths"][path]
    while unused := unneeded(old, new, json.dumps([old, new])):
        for kind, name in unused:
            del old["components"][kind][name], new["components"][kind][name]
    return old, new


def lines(claims: list[Claim]) -> Iterator[dict[str, Any]]:
    """Every claim in every version it holds for, in every direction that has a label; each pair of documents once."""
    counted: Counter[str] = Counter()
    seen: set[str] = set()
    for claim in claims:
        for version in claim.versions:
            for _, was, is_now, judged in pairs(claim):
                old, new = pruned(edited(description(version), was), edited(description(version), is_now))
                pair = json.dumps([old, new])
                if pair in seen:
                    continue
                seen.add(pair)
                stem = f"{version}/{re.sub(r'[^A-Za-z0-9-]+', '-', claim.about).strip('-')}"
                counted[stem] += 1
                label, _, level = judged.partition(":")
                yield {
                    "id": f"{stem}/{counted[stem]}",
                    "openapi": version,
                    "object": claim.about,
                    "old": old,
                    "new": new,
                    "label": label,
                    **({"level_detail": level} if level else {}),
                    "why": claim.why,
                    **({"doubtful": True, "doubt": claim.doubt} if claim.doubt else {}),
                }


def made() -> dict[str, list[dict[str, Any]]]:
    """All lines, by the file they are written to."""
    return {**{family: list(lines(claims)) for family, claims in FAMILIES.items()}, "texts": list(texts())}


def main() -> None:
    """Writes the files and says how many lines each has."""
    (HERE / "openapi").mkdir(exist_ok=True)
    for family, rows in made().items():
        (HERE / "openapi" / f"{family}.ndjson").write_text(
            "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
        )
        print(f"{family}: {len(rows)}")


if __name__ == "__main__":
    main()
