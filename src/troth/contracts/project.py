"""`troth.toml`: what an author declares of an algorithm. `algorithmia.conf` is read in its place where there is none."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from troth.contracts.running import Running, running_of
from troth.errors import MalformedSource
from troth.versions import names
from troth.versions.nearest import did_you_mean
from troth.versions.permissions import Permissions, permissions_of

FILE, LEGACY_FILE = "troth.toml", "algorithmia.conf"
_LARGEST = 64 * 1024
#: the reader's time grows with the square of the dots in a key
_MOST_DOTS = 1_000_000
#: what helps where a table is not known, and something else is meant
_MEANT = {"examples": 'list them in a file of the source, and name it in [contract]: examples = "examples.json"'}
_TABLES = {"algorithm", "permissions", "settings", "contract", "runtime"}
_KEYS = {"owner", "name", "summary", "dependencies"}
_CONTRACT_KEYS = {"input", "output", "examples"}


@dataclass(frozen=True, slots=True)
class Project:
    """The declarations of one source."""

    owner: str
    name: str
    summary: str
    #: requirements from the package index, as PEP 508 writes them
    dependencies: tuple[str, ...]
    permissions: Permissions
    #: whether `visibility` was declared, or stands at its default
    visibility_declared: bool
    #: paths of the files with JSON Schemas of `input` and `output`, and of `examples`
    contract: Mapping[str, str] = field(default_factory=dict)
    #: name of the module with the algorithm; empty: the algorithm's own
    module: str = ""
    #: how its versions want to be run
    running: Running = field(default_factory=Running)

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"

    def entry(self, paths: Collection[str]) -> str:
        """Path of the module with the algorithm, among the paths of the source. Raises MalformedSource."""
        module = self.module or self.name
        for path in (f"src/{module}.py", f"src/{module}/__init__.py"):
            if path in paths:
                return path
        raise MalformedSource(
            f"there is no src/{module}.py",
            why="the algorithm is the function apply in that file, or in a package of that name",
            repair=f"write src/{module}.py with def apply(input): ...",
        )


def project_of(files: Mapping[str, bytes], subject: str, defaults: Permissions = Permissions()) -> Project:
    """What a source declares as the algorithm `subject`, by those of its files that declare something.

    `defaults` are the permissions for what it leaves open. Raises MalformedSource, also where it names another algorithm.
    """
    if FILE in files:
        project = parse_project(files[FILE], defaults)
        if project.subject != subject:
            raise MalformedSource(
                f"{FILE} is of another algorithm, not of {subject}",
                why="a source says itself which algorithm it is",
                repair="compile it as the algorithm that it names",
                asked=subject,
            )
        return project
    owner, name = subject.split("/")
    module = _legacy_module(files[LEGACY_FILE]) if LEGACY_FILE in files else ""
    return Project(owner, name, "", (), defaults, False, module=module)


def _repair(unknown: str, meant: str) -> str:
    return f"{meant} Else take {unknown} out" if meant else f"take {unknown} out"


def _legacy_module(document: bytes) -> str:
    """The name of the module that an algorithmia.conf names (algorithmia-api, section 16.1)."""
    try:
        found = json.loads(document[:_LARGEST])
        module, language = found.get("algoname", ""), found.get("language", "python")
        names.check_algorithm(module) if module else ""
        legal = isinstance(language, str) and language.lower().startswith(("python", "anaconda"))
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise MalformedSource(
            f"{LEGACY_FILE} cannot be read", why="it is a JSON object", repair="mend it, or write a troth.toml"
        ) from None
    if not legal:
        raise MalformedSource(
            f"{LEGACY_FILE} asks for the language {str(language)[:40]!r}",
            why="this release of troth runs Python",
            repair="take language out, or name python3",
        )
    return str(module)


def parse_project(document: bytes, defaults: Permissions = Permissions()) -> Project:
    """What `document`, the bytes of a troth.toml, declares.

    Raises MalformedSource, MalformedName or NameTaken, naming the table and key.
    """
    table = _read(document)
    if "product" in table:
        raise _wrong("it declares a product", "a product has releases, and is no algorithm", "run troth release check")
    for unknown in set(table) - _TABLES:
        raise _wrong(
            f"[{unknown}] is not known",
            "it has the tables [algorithm], [permissions], [contract] and [runtime]",
            _MEANT.get(unknown) or _repair(f"[{unknown}]", did_you_mean(unknown, sorted(_TABLES - set(table)))),
        )
    algorithm = table.get("algorithm")
    if not isinstance(algorithm, dict):
        raise _wrong(
            "there is no [algorithm]", "it names the owner and the algorithm", "troth new writes a working one"
        )
    for unknown in set(algorithm) - _KEYS:
        raise _wrong(
            f"[algorithm] has no key {unknown!r}",
            f"its keys are {', '.join(sorted(_KEYS))}",
            _repair(unknown, did_you_mean(unknown, sorted(_KEYS - set(algorithm)))),
        )
    permissions = table.get("permissions", {})
    if not isinstance(permissions, dict):
        raise _wrong("permissions is not a table", "it is [permissions] with keys and values", "write [permissions]")
    declared = permissions_of(permissions)
    return Project(
        owner=names.check_account(_text(algorithm, "owner")),
        name=names.check_algorithm(_text(algorithm, "name")),
        summary=_text(algorithm, "summary", ""),
        dependencies=_dependencies(algorithm.get("dependencies", [])),
        permissions=Permissions(**{**defaults.as_dict(), **{key: getattr(declared, key) for key in permissions}}),
        visibility_declared="visibility" in permissions,
        contract=_contract(table.get("contract", {})),
        running=running_of(table.get("runtime", {})),
    )


def _read(document: bytes) -> dict[str, Any]:
    if len(document) > _LARGEST:
        raise _wrong("it is too large", f"at most {_LARGEST} bytes are read", "keep declarations only in it")
    if sum(line.count(b".") ** 2 for line in document.split(b"\n")) > _MOST_DOTS:
        raise _wrong("its keys are too long", "reading them would take too long", "write tables with short names")
    try:
        return tomllib.loads(document.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(str(error) or "it cannot be read", "it has to be TOML 1.0 in UTF-8", "mend that line") from None


def _text(table: dict[str, Any], key: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if isinstance(value, str):
        return value
    raise _wrong(
        f"[algorithm] {key} is {'missing' if value is None else 'not text'}", f"{key} is text", f'write {key} = "..."'
    )


def _contract(table: Any) -> dict[str, str]:
    if isinstance(table, dict) and set(table) <= _CONTRACT_KEYS and all(isinstance(v, str) for v in table.values()):
        return dict(table)
    raise _wrong(
        "[contract] is not understood",
        "it names files of the source: input and output hold JSON Schemas, examples a list of calls",
        'write e.g. input = "schemas/input.json"',
    )


def _dependencies(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and len(value) <= 1000 and all(isinstance(item, str) for item in value):
        return tuple(dict.fromkeys(_requirement(item) for item in value))
    raise _wrong(
        "[algorithm] dependencies is not a list of requirements",
        "it names distributions from the package index",
        'write dependencies = ["scikit-learn"]',
    )


def _requirement(text: str) -> str:
    """A requirement in one spelling. Raises MalformedSource for one that is none, or not from the package index."""
    try:
        if len(text) > 1000:
            raise InvalidRequirement("it is too long")
        parsed = Requirement(text)
    except InvalidRequirement as error:
        raise _wrong(
            f"the dependency {text[:80]!r} is not a requirement",
            str(error).partition("\n")[0],
            'write a name with a version, e.g. "scikit-learn>=1.7,<2"',
        ) from None
    if parsed.url:
        raise _wrong(
            f"the dependency {text[:80]!r} is an address",
            "dependencies come from the server's package index, where their hashes are known",
            "name the distribution and its version",
        )
    parsed.name = canonicalize_name(parsed.name)
    return str(parsed)


def _wrong(what: str, why: str, repair: str) -> MalformedSource:
    return MalformedSource(f"{FILE}: {what}", why=why, repair=repair)
