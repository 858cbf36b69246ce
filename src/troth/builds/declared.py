"""What a source declares of its contract, in files that `troth.toml` names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from troth.contracts.document import checked_schema, contract_document, examples_in, schema_in
from troth.contracts.project import FILE, Project
from troth.errors import MalformedSource


def contract_of_source(project: Project, root: Path, found: dict[str, Any]) -> bytes:
    """The contract: what files of the source say, else what the annotations of its function said in the sandbox."""
    schemas: dict[str, dict[str, Any] | None] = {}
    for side in ("input", "output"):
        path = project.contract.get(side)
        schemas[side] = schema_in(path, _named(root, path)) if path else checked_schema(found.get(side))
    path = project.contract.get("examples")
    examples = examples_in(path, _named(root, path)) if path else []
    return contract_document(project.permissions, schemas["input"], schemas["output"], examples)


def _named(root: Path, path: str) -> bytes:
    """A file that troth.toml names; it lies in the source or nowhere."""
    if path.startswith("/") or ".." in path.split("/") or "\0" in path or not (root / path).is_file():
        raise MalformedSource(
            f"there is no {path[:200]!r} in the source", why=f"[contract] of {FILE} names it", repair="add it"
        )
    return (root / path).read_bytes()
