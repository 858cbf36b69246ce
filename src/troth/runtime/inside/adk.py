"""Algorithmia's kit for algorithms: `ADK(apply, load).init()`. Standard library only.

The original reads calls from its standard input and cannot report an exception on a current Python. Here `init` tells the
worker which functions they are, and returns.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
from collections.abc import Callable
from typing import Any

#: The kits that were initialised, in order; a worker runs the first, as the original's never returned.
initialised: list[ADK] = []


class ModelData:
    """What a `load` with a parameter gets: the files that the model manifest beside the source names, and room for values.

    With `model_manifest.json.freeze`, which `algo freeze` writes, files are pinned: each is compared with the MD5 that is in
    it. A file that changed fails the load, unless its entry says `"fail_on_tamper": false`. Without it, or without a sum, the
    data of a version may change under it (ALG-04a), and that is printed.
    """

    def __init__(self, client: Any = None, folder: str = ".") -> None:
        self._client = client
        self._values: dict[str, Any] = {}
        self._paths: dict[str, str] = {}
        self._manifest, self.using_frozen = _manifest(folder)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def data(self) -> dict[str, Any]:
        """The values that were put here."""
        return dict(self._values)

    def available(self) -> bool:
        """Whether there is a manifest."""
        return self._manifest is not None

    def initialize(self) -> None:
        """Fetches the required files and compares them. Raises ModelError."""
        names = [entry["name"] for entry in self._entries("required_files")]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ModelError(f"the model manifest names two files {twice!r}: give them different names")
        for entry in self._entries("required_files"):
            self._fetch(entry)

    def get_model(self, model_name: str) -> str:
        """The path of a file; an optional one is fetched the first time. Raises ModelError."""
        if model_name not in self._paths:
            found = [entry for entry in self._entries("optional_files") if entry["name"] == model_name]
            if not found:
                missing = "there is no model_manifest.json" if self._manifest is None else "the manifest has none such"
                raise ModelError(f"there is no model {model_name!r}: {missing}")
            self._fetch(found[0])
        return self._paths[model_name]

    def _entries(self, kind: str) -> list[dict[str, Any]]:
        return (self._manifest or {}).get(kind) or []

    def _fetch(self, entry: dict[str, Any]) -> None:
        name, wanted = entry["name"], entry.get("md5_checksum") if self.using_frozen else None
        client = self._client
        if client is None:
            # that of the environment, or the one beside this file
            client = self._client = importlib.import_module("Algorithmia").client()
        path = client.file(entry["source_uri"]).getFile(as_path=True)
        found = _checksum(path)
        if wanted is None:
            print(f"model {name}: not pinned, so it may change under this version (ALG-04a)")
        elif found != wanted and entry.get("fail_on_tamper", True):
            raise ModelError(
                f"model {name} is not what was frozen: {entry['source_uri']} has MD5 {found}, and {wanted} is pinned;"
                " put the file back, or freeze again and publish a new version"
            )
        elif found != wanted:
            print(f"model {name}: not what was frozen, which its entry allows (ALG-04a)")
        self._paths[name] = path


class ModelError(Exception):
    """A model manifest, or a file that it names, is not what it has to be."""


def _manifest(folder: str) -> tuple[dict[str, Any] | None, bool]:
    """The manifest, and whether it is a frozen one. Raises ModelError for one that was changed after it was frozen."""
    for name, frozen in (("model_manifest.json.freeze", True), ("model_manifest.json", False)):
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            continue
        except ValueError as error:
            raise ModelError(f"{name} is not JSON: {error}") from None
        if not _is_manifest(found):
            raise ModelError(f"{name} is no model manifest: its files have a name and a source_uri each")
        if frozen:
            lock = found.pop("lock_checksum", None)
            # of Python's own form of the rest, as algo freeze computes it
            if lock != hashlib.md5(str(found).encode(), usedforsecurity=False).hexdigest():
                raise ModelError(f"{name} was changed after it was frozen: run algo freeze again")
        return found, frozen
    return None, False


def _is_manifest(found: Any) -> bool:
    if not isinstance(found, dict):
        return False
    entries = [entry for kind in ("required_files", "optional_files") for entry in found.get(kind) or []]
    return all(isinstance(entry, dict) and {"name", "source_uri"} <= set(entry) for entry in entries)


def _checksum(path: str) -> str:
    """The MD5 of a file, which is what manifests have."""
    found = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


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
        """The state: what `load` returned, or None where there is no such function. The files of a manifest come first."""
        models = ModelData(self.client)
        models.initialize()
        if self.load_func is None:
            return None
        return self.load_func(models) if self.load_arity else self.load_func()


def _arity(function: Callable[..., Any]) -> int:
    """How many parameters can be given by place."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions of C do not tell
        return 0
    return sum(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) for parameter in parameters
    )
